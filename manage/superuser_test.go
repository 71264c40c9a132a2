package manage_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/internal/testdb"
)

// What was not given is asked for: the password twice, and never shown.
func TestSuperuserPrompts(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address)
	if err := os.WriteFile(filepath.Join(dir, "cotenant.toml"), []byte("tenant_apps = [\"auth\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"migrate", "--shared"}, {"tenant", "create", "acme"}} {
		if out, err := cotenantIn(t, dir, address, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	shown := converse(
		t, cotenantIn(t, dir, address, "create_tenant_superuser"),
		turn{"Schema of the tenant (? lists them): ", "?\r"}, turn{"acme", ""}, turn{"(? lists them): ", "acme\r"},
		turn{"Username", "a b\r"}, turn{"invalid user name", ""}, turn{"Username", "Boss\r"},
		turn{"Email (empty for none): ", "boss\r"}, turn{"invalid email address", ""}, turn{"Email (empty for none): ", "\r"},
		turn{"Password: ", "short\r"}, turn{"the password is too short", ""},
		turn{"Password: ", "passwordpassword\r"}, turn{"the password is too common", ""},
		turn{"Password: ", "quiet lantern orchard\r"}, turn{"Password (again): ", "quiet lantern\r"}, turn{"the two are not the same", ""},
		turn{"Password: ", "quiet lantern orchard\r"}, turn{"Password (again): ", "quiet lantern orchard\r"},
	)
	if !strings.HasSuffix(shown, "superuser \"boss\" created in \"acme\"\r\n") || strings.Contains(shown, "lantern") {
		t.Errorf("shown:\n%s", shown)
	}
	shown = converse(
		t, cotenantIn(t, dir, address, "createsuperuser", "--schema=acme"),
		turn{"Username", "BOSS\r"}, turn{"user name is taken", ""}, turn{"Username", "\x03"},
	)
	if !strings.HasSuffix(shown, "interrupted: nothing was changed\r\n") {
		t.Errorf("shown:\n%s", shown)
	}

	// Nothing is made before all is answered.
	create := func(turns ...turn) string {
		return converse(t, cotenantIn(t, dir, address, "create_tenant", "--schema_name=globex", "-s"), append([]turn{{"domain_url", "\r"}, {"Username", "ada\r"}, {"Email", "\r"}}, turns...)...)
	}
	shown = create(turn{"Password: ", "\x04"})
	if !strings.HasSuffix(shown, "interrupted: nothing was changed\r\n") {
		t.Errorf("shown:\n%s", shown)
	}
	shown = converse(
		t, cotenantIn(t, dir, address, "create_tenant", "--schema_name=acme", "--domain_url=globex.example.com", "-s", "--superuser-username=ada"),
		turn{`taken by tenant "acme"`, ""}, turn{"schema_name: ", "\x04"}, // before its superuser is asked about
	)
	if strings.Contains(shown, "Password") {
		t.Errorf("shown:\n%s", shown)
	}
	shown = create(turn{"Password: ", "quiet lantern orchard\r"}, turn{"Password (again): ", "quiet lantern orchard\r"})
	if !strings.HasSuffix(shown, "tenant \"globex\" created\r\nsuperuser \"ada\" created in \"globex\"\r\n") {
		t.Errorf("shown:\n%s", shown)
	}
	// Where the schema is asked for anew, so is whether it has a place for users.
	if _, err := connect(t, address).Exec(t.Context(), "CREATE SCHEMA held"); err != nil {
		t.Fatal(err)
	}
	shown = converse(
		t, cotenantIn(t, dir, address, "create_tenant", "-s", "--superuser-username=ada", "--superuser-email="),
		turn{"schema_name: ", "public\r"}, turn{"public has no users", ""}, turn{"schema_name: ", "held\r"}, turn{"domain_url", "\r"},
		turn{"Password: ", "quiet lantern orchard\r"}, turn{"Password (again): ", "quiet lantern orchard\r"},
		turn{"schema_name: ", "public\r"}, turn{"public has no users", ""}, turn{"schema_name: ", "initech\r"}, turn{"domain_url", "\r"},
	)
	if !strings.HasSuffix(shown, "tenant \"initech\" created\r\nsuperuser \"ada\" created in \"initech\"\r\n") {
		t.Errorf("shown:\n%s", shown)
	}
	shown = converse(
		t, cotenantIn(t, dir, address, "changepassword", "ada", "--schema=globex"),
		turn{"Password: ", "staple of a kind\r"}, turn{"Password (again): ", "staple of a kind\r"},
	)
	if !strings.HasSuffix(shown, "user \"ada\" of \"globex\" has a new password\r\n") {
		t.Errorf("shown:\n%s", shown)
	}

	// Public has a place for users, and perhaps one of that name.
	if err := os.WriteFile(filepath.Join(dir, "cotenant.toml"), []byte("shared_apps = [\"auth\"]\ntenant_apps = [\"auth\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := cotenantIn(t, dir, address, "migrate", "--shared").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	root := cotenantIn(t, dir, address, "createsuperuser", "--schema=public", "--username=root", "--password-stdin")
	if root.Stdin = strings.NewReader("quiet lantern orchard\n"); root.Run() != nil {
		t.Fatal("there is no superuser of public")
	}
	shown = converse(
		t, cotenantIn(t, dir, address, "create_tenant", "--schema_name=held", "-s", "--superuser-username=root", "--superuser-email="), turn{"domain_url", "\r"},
		turn{"Password: ", "quiet lantern orchard\r"}, turn{"Password (again): ", "quiet lantern orchard\r"},
		turn{"schema_name: ", "public\r"}, turn{"user name is taken", ""}, turn{"schema_name: ", "umbrella\r"}, turn{"domain_url", "\r"},
	)
	if !strings.HasSuffix(shown, "tenant \"umbrella\" created\r\nsuperuser \"root\" created in \"umbrella\"\r\n") {
		t.Errorf("shown:\n%s", shown)
	}
}
