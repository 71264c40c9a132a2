package migrate_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/migrate"
)

// noScratch fails if a scratch schema was left.
func (s *site) noScratch(t *testing.T) {
	t.Helper()
	if got := column(t, s.conn, "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE '%scratch%'"); len(got) > 0 {
		t.Errorf("scratch schemas: %q", got)
	}
}

// differs collects what differs by schema.
func differs(into map[string][]string) migrate.RunOptions {
	return migrate.RunOptions{OnResult: func(r migrate.Result) {
		if len(r.Differs) > 0 {
			into[r.Schema.String()] = r.Differs
		}
	}}
}

// The fleet gets what a schema.sql has more; what there is stays as it is.
func TestSync(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop crm",
		"base/schema.sql", "CREATE TABLE plans (id int PRIMARY KEY)",
		"shop/schema.sql", "CREATE TABLE products (id int PRIMARY KEY, name text)",
		"crm/schema.sql", "CREATE TABLE people (id int REFERENCES products)")
	s.add(t, "acme", "beta")
	report := s.sync(t, migrate.SyncOptions{})
	adds(t, report, 3, 0, 0, 0)
	execute(t, s.conn, "INSERT INTO acme.products VALUES (1, 'one')")
	adds(t, s.sync(t, migrate.SyncOptions{}), 0, 0, 0, 3)

	s.write("base/schema.sql", "CREATE TABLE plans (id int PRIMARY KEY); CREATE TABLE coupons (id int)",
		"shop/schema.sql", `CREATE TYPE size AS ENUM ('s', 'm');
CREATE TABLE products (id int PRIMARY KEY, name varchar(40));
ALTER TABLE products ADD COLUMN size size DEFAULT 's';
CREATE INDEX ON products (name);
CREATE TABLE stock (product int REFERENCES products, plan int REFERENCES plans);
CREATE VIEW small AS SELECT * FROM products WHERE size = 's';
COMMENT ON TABLE stock IS 'what is there';`)
	got := map[string][]string{}
	s.add(t, "fresh")
	report = s.sync(t, migrate.SyncOptions{RunOptions: differs(got)})
	adds(t, report, 4, 0, 0, 0)
	s.is(t, "public", "coupons plans", "base/schema.sql")
	for _, schema := range []string{"acme", "beta", "fresh"} {
		s.is(t, schema, "people products stock", "crm/schema.sql shop/schema.sql")
		if d := got[schema]; (len(d) > 0) == (schema == "fresh") || schema != "fresh" && !strings.Contains(strings.Join(d, "\n"), "name") {
			t.Errorf("%s differs: %q", schema, d)
		}
	}
	if got := column(t, s.conn, "SELECT name || size FROM acme.small"); !slices.Equal(got, []string{"ones"}) {
		t.Errorf("acme: %q", got)
	}
	if got := column(t, s.conn, "SELECT count(*)::text FROM pg_indexes WHERE schemaname = 'acme' AND tablename = 'products'"); got[0] != "2" {
		t.Errorf("%s indexes", got[0])
	}
	s.noScratch(t)
	before := s.snapshot(t, true)
	adds(t, s.sync(t, migrate.SyncOptions{}), 0, 0, 0, 4)
	s.unchanged(t, before, true)
}

// Apps with migrations are left to migrate and named, or follow, in each schema after its
// sync; Migrate names those that it leaves.
func TestSyncAndMigrate(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop crm both",
		"base/migrations/1_p.sql", "CREATE TABLE p (id int)",
		"shop/schema.sql", "CREATE TABLE a (id int)",
		"crm/migrations/1_x.sql", "CREATE TABLE x AS SELECT * FROM a",
		"both/schema.sql", "CREATE TABLE c (id int)", "both/migrations/1_c.sql", "CREATE TABLE c (id int)")
	s.add(t, "acme")
	report := s.sync(t, migrate.SyncOptions{})
	if want := []string{"base", "crm", "both"}; !slices.Equal(report.LeftToMigrate, want) || report.LeftToSync != nil {
		t.Errorf("left: %q, %q, want %q and none", report.LeftToMigrate, report.LeftToSync, want)
	}
	s.is(t, "public", "", "")
	s.is(t, "acme", "a", "shop/schema.sql")
	s.add(t, "beta")
	report = s.sync(t, migrate.SyncOptions{Migrate: true})
	if report.LeftToMigrate != nil || report.LeftToSync != nil {
		t.Errorf("left: %q, %q", report.LeftToMigrate, report.LeftToSync)
	}
	adds(t, report, 3, 0, 0, 0)
	s.is(t, "public", "p", "base/1_p")
	for _, schema := range []string{"acme", "beta"} {
		s.is(t, schema, "a c x", "both/1_c* both/schema.sql crm/1_x shop/schema.sql")
	}
	s.write("shop/schema.sql", "CREATE TABLE a (id int); CREATE TABLE b (id int)")
	report = s.migrate(t, migrate.MigrateOptions{})
	if want := []string{"shop"}; !slices.Equal(report.LeftToSync, want) || report.LeftToMigrate != nil {
		t.Errorf("left: %q, %q, want none and %q", report.LeftToMigrate, report.LeftToSync, want)
	}
	adds(t, report, 0, 0, 0, 3)
}

// A schema that was there before cotenant is synced: what it has is taken as it is. What
// public has of the same name is not the schema's.
func TestSyncOfAdoptedSchemas(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop crm",
		"shop/schema.sql", "CREATE TABLE a (id serial PRIMARY KEY, name text NOT NULL);\nCREATE TABLE b (a int REFERENCES a);\nINSERT INTO a (name) VALUES ('first');\nCREATE INDEX a_name ON a (name);",
		"crm/schema.sql", "CREATE TABLE x (b int);\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';")
	s.add(t, "some", "none", "other")
	execute(t, s.conn, `CREATE TABLE "some".a (id serial PRIMARY KEY, name text NOT NULL); INSERT INTO "some".a (name) VALUES ('mine')`)
	execute(t, s.conn, "CREATE TABLE other.a (id int PRIMARY KEY, more int)")
	execute(t, s.conn, "CREATE TABLE public.a (id int); CREATE TABLE public.b (id int); CREATE TABLE public.x (id int); CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 2'")
	got := map[string][]string{}
	report := s.sync(t, migrate.SyncOptions{RunOptions: differs(got)})
	adds(t, report, 3, 0, 0, 1)
	if d := strings.Join(got["other"], "\n"); !strings.Contains(d, "name") || !strings.Contains(d, "a_name") || !strings.HasPrefix(d, "shop: ") {
		t.Errorf("other differs: %s", d)
	}
	s.is(t, "some", "a b x", "crm/schema.sql shop/schema.sql")
	s.is(t, "none", "a b x", "crm/schema.sql shop/schema.sql")
	if rows := column(t, s.conn, "SELECT name FROM \"some\".a UNION ALL SELECT name FROM \"none\".a"); !slices.Equal(rows, []string{"mine", "first"}) {
		t.Errorf("rows: %q", rows)
	}
	if len(got["some"]) > 0 || len(got["none"]) > 0 {
		t.Errorf("differs: %q", got)
	}
	s.is(t, "other", "a b x", "crm/schema.sql shop/schema.sql")
	s.noScratch(t)
	if got := column(t, s.conn, "SELECT count(*)::text FROM pg_attribute WHERE attrelid IN ('public.a'::regclass, 'public.b'::regclass, 'public.x'::regclass) AND attnum > 0"); got[0] != "3" {
		t.Errorf("public's tables have %s columns", got[0])
	}
}

// A schema.sql that PostgreSQL refuses is named with its line; nothing is touched.
func TestSyncOfBrokenFile(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/schema.sql", "CREATE TABLE a (id int)")
	s.add(t, "acme", "beta")
	s.sync(t, migrate.SyncOptions{})
	s.write("shop/schema.sql", "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\nCREATE TABLE c (\n\tid itn\n);")
	before := s.snapshot(t, false)
	_, err := s.fleet(t).Sync(t.Context(), nil)
	has(t, err, "shop/schema.sql:4", `type "itn" does not exist`)
	var stmtErr *migrate.StatementError
	if !errors.As(err, &stmtErr) {
		t.Errorf("%v is no StatementError", err)
	}
	s.unchanged(t, before, false)
	s.noScratch(t)
	s.add(t, "fresh") // where the file runs as it stands
	report, err := s.fleet(t).Sync(t.Context(), &migrate.SyncOptions{RunOptions: schemas("fresh")})
	has(t, err, "shop/schema.sql:4", `schema "fresh"`)
	adds(t, report, 0, 1, 0, 0)
	s.is(t, "fresh", "", "")
}

// With Verify what was synced before is compared again: what was dropped by hand comes
// back.
func TestSyncVerify(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/schema.sql", "CREATE TABLE a (id int); CREATE TABLE b (id int)")
	s.add(t, "acme", "beta")
	s.sync(t, migrate.SyncOptions{})
	execute(t, s.conn, "DROP TABLE acme.b")
	adds(t, s.sync(t, migrate.SyncOptions{}), 0, 0, 0, 3)
	got := map[string][]string{}
	options := differs(got)
	options.Verify = true
	adds(t, s.sync(t, migrate.SyncOptions{RunOptions: options}), 1, 0, 0, 2)
	s.is(t, "acme", "a b", "shop/schema.sql")
	adds(t, s.sync(t, migrate.SyncOptions{RunOptions: options}), 0, 0, 0, 3)
	if len(got) > 0 {
		t.Errorf("differs: %q", got)
	}
	s.noScratch(t)
}

// What sync does in a schema is done whole or not at all.
func TestSyncThatFails(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/schema.sql", "CREATE TABLE a (id int)")
	s.add(t, "acme", "beta")
	s.sync(t, migrate.SyncOptions{})
	execute(t, s.conn, "INSERT INTO acme.a VALUES (1), (1)")
	s.write("shop/schema.sql", "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\nCREATE UNIQUE INDEX one ON a (id);")
	report, err := s.fleet(t).Sync(t.Context(), nil)
	has(t, err, "shop/schema.sql:3", `schema "acme"`, "could not create unique index")
	adds(t, report, 1, 1, 0, 1)
	s.is(t, "acme", "a", "shop/schema.sql")
	s.is(t, "beta", "a b", "shop/schema.sql")
	execute(t, s.conn, "TRUNCATE acme.a")
	adds(t, s.sync(t, migrate.SyncOptions{}), 1, 0, 0, 2)
	s.is(t, "acme", "a b", "shop/schema.sql")
}

// The shared apps are synced in public, beside whatever else stands there.
func TestSyncOfPublic(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "", "base/schema.sql", "CREATE TABLE plans (id int); CREATE TABLE coupons (id int)")
	execute(t, s.conn, "CREATE TABLE public.plans (id int); CREATE TABLE public.mine (id int)")
	report := s.sync(t, migrate.SyncOptions{RunOptions: migrate.RunOptions{Selection: migrate.Selection{Shared: true}}})
	adds(t, report, 1, 0, 0, 0)
	s.is(t, "public", "coupons mine plans", "base/schema.sql")
	s.noScratch(t)
}
