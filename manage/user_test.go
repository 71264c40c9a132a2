package manage_test

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/auth"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/manage"
	"github.com/cotenant/cotenant/migrate"
)

// Where users of public may log in at every tenant, they are in no tenant's way, and are
// changed in public alone.
func TestOwnThenShared(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	apps := []migrate.App{auth.App()}
	run := func(input string, args ...string) (string, error) {
		var out strings.Builder
		root := &cobra.Command{Use: "app", SilenceErrors: true, SilenceUsage: true}
		manage.Add(root, manage.Config{Auth: &auth.Config{Where: auth.OwnThenShared}, Tenancy: cotenant.Config{DatabaseURL: address, SharedApps: apps, TenantApps: apps}})
		root.SetOut(&out)
		root.SetErr(&out)
		root.SetIn(strings.NewReader(input))
		root.SetArgs(args)
		err := root.ExecuteContext(t.Context())
		return out.String(), err
	}
	password := "quiet lantern orchard\n"
	for _, step := range []struct {
		args, says string
	}{
		{"migrate", ""},
		{"tenant create acme", ""},
		{"user create-superuser --username=root --schema=public --password-stdin", `superuser "root" created in "public"`},
		{"user create-superuser --username=staff --schema=public --password-stdin", `superuser "staff" created in "public"`},
		{"user create-superuser --username=root --schema=acme --password-stdin", `superuser "root" created in "acme"`},
		{"user password root --schema=acme --password-stdin", `user "root" of "acme" has a new password`},
		{"user password staff --schema=public --password-stdin", `user "staff" of "public" has a new password`},
	} {
		if out, err := run(password, strings.Fields(step.args)...); err != nil || !strings.Contains(out, step.says) {
			t.Fatalf("%s: %s, %v", step.args, out, err)
		}
	}
	for args, want := range map[string]string{
		"user create-superuser --username=Root --schema=acme --password-stdin":   `user name is taken: "root"`,
		"user create-superuser --username=Root --schema=public --password-stdin": `user name is taken: "root"`,
		"user password staff --schema=acme":                                      `user "staff" is not of "acme" but of "public", for all tenants (give --schema=public)`, // before a password is asked for
		"user password nobody --schema=acme":                                     "app user list --schema=acme shows who is there",
	} {
		if out, err := run(password, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v", args, out, err)
		}
	}
}
