package migrate_test

import (
	"testing"

	"github.com/cotenant/cotenant/migrate"
)

// What is faked is recorded and does not run, up to a target, and back.
func TestFake(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", shopWithWaysBack("shop")...)
	s.add(t, "acme", "beta")
	for _, tt := range []struct{ target, history string }{
		{"0002", "shop/0001_a* shop/0002_b*"},
		{"0001_a", "shop/0001_a*"},
		{"", "shop/0001_a* shop/0002_b* shop/0003_c*"},
		{"zero", ""},
	} {
		s.migrate(t, migrate.MigrateOptions{App: "shop", Target: tt.target, Fake: true})
		s.is(t, "acme", "", tt.history)
		s.is(t, "beta", "", tt.history)
	}
	// Forgotten and not undone: the tables stay, and no way back is needed.
	s.migrate(t, migrate.MigrateOptions{})
	s.write("shop/migrations/0003_c.sql", "-- +goose Up\nCREATE TABLE c (id int);\n")
	var actions []migrate.Action
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001", Fake: true, RunOptions: migrate.RunOptions{
		Selection: migrate.Selection{Schemas: []string{"acme"}},
		OnResult: func(r migrate.Result) {
			for _, a := range r.Applied {
				actions = append(actions, a.Action)
			}
		},
	}})
	s.is(t, "acme", "a b c", "shop/0001_a")
	if len(actions) != 2 || actions[0] != migrate.Forget || actions[1] != migrate.Forget {
		t.Errorf("actions: %v", actions)
	}
	s.migrate(t, migrate.MigrateOptions{Fake: true})
	s.is(t, "acme", "a b c", "shop/0001_a shop/0002_b* shop/0003_c*")
}

// An app that had schema.sql alone gets migrations: the first is what is there already.
//
//	cotenant migrate shop 0001_initial --fake
func TestAppThatGetsMigrations(t *testing.T) {
	t.Parallel()

	s := newSite(t, "shop", "shop", "shop/schema.sql", "CREATE TABLE a (id int)")
	s.add(t, "acme", "beta")
	s.sync(t, migrate.SyncOptions{})
	s.is(t, "acme", "a", "shop/schema.sql")

	s.write("shop/schema.sql", "CREATE TABLE a (id int); CREATE TABLE b (id int)",
		"shop/migrations/0001_initial.sql", "CREATE TABLE a (id int)", "shop/migrations/0002_b.sql", "CREATE TABLE b (id int)")
	s.add(t, "new")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001_initial", Fake: true})
	for _, schema := range []string{"public", "acme", "beta"} {
		s.is(t, schema, "a", "shop/0001_initial* shop/schema.sql")
	}
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("public", "acme", "beta")})
	for _, schema := range []string{"public", "acme", "beta"} {
		s.is(t, schema, "a b", "shop/0001_initial* shop/0002_b shop/schema.sql")
	}
	s.add(t, "newer")
	s.migrate(t, migrate.MigrateOptions{})
	s.is(t, "newer", "a b", "shop/0001_initial* shop/0002_b* shop/schema.sql")
	if got := column(t, s.conn, "SELECT count(DISTINCT digest)::text FROM cotenant.schema_versions WHERE tenant_id IN (1, 2, 4)"); got[0] != "1" {
		t.Errorf("%s digests of schemas that have the same", got[0])
	}
}

// With FakeInitial the first migration is recorded where its tables are, and runs where
// they are not, in each schema as it is.
func TestFakeInitial(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/migrations/0001_initial.sql", "CREATE TABLE a (id int); CREATE TABLE \"B\" (id int); INSERT INTO a VALUES (1)",
		"shop/migrations/0002_c.sql", "CREATE TABLE c (id int)")
	s.add(t, "with", "without", "half", "decoys", "later")
	execute(t, s.conn, `CREATE TABLE "with".a (id int); CREATE TABLE "with"."B" (id int)`)
	execute(t, s.conn, `CREATE TABLE half.a (id int)`)
	execute(t, s.conn, `CREATE TABLE public.a (id int); CREATE TABLE public."B" (id int); CREATE VIEW decoys.v AS SELECT 1 AS a`)
	execute(t, s.conn, `CREATE TABLE later.a (id int); CREATE TABLE later."B" (id int)`)
	s.migrate(t, migrate.MigrateOptions{Fake: true, App: "shop", Target: "0001", RunOptions: schemas("later")})

	report, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{FakeInitial: true})
	has(t, err, `schema "half"`, `relation "a" already exists`)
	adds(t, report, 4, 1, 0, 1)
	s.is(t, "with", "B a c", "shop/0001_initial* shop/0002_c")
	s.is(t, "without", "B a c", "shop/0001_initial shop/0002_c")
	s.is(t, "half", "a", "")
	s.is(t, "decoys", "B a c", "shop/0001_initial shop/0002_c")
	s.is(t, "later", "B a c", "shop/0001_initial* shop/0002_c")
	if got := column(t, s.conn, `SELECT (SELECT count(*) FROM "with".a) || ' ' || (SELECT count(*) FROM without.a)`); got[0] != "0 1" {
		t.Errorf("rows: %s", got[0])
	}
}

// FakeInitial holds for a first migration whose statements run one by one, and for an app
// that had nothing but its schema.sql before.
func TestFakeInitialOfOthers(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/migrations/0001_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n")
	s.add(t, "t1")
	execute(t, s.conn, "CREATE TABLE t1.a (id int)")
	if report, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{FakeInitial: true}); err != nil || report.Done != 1 {
		t.Errorf("one by one: %v, %v", report, err)
	}
	s.is(t, "t1", "a", "shop/0001_a*")

	s = newSite(t, "", "shop", "shop/schema.sql", "CREATE TABLE a (id int)")
	s.add(t, "t1")
	if _, err := s.fleet(t).Sync(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	s.write("shop/migrations/0001_a.sql", "CREATE TABLE a (id int)")
	if report, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{FakeInitial: true}); err != nil || report.Done != 1 {
		t.Errorf("synced before: %v, %v", report, err)
	}
	s.is(t, "t1", "a", "shop/0001_a* shop/schema.sql")
}
