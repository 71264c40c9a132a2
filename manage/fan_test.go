package manage_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/manage"
)

// A row that is no good is told in its turn: not while the call for the tenant before it
// writes.
func TestBadRowInTurn(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	project(t, address, "acme", "globex")
	for _, sql := range []string{
		"ALTER TABLE cotenant.tenants DROP CONSTRAINT cotenant_schema_name_check",
		"UPDATE cotenant.tenants SET schema_name = 'Bad Name' WHERE schema_name = 'globex'",
	} {
		if _, err := connect(t, address).Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var stderr bytes.Buffer // which the race detector watches
	code := manage.Main(manage.Config{
		Args: []string{"write", "--skip-public"}, Stderr: &stderr, Stdout: &stderr,
		Tenancy: cotenant.Config{DatabaseURL: address},
		TenantCommands: []manage.TenantCommand{{
			Name: "write",
			Run: func(ctx context.Context, call *manage.TenantCall) error {
				for i := range 20 {
					if _, err := call.Tenancy.DB().Exec(ctx, "SELECT 1"); err != nil {
						return err
					}
					fmt.Fprintln(call.Stderr, "line", i)
				}
				return nil
			},
		}},
	})
	text := stderr.String()
	if end, bad := strings.Index(text, "line 19\n"), strings.Index(text, "Bad Name"); code != 1 || end < 0 || bad < end {
		t.Errorf("status %d\n%s", code, text)
	}
}
