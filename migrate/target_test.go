package migrate_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/migrate"
)

// shopWithWaysBack are three migrations of an app.
func shopWithWaysBack(app string) []string {
	return []string{
		app + "/migrations/0001_a.sql", goose("CREATE TABLE a (id int)", "DROP TABLE a"),
		app + "/migrations/0002_b.sql", goose("CREATE TABLE b (id int)", "DROP TABLE b"),
		app + "/migrations/0003_c.sql", goose("CREATE TABLE c (id int)", "DROP TABLE c"),
	}
}

// An app goes to a migration, back and forth, in every schema; the others stay.
func TestTarget(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop crm", append(shopWithWaysBack("shop"), "crm/migrations/1_x.sql", "CREATE TABLE x (id int)")...)
	s.add(t, "acme", "beta")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001_a"})
	s.is(t, "acme", "a", "shop/0001_a") // crm is left alone
	s.migrate(t, migrate.MigrateOptions{App: "crm"})
	for _, tt := range []struct {
		target, tables, history string
		done                    int
	}{
		{"0001_a", "a x", "crm/1_x shop/0001_a", 0},
		{"0003", "a b c x", "crm/1_x shop/0001_a shop/0002_b shop/0003_c", 2},
		{"0002", "a b x", "crm/1_x shop/0001_a shop/0002_b", 2},
		{"0002_b", "a b x", "crm/1_x shop/0001_a shop/0002_b", 0},
		{"zero", "x", "crm/1_x", 2},
		{"zero", "x", "crm/1_x", 0},
		{"0002_b", "a b x", "crm/1_x shop/0001_a shop/0002_b", 2},
		{"", "a b c x", "crm/1_x shop/0001_a shop/0002_b shop/0003_c", 2},
		{"0001", "a x", "crm/1_x shop/0001_a", 2},
	} {
		report := s.migrate(t, migrate.MigrateOptions{App: "shop", Target: tt.target})
		adds(t, report, tt.done, 0, 0, 3-tt.done) // public has nothing of it
		for _, schema := range []string{"acme", "beta"} {
			s.is(t, schema, tt.tables, tt.history)
		}
		if t.Failed() {
			t.Fatalf("at target %q", tt.target)
		}
	}
	// What ran is told in its order.
	var applied []migrate.Applied
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0003_c"})
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "zero", RunOptions: migrate.RunOptions{
		Selection: migrate.Selection{Schemas: []string{"acme"}}, OnResult: func(r migrate.Result) { applied = r.Applied },
	}})
	if want := []migrate.Applied{{Action: migrate.Unapply, App: "shop", Name: "0003_c"}, {Action: migrate.Unapply, App: "shop", Name: "0002_b"}, {Action: migrate.Unapply, App: "shop", Name: "0001_a"}}; !slices.Equal(applied, want) {
		t.Errorf("applied: %v, want %v", applied, want)
	}
}

// An app of both lists goes there in public and in the tenants', or where it is selected.
func TestTargetOfAppInBothLists(t *testing.T) {
	t.Parallel()

	s := newSite(t, "shop", "shop", shopWithWaysBack("shop")...)
	s.add(t, "acme")
	s.migrate(t, migrate.MigrateOptions{})
	all := "shop/0001_a shop/0002_b shop/0003_c"
	s.is(t, "public", "a b c", all)
	s.is(t, "acme", "a b c", all)
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001", RunOptions: migrate.RunOptions{Selection: migrate.Selection{Shared: true}}})
	s.is(t, "public", "a", "shop/0001_a")
	s.is(t, "acme", "a b c", all)
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0002"})
	s.is(t, "public", "a b", "shop/0001_a shop/0002_b")
	s.is(t, "acme", "a b", "shop/0001_a shop/0002_b")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "zero", RunOptions: migrate.RunOptions{Selection: migrate.Selection{Tenant: true}}})
	s.is(t, "public", "a b", "shop/0001_a shop/0002_b")
	s.is(t, "acme", "", "")
}

// Migrations that were recorded with schema.sql go back and forth as those that ran.
func TestTargetOfAppWithSchemaFile(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", append(shopWithWaysBack("shop"), "shop/schema.sql", "CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int)")...)
	s.add(t, "acme", "beta")
	s.migrate(t, migrate.MigrateOptions{})
	s.is(t, "acme", "a b c", "shop/0001_a* shop/0002_b* shop/0003_c* shop/schema.sql")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001"})
	s.is(t, "acme", "a", "shop/0001_a* shop/schema.sql")
	s.migrate(t, migrate.MigrateOptions{})
	s.is(t, "acme", "a b c", "shop/0001_a* shop/0002_b shop/0003_c shop/schema.sql")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "zero"})
	s.is(t, "acme", "", "")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0002", RunOptions: schemas("acme")})
	s.is(t, "acme", "a b", "shop/0001_a shop/0002_b")
	s.migrate(t, migrate.MigrateOptions{})
	s.is(t, "acme", "a b c", "shop/0001_a shop/0002_b shop/0003_c")
	s.is(t, "beta", "a b c", "shop/0001_a* shop/0002_b* shop/0003_c* shop/schema.sql")
	if got := column(t, s.conn, "SELECT count(DISTINCT digest)::text FROM cotenant.schema_versions WHERE tenant_id > 0"); got[0] != "1" {
		t.Errorf("%s digests of schemas that have the same", got[0])
	}
	// A migration that is missing below does not leave the record of schema.sql behind.
	execute(t, s.conn, "DELETE FROM beta.cotenant_migrations WHERE name = '0001_a'")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "zero", RunOptions: migrate.RunOptions{Verify: true}})
	s.is(t, "beta", "a", "")
}

// What cannot be is said before anything is touched, in any schema.
func TestTargetRefused(t *testing.T) {
	t.Parallel()

	s := newSite(t, "shop", "shop crm", append(shopWithWaysBack("shop"),
		"shop/migrations/0004_d.sql", "-- +goose Up\nCREATE TABLE d (id int);",
		"crm/schema.sql", "CREATE TABLE x (id int)")...)
	s.add(t, "acme", "beta")
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("acme")})
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0003", RunOptions: schemas("beta", "public")})
	for _, tt := range []struct {
		name        string
		app, target string
		want        []string
	}{
		{"no way back, in one of the schemas", "shop", "0002", []string{"0004_d.sql has no way back", "--fake", `schema "acme"`}},
		{"no way back at all", "shop", "zero", []string{"no way back"}},
		{"unknown app", "shpo", "", []string{`app "shpo"`, `did you mean "shop"?`}},
		{"unknown migration", "shop", "0003_d", []string{`migration "0003_d"`, `did you mean "0003_c"?`}},
		{"a prefix of several", "shop", "000", []string{`migration "000"`, "0001_a, 0002_b, 0003_c, 0004_d"}},
		{"no migrations", "crm", "0001", []string{`app "crm": it has no migrations`}},
		{"without an app", "", "0001", []string{"name the app"}},
	} {
		err := s.fails(t, migrate.MigrateOptions{App: tt.app, Target: tt.target}, tt.want...)
		if err != nil && strings.Contains(err.Error(), `"beta"`) {
			t.Errorf("%v; it names a schema that could be migrated", err)
		}
		if t.Failed() {
			t.Fatalf("at %s", tt.name)
		}
	}
}

// What a target requires of other apps comes first, and stays as long as it is required.
func TestTargetWithRequirements(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop crm",
		"crm/migrations/0001_x.sql", goose("CREATE TABLE x (id int PRIMARY KEY)", "DROP TABLE x"),
		"crm/migrations/0002_y.sql", goose("CREATE TABLE y (id int)", "DROP TABLE y"),
		"shop/migrations/0001_a.sql", goose("CREATE TABLE a (id int)", "DROP TABLE a"),
		"shop/migrations/0002_b.sql", "-- cotenant:requires crm/0001_x\n"+goose("CREATE TABLE b (id int REFERENCES x)", "DROP TABLE b"),
	)
	s.add(t, "acme")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001"})
	s.is(t, "acme", "a", "shop/0001_a")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0002"})
	s.is(t, "acme", "a b x", "crm/0001_x shop/0001_a shop/0002_b") // and not crm/0002_y
	s.fails(t, migrate.MigrateOptions{App: "crm", Target: "zero"}, "shop/0002_b requires crm/0001_x", "take shop back first", `schema "acme"`)
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001"})
	s.migrate(t, migrate.MigrateOptions{App: "crm", Target: "zero"})
	s.is(t, "acme", "a", "shop/0001_a")
	// Without a target an app gets what it requires, too.
	s.migrate(t, migrate.MigrateOptions{App: "shop"})
	s.is(t, "acme", "a b x", "crm/0001_x shop/0001_a shop/0002_b")
}

// What a tenant app requires of a shared app has to be in public: it is not pulled in
// from there, and not taken from under it.
func TestRequirementsOfSharedApps(t *testing.T) {
	t.Parallel()

	s := newSite(t, "plans", "shop",
		"plans/migrations/0001_p.sql", goose("CREATE TABLE plans (id int PRIMARY KEY)", "DROP TABLE plans"),
		"plans/migrations/0002_q.sql", goose("CREATE TABLE q (id int PRIMARY KEY)", "DROP TABLE q"),
		"shop/migrations/0001_a.sql", goose("CREATE TABLE a (id int)", "DROP TABLE a"),
		"shop/migrations/0002_b.sql", "-- cotenant:requires plans/0001_p\n"+goose("CREATE TABLE b (id int)", "DROP TABLE b"),
	)
	s.add(t, "acme")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001"}) // what is not required yet may be missing
	for _, o := range []migrate.MigrateOptions{{App: "shop"}, {App: "shop", Target: "0002"}, {RunOptions: schemas("acme")}, {RunOptions: migrate.RunOptions{Selection: migrate.Selection{SkipPublic: true}}}} {
		s.fails(t, o, "shop/migrations/0002_b.sql requires plans/0001_p", "public", "migrate the shared apps first")
	}
	s.migrate(t, migrate.MigrateOptions{})
	s.is(t, "acme", "a b", "shop/0001_a shop/0002_b")
	s.migrate(t, migrate.MigrateOptions{App: "plans", Target: "0001"})
	s.fails(t, migrate.MigrateOptions{App: "plans", Target: "zero"}, "shop/0002_b requires plans/0001_p", `schema "acme"`)
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001"})
	s.migrate(t, migrate.MigrateOptions{App: "plans", Target: "zero"})
	s.is(t, "public", "", "")
}

// A migration that appears below one that ran runs, or is refused by a setting.
func TestOutOfOrder(t *testing.T) {
	t.Parallel()

	for _, refuse := range []bool{false, true} {
		s := newSite(t, "", "shop", shopWithWaysBack("shop")...)
		s.config.RefuseOutOfOrder = refuse
		second := s.fsys["shop/migrations/0002_b.sql"]
		delete(s.fsys, "shop/migrations/0002_b.sql")
		s.add(t, "acme", "beta")
		s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("acme")})
		s.fsys["shop/migrations/0002_b.sql"] = second
		if !refuse {
			s.migrate(t, migrate.MigrateOptions{})
			s.is(t, "acme", "a b c", "shop/0001_a shop/0002_b shop/0003_c")
			continue
		}
		s.fails(t, migrate.MigrateOptions{}, "0002_b.sql has not run and 0003_c, which is newer, has", `schema "acme"`, "out_of_order")
		s.fails(t, migrate.MigrateOptions{App: "shop", Target: "0003"}, "0002_b.sql has not run")
		s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("beta")})
		s.is(t, "beta", "a b c", "shop/0001_a shop/0002_b shop/0003_c")
	}
}

// A way back that fails leaves its schema where it was, and the others go.
func TestWayBackThatFails(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", shopWithWaysBack("shop")...)
	s.add(t, "acme", "beta")
	s.migrate(t, migrate.MigrateOptions{})
	execute(t, s.conn, "CREATE VIEW acme.v AS SELECT * FROM acme.b")
	report, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{App: "shop", Target: "zero"})
	adds(t, report, 1, 1, 0, 1)
	var failed *migrate.RunError
	if !errors.As(err, &failed) {
		t.Fatalf("Migrate: %v", err)
	}
	has(t, err, "shop/migrations/0002_b.sql:4", `schema "acme"`, "other objects depend on it")
	s.is(t, "acme", "a b", "shop/0001_a shop/0002_b") // 0003 went
	s.is(t, "beta", "", "")
}
