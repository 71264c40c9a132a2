package adopt_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cotenant/cotenant/adopt"
	"github.com/cotenant/cotenant/migrate"
)

// What is recorded without having been seen is named: migrations that change rows, or undo
// each other.
func TestUnseen(t *testing.T) {
	t.Parallel()

	files := fstest.MapFS{
		"seed/migrations/0001_rows.sql":    file("SELECT 1"),
		"shop/migrations/0001_begin.sql":   file("SELECT 1"),
		"shop/migrations/0002_initial.sql": file("CREATE TABLE orders (id int PRIMARY KEY)"),
		"shop/migrations/0003_rows.sql":    file("INSERT INTO orders VALUES (1)"),
		"shop/migrations/0004_note.sql":    file("ALTER TABLE orders ADD COLUMN note text"),
		"shop/migrations/0005_drop.sql":    file("ALTER TABLE orders DROP COLUMN note"),
		"shop/migrations/0006_more.sql":    file("ALTER TABLE orders ADD COLUMN more text"),
		"base/migrations/0001_initial.sql": file("CREATE TABLE plans (id int PRIMARY KEY)"),
		"base/migrations/0002_name.sql":    file("ALTER TABLE cotenant.tenants ADD COLUMN name text"),
		"base/migrations/0003_rows.sql":    file("INSERT INTO plans VALUES (1)"),
	}
	d := begin(t, `CREATE TABLE public.plans (id int PRIMARY KEY);
		CREATE SCHEMA a; CREATE TABLE a.orders (id int PRIMARY KEY); CREATE SCHEMA b; CREATE TABLE b.orders (id int PRIMARY KEY, note text);
		CREATE SCHEMA c; CREATE TABLE c.orders (id int PRIMARY KEY, more text)`, migrate.Dirs(files, "base"), migrate.Dirs(files, "seed", "shop"))
	report := d.adopt(&adopt.Options{Source: adopt.Source{Schemas: []string{"?"}}})
	seed := "seed (it leaves nothing in a schema that can be seen; migrate will run it, unless migrate seed --fake records it first); "
	d.same(groups(report), []string{
		"adopted 1 a: " + seed + "shop 0005_drop (migrate will do the rest)",
		"adopted 1 b: " + seed + "shop 0004_note (migrate will do the rest)",
		"adopted 1 c: " + seed + "shop 0006_more",
	})
	for i, want := range []string{"0001_begin 0003_rows 0004_note 0005_drop", "0001_begin 0003_rows", "0001_begin 0003_rows"} {
		if got := strings.Join(report.Groups[i].States[1].Unseen, " "); got != want {
			t.Errorf("%s: %s; want %s", report.Groups[i].Schemas, got, want)
		}
	}
	d.same(report.Unseen(), []string{"base/0003_rows", "shop/0001_begin", "shop/0003_rows", "shop/0004_note", "shop/0005_drop"})
}

// A migration that only creates an extension is recorded where the database has that.
func TestExtensions(t *testing.T) {
	t.Parallel()

	files := fstest.MapFS{
		"base/migrations/0001_initial.sql": file("CREATE TABLE plans (id int PRIMARY KEY)"),
		"base/migrations/0002_trgm.sql":    file(`CREATE EXTENSION IF NOT EXISTS "pg_trgm"`),
		"base/migrations/0003_rows.sql":    file("INSERT INTO plans VALUES (1)"),
	}
	const sql = "CREATE TABLE public.plans (id int PRIMARY KEY); CREATE SCHEMA a;"
	o := &adopt.Options{Source: adopt.Source{Schemas: []string{"a"}}}
	d := begin(t, sql+"CREATE EXTENSION pg_trgm", migrate.Dirs(files, "base"), nil)
	report := d.adopt(o)
	d.same([]string{report.Public[0].String()}, []string{"base 0003_rows"})
	d.same(report.Unseen(), []string{"base/0003_rows"})

	d = begin(t, sql, migrate.Dirs(files, "base"), nil)
	report = d.adopt(o)
	d.same([]string{report.Public[0].String()}, []string{"base 0001_initial (what 0002_trgm grants, revokes or installs is not so; migrate will run it, and those behind it)"})
	d.same(report.Unseen(), nil)
	if err := d.tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.same(d.rows("SELECT extname FROM pg_extension WHERE extname = 'pg_trgm'"), []string{"pg_trgm"})
}

// A migration that only grants or revokes is recorded where that is so, whoever the owner is
// and whatever else is granted.
func TestGranted(t *testing.T) {
	t.Parallel()

	const create = ".orders (id int PRIMARY KEY, note text); "
	d := made(t, "", shops)
	app, other, owner := d.login("SELECT '%s'"), d.login("SELECT '%s'"), d.login("SELECT '%s'")
	d.exec(`CREATE SCHEMA none; CREATE TABLE none` + create + `GRANT SELECT ON none.orders TO ` + other.name + `;
		CREATE SCHEMA granted; CREATE TABLE granted` + create + `GRANT SELECT, DELETE ON granted.orders TO ` + app.name + `; GRANT ALL ON granted.orders TO ` + other.name + `;
		ALTER TABLE granted.orders OWNER TO ` + owner.name + `;
		CREATE SCHEMA own; CREATE TABLE own` + create + `ALTER TABLE own.orders OWNER TO ` + app.name + `; GRANT SELECT (note) ON own.orders TO PUBLIC;
		CREATE SCHEMA "all"; CREATE TABLE "all"` + create + `GRANT SELECT ON "all".orders TO ` + app.name + `; GRANT SELECT (note) ON "all".orders TO PUBLIC`)
	d.config.TenantApps = migrate.Dirs(fstest.MapFS{
		"shop/migrations/0001_initial.sql": file("CREATE TABLE orders (id int PRIMARY KEY, note text)"),
		"shop/migrations/0002_grant.sql":   file("GRANT SELECT, DELETE ON orders TO " + app.name),
		"shop/migrations/0003_revoke.sql":  file("REVOKE DELETE ON orders FROM " + app.name),
		"shop/migrations/0004_rows.sql":    file("SELECT 1"),
		"shop/migrations/0005_column.sql":  file("GRANT SELECT (note) ON orders TO PUBLIC"),
	}, "shop")
	d.open()
	report := d.adopt(&adopt.Options{Source: adopt.Source{Schemas: []string{"*"}}})
	so := func(name string) string {
		return fmt.Sprintf(" (what %s grants, revokes or installs is not so; migrate will run it, and those behind it)", name)
	}
	d.same(groups(report), []string{
		"adopted 2 all,own: shop 0005_column",
		"adopted 1 granted: shop 0002_grant" + so("0003_revoke"),
		"adopted 1 none: shop 0001_initial" + so("0002_grant"),
	})
	d.same(report.Unseen(), []string{"shop/0004_rows"})
	if err := d.tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.same(d.rows("SELECT has_table_privilege('"+app.name+"', 'none.orders', 'SELECT'), has_table_privilege('"+app.name+"', 'granted.orders', 'DELETE')"), []string{"true false"})
}

// What the files write to shared tables is not written while they are built: no sequence
// there counts on. Where a function does, it is said.
func TestSequencesStay(t *testing.T) {
	t.Parallel()

	files := fstest.MapFS{
		"shop/migrations/0001_initial.sql": file("CREATE TABLE orders (id serial PRIMARY KEY)"),
		"shop/migrations/0002_rows.sql": file("INSERT INTO orders DEFAULT VALUES; INSERT INTO plans DEFAULT VALUES; " +
			"WITH more AS (INSERT INTO plans DEFAULT VALUES RETURNING id) SELECT FROM more"),
	}
	const plans = "CREATE TABLE public.plans (id serial PRIMARY KEY); CREATE SCHEMA a; CREATE TABLE a.orders (id serial PRIMARY KEY);"
	d := made(t, plans, files)
	before := d.rows("SELECT last_value, is_called FROM public.plans_id_seq")
	o := &adopt.Options{DryRun: true, Source: adopt.Source{Schemas: []string{"a"}}}
	report := d.adopt(o)
	d.same(d.rows("SELECT last_value, is_called FROM public.plans_id_seq"), before)
	d.same(report.Advanced, nil)

	files["shop/migrations/0003_do.sql"] = file("DO $$ BEGIN INSERT INTO public.plans DEFAULT VALUES; END $$")
	d = made(t, plans, files)
	d.same(d.adopt(o).Advanced, []string{"public.plans_id_seq"})
}

// A statement that changes the registry runs in the end, since its outcome is not in public.
// One that may do something else, too, would do that twice.
func TestRegistryStatements(t *testing.T) {
	t.Parallel()

	const log = "CREATE TABLE log (line text);"
	d := begin(t, accounts+"CREATE TABLE public.log (line text)", shared(log+`
		COMMENT ON TABLE cotenant.tenants IS 'ours';
		ALTER TABLE cotenant.tenants ADD COLUMN name text;
		CREATE UNIQUE INDEX names ON cotenant.tenants (name)`), nil)
	d.adopt(nil)
	d.same(d.rows("SELECT obj_description('cotenant.tenants'::regclass), to_regclass('cotenant.names')::text"), []string{"ours cotenant.names"})

	const do = "DO $$ BEGIN INSERT INTO public.log VALUES ('x'); ALTER TABLE cotenant.tenants ADD COLUMN name text; END $$"
	d = begin(t, accounts+"CREATE TABLE public.log (line text)", shared(log+"\n"+do), nil)
	d.fails(nil, "base/migrations/0001_initial.sql:2: it changes cotenant.tenants or cotenant.domains, and may do more, which would be done again "+
		"(write that as ALTER TABLE cotenant.tenants …, in a statement of its own)\n\t"+do)
	d.fails(&adopt.Options{DryRun: true}, "in a statement of its own")
}
