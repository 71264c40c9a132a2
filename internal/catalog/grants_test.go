package catalog_test

import (
	"strings"
	"testing"

	"github.com/cotenant/cotenant/internal/catalog"
)

func TestGrants(t *testing.T) {
	t.Parallel()

	for access, want := range map[string]string{
		"":                                    " []",
		"owner":                               "owner []",
		"owner nobody":                        "owner []",
		"owner owner=arw/owner, app=r/owner":  "owner [app=r]",
		"owner app=r*w/owner, app=r/app, =r/": "owner [=r app=r app=r* app=w]",
		`"An ""Owner""" "a, b=c"=r/"An ""Owner""", "An ""Owner"""=w/"An ""Owner"""`: `An "Owner" [a, b=c=r]`,
		`"owner`:                " []",
		"owner app":             " []",
		"owner app=r":           " []",
		"owner app=r/owner;b=r": " []",
		"owner app=r/owner, ":   " []",
	} {
		owner, grants := catalog.Object{Kind: catalog.Table, Access: access}.Grants()
		if got := owner + " [" + strings.Join(grants, " ") + "]"; got != want {
			t.Errorf("%s: %s; want %s", access, got, want)
		}
	}
	for kind, want := range map[catalog.Kind]string{catalog.Function: "=X", catalog.Type: "=U", catalog.View: ""} {
		if _, grants := (catalog.Object{Kind: kind, Access: "owner"}).Grants(); strings.Join(grants, " ") != want {
			t.Errorf("%s: %q", kind, grants)
		}
	}
	if owner, grants := (catalog.Object{Kind: catalog.Column, Access: "=r/owner, owner=w/owner"}).Grants(); owner != "owner" || strings.Join(grants, " ") != "=r" {
		t.Errorf("column: %s, %q", owner, grants)
	}
}

func FuzzGrants(f *testing.F) {
	f.Add("table", `owner "a"=r*w/owner, =X/"b"`)
	f.Add("column", "a=r/b")
	f.Add("column", "a=r/")
	f.Fuzz(func(t *testing.T, kind, access string) {
		owner, grants := catalog.Object{Kind: catalog.Kind(kind), Access: access}.Grants()
		if owner == "" && len(grants) > 0 {
			t.Errorf("grants of nobody: %q", grants)
		}
		for _, grant := range grants {
			if !strings.Contains(grant, "=") {
				t.Errorf("%q", grant)
			}
		}
	})
}
