package tenant_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/tenant"
)

func TestParseSchema(t *testing.T) {
	t.Parallel()

	for _, name := range []string{
		"public", "acme", "Acme", "0", "-", "_x", "tenant-1", "123", "x_pg_", "my_cotenant", "information_schema2",
		strings.Repeat("a", tenant.MaxSchemaLength),
	} {
		s, err := tenant.ParseSchema(name)
		if err != nil {
			t.Errorf("ParseSchema(%q): %v", name, err)
		}
		if s.String() != name {
			t.Errorf("ParseSchema(%q) = %q", name, s)
		}
	}

	for name, cure := range map[string]string{
		"":                      "1 to 63",
		strings.Repeat("a", 64): "shorter",
		"pg_temp":               "another prefix",
		"PG_toast":              "another prefix",
		"cotenant":              "another prefix",
		"CoTenant_x":            "another prefix",
		"Information_Schema":    "another name",
		"Public":                `write "public"`,
		"a b":                   "ASCII letters",
		`a"b`:                   "ASCII letters",
		"a;drop":                "ASCII letters",
		"naïve":                 `'ï'`,
		"a\x00b":                "ASCII letters",
		"$user":                 "ASCII letters",
	} {
		_, err := tenant.ParseSchema(name)
		if !errors.Is(err, tenant.ErrInvalidSchema) || !strings.Contains(err.Error(), cure) {
			t.Errorf("ParseSchema(%q): %v; want ErrInvalidSchema with %q", name, err, cure)
		}
	}
}

func TestSchemaConversions(t *testing.T) {
	t.Parallel()

	var config struct{ Schema tenant.Schema }
	if err := json.Unmarshal([]byte(`{"Schema":"acme"}`), &config); err != nil || config.Schema.String() != "acme" {
		t.Errorf("Unmarshal: %v, %q", err, config.Schema)
	}
	if err := json.Unmarshal([]byte(`{"Schema":"pg_x"}`), &config); !errors.Is(err, tenant.ErrInvalidSchema) {
		t.Errorf("Unmarshal of a reserved name: %v", err)
	}
	if err := config.Schema.Scan(int64(1)); !errors.Is(err, tenant.ErrInvalidSchema) {
		t.Errorf("Scan of a number: %v", err)
	}
	if v, err := (tenant.Schema{}).Value(); v != nil || err != nil {
		t.Errorf("Value of the zero Schema = %v, %v; want NULL", v, err)
	}
	for _, src := range []any{"beta", []byte("beta")} {
		if err := config.Schema.Scan(src); err != nil || config.Schema.String() != "beta" {
			t.Errorf("Scan(%v): %v, %q", src, err, config.Schema)
		}
	}
	if err := config.Schema.Scan(nil); err != nil || !config.Schema.IsZero() {
		t.Errorf("Scan(nil): %v, %q", err, config.Schema)
	}
}

func TestMustParse(t *testing.T) {
	t.Parallel()

	if s, d := tenant.MustParseSchema("acme"), tenant.MustParseDomain("Acme.com"); s.String() != "acme" || d.String() != "acme.com" {
		t.Errorf("MustParse = %q, %q", s, d)
	}
	for name, parse := range map[string]func(){
		"MustParseSchema": func() { tenant.MustParseSchema("pg_x") },
		"MustParseDomain": func() { tenant.MustParseDomain("www.acme.com") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of a bad name: no panic", name)
				}
			}()
			parse()
		}()
	}
}

func FuzzParseSchema(f *testing.F) {
	for _, seed := range []string{"acme", "pg_x", "public", "PUBLIC", "cotenant_1", `a"b`, "é", strings.Repeat("x", 64)} {
		f.Add(seed)
	}
	rule := regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)
	f.Fuzz(func(t *testing.T, name string) {
		s, err := tenant.ParseSchema(name)
		if err != nil {
			if !errors.Is(err, tenant.ErrInvalidSchema) || !s.IsZero() {
				t.Fatalf("ParseSchema(%q) = %q, %v", name, s, err)
			}
			return
		}
		lower := strings.ToLower(name)
		if s.String() != name || !rule.MatchString(name) || strings.HasPrefix(lower, "pg_") ||
			strings.HasPrefix(lower, "cotenant") || lower == "information_schema" || lower == "public" && name != "public" {
			t.Fatalf("ParseSchema(%q) accepted %q", name, s)
		}
	})
}
