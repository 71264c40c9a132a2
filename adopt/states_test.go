package adopt_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/adopt"
	"github.com/cotenant/cotenant/migrate"
)

// A system without a table of tenants: schemas by pattern, domains by another.
func TestSchemasByPattern(t *testing.T) {
	t.Parallel()

	d := made(t, `CREATE SCHEMA tenant_a; CREATE TABLE tenant_a`+orders+`CREATE SCHEMA "tenant_B"; CREATE TABLE "tenant_B".orders (id int PRIMARY KEY);
		CREATE SCHEMA tenant_c; CREATE SCHEMA other; CREATE TABLE other`+orders, shops)
	o := &adopt.Options{Source: adopt.Source{Schemas: []string{"tenant_*"}, DomainPattern: "{schema}.example.com"}}
	report := d.adopt(o)
	d.same(groups(report), []string{
		"adopted 1 tenant_B: shop 0001_initial (migrate will do the rest)",
		"adopted 1 tenant_a: shop 0002_note",
		"adopted 1 tenant_c: shop (nothing of it is there; migrate or sync will make it)",
	})
	d.same(d.rows("SELECT domain FROM cotenant.domains ORDER BY 1"), []string{"tenant_a.example.com", "tenant_b.example.com", "tenant_c.example.com"})
	if err := d.tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if drift, err := d.tenancy.Drift(t.Context(), nil, nil); err != nil || drift.Same != 3 {
		t.Errorf("%+v, %v", drift, err)
	}
}

// A view or a sequence has the name of an app's table: migrate could not make that.
func TestNameTaken(t *testing.T) {
	t.Parallel()

	d := made(t, `CREATE SCHEMA a; CREATE VIEW a.orders AS SELECT 1 AS id; CREATE SCHEMA b; CREATE SEQUENCE b.orders; CREATE SCHEMA c; CREATE VIEW c.things AS SELECT 1 AS id; CREATE SCHEMA d; CREATE TYPE d.orders AS ENUM ()`, shops)
	d.same(groups(d.adopt(&adopt.Options{Source: adopt.Source{Schemas: []string{"*"}}})), []string{
		"left 1 a: shop differs, and is nearest to 0002_note; - table orders (and 3 objects of it); + view orders AS SELECT 1 AS id;",
		"left 1 b: shop differs, and is nearest to 0002_note; + sequence orders AS bigint START 1 INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1; - table orders (and 3 objects of it)",
		"adopted 1 c: shop (nothing of it is there; migrate or sync will make it)",
		"left 1 d: shop differs, and is nearest to 0002_note; - table orders (and 3 objects of it); + type orders AS ENUM ()",
	})
}

// The newest state that is the same is recorded, of each app for itself; a state from which
// something is missing, or of which something of a later one is there, is none.
func TestStates(t *testing.T) {
	t.Parallel()

	files := fstest.MapFS{
		"shop/schema.sql":                  file("CREATE TABLE orders (id int PRIMARY KEY, note text NOT NULL DEFAULT ''); CREATE INDEX orders_note ON orders (note); CREATE TYPE mood AS ENUM ('sad', 'ok')"),
		"shop/migrations/0001_initial.sql": file("CREATE TABLE orders (id int PRIMARY KEY); CREATE TYPE mood AS ENUM ('sad')"),
		"shop/migrations/0002_note.sql":    file("ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT ''; ALTER TYPE mood ADD VALUE 'ok'"),
		"shop/migrations/0003_rows.sql":    file("UPDATE orders SET note = 'none' WHERE note = ''"),
		"shop/migrations/0004_index.sql":   file("CREATE INDEX CONCURRENTLY orders_note ON orders (note)"),
		"blog/schema.sql":                  file("CREATE TABLE posts (id int PRIMARY KEY, about int REFERENCES orders)"),
	}
	first := ".orders (id int PRIMARY KEY); "
	second := ".orders (id int PRIMARY KEY, note text NOT NULL DEFAULT ''); "
	d := begin(t, `CREATE SCHEMA s1; CREATE TABLE s1`+first+`CREATE TYPE s1.mood AS ENUM ('sad');
		CREATE SCHEMA s2; CREATE TABLE s2`+second+`CREATE TYPE s2.mood AS ENUM ('sad', 'ok'); CREATE TABLE s2.posts (id int PRIMARY KEY, about int REFERENCES s2.orders);
		CREATE SCHEMA s4; CREATE TABLE s4`+second+`CREATE TYPE s4.mood AS ENUM ('sad', 'ok'); CREATE INDEX orders_note ON s4.orders (note); CREATE TABLE s4.extra (id int);
		CREATE SCHEMA half; CREATE TABLE half`+second+`CREATE TYPE half.mood AS ENUM ('sad');
		CREATE SCHEMA early; CREATE TABLE early`+first+`CREATE TYPE early.mood AS ENUM ('sad'); CREATE INDEX orders_note ON early.orders (id)`, nil, migrate.Dirs(files, "shop", "blog"))
	report := d.adopt(&adopt.Options{Source: adopt.Source{Schemas: []string{"*"}}})
	d.same(groups(report), []string{
		"left 1 early: shop differs, and is nearest to 0001_initial; + index orders_note ON orders USING btree (id); blog (nothing of it is there; migrate or sync will make it)",
		"left 1 half: shop differs, and is nearest to 0003_rows; ~ type mood: AS ENUM ('sad', 'ok') → AS ENUM ('sad'); blog (nothing of it is there; migrate or sync will make it)",
		"adopted 1 s1: shop 0001_initial (migrate will do the rest); blog (nothing of it is there; migrate or sync will make it)",
		"adopted 1 s2: shop 0003_rows (migrate will do the rest); blog schema.sql",
		"adopted 1 s4: shop 0004_index; blog (nothing of it is there; migrate or sync will make it)",
	})
	if n := report.Extra["table extra"]; n != 1 || len(report.Extra) != 1 {
		t.Errorf("%v", report.Extra)
	}
	if err := d.tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.same(d.rows("SELECT t.schema_name, v.digest = (SELECT digest FROM cotenant.schema_versions WHERE tenant_id = t.id) FROM cotenant.tenants AS t JOIN cotenant.schema_versions AS v ON v.tenant_id = t.id ORDER BY 1"),
		[]string{"s1 true", "s2 true", "s4 true"})
	if drift, err := d.tenancy.Drift(t.Context(), nil, nil); err != nil || drift.Same != 2 || drift.Differ != 1 { // s4 has a table beyond the apps
		t.Errorf("%+v, %v", drift, err)
	}
}

// Where the migrations stand on tables that no file makes, the newest state is known by
// schema.sql.
func TestMigrationsFromNothing(t *testing.T) {
	t.Parallel()

	d := made(t, `CREATE SCHEMA a; CREATE TABLE a`+orders, fstest.MapFS{
		"shop/schema.sql":               file("CREATE TABLE orders (id int PRIMARY KEY, note text)"),
		"shop/migrations/0001_note.sql": file("ALTER TABLE orders ADD COLUMN note text"),
	})
	report := d.adopt(&adopt.Options{Source: adopt.Source{Schemas: []string{"a"}}})
	d.same(d.registered(), []string{"1 a - shop/0001_note"})
	if report.Partial == nil {
		t.Error("it is not said that the older states are not known")
	}
}

// However many schemas have something else, each is told; the report keeps some, and says of
// how many it does not. What was recorded without having been seen is told of all.
func TestManyDiffer(t *testing.T) {
	t.Parallel()

	const differ = 1005
	d := made(t, `CREATE SCHEMA z; CREATE TABLE z.orders (id int PRIMARY KEY, note text); DO $$ BEGIN FOR i IN 1..`+strconv.Itoa(differ)+` LOOP
		EXECUTE format('CREATE SCHEMA a%s; CREATE TABLE a%1$s.orders (c%1$s int); CREATE TABLE a%1$s.extra%1$s ()', i); END LOOP; END $$`, fstest.MapFS{
		"shop/migrations/0001_initial.sql": file("CREATE TABLE orders (id int PRIMARY KEY, note text)"),
		"shop/migrations/0002_rows.sql":    file("UPDATE orders SET note = 'none' WHERE note IS NULL"),
	})
	told := map[string]bool{}
	report := d.adopt(&adopt.Options{Source: adopt.Source{Schemas: []string{"*"}}, OnSchema: func(r adopt.Result) {
		if r.Name == "z" || r.Outcome == adopt.Left && len(r.States[0].Differences) > 0 && slices.Equal(r.Extra, []string{"table extra" + r.Name[1:]}) {
			told[r.Name] = true
		}
	}})
	if report.Left != differ || report.Adopted != 1 || len(told) != differ+1 || len(report.Groups) != 1000 || report.Ungrouped != differ+1-1000 || !report.ExtraMore {
		t.Errorf("%d left, %d adopted, %d told, %d groups, %d in none", report.Left, report.Adopted, len(told), len(report.Groups), report.Ungrouped)
	}
	d.same(report.Unseen(), []string{"shop/0002_rows"})
}

// A schema that has its history already is not taken for one that has the same tables and
// none; and a tenant's schema is not one that nobody knows of.
func TestHistoryThere(t *testing.T) {
	t.Parallel()

	d := made(t, accounts+"CREATE SCHEMA a; CREATE TABLE a"+orders+"CREATE SCHEMA b; CREATE TABLE b"+orders+`CREATE SCHEMA lost;
		INSERT INTO public.accounts VALUES (1, 'a', 'a.example'), (2, 'b', 'b.example')`, shops)
	d.adopt(&adopt.Options{Only: []string{"a"}})
	d.exec("DELETE FROM cotenant.tenants")
	d.exec("CREATE SCHEMA mine; INSERT INTO cotenant.tenants (schema_name) VALUES ('mine')")
	report := d.adopt(&adopt.Options{Jobs: 1})
	d.same(groups(report), []string{"adopted 1 a: shop (recorded before)", "adopted 1 b: shop 0002_note"})
	const recorded = "shop/0001_initial,shop/0002_note"
	d.same([]string{d.recorded("a"), d.recorded("b")}, []string{recorded, recorded})
	d.same(report.RowlessNames, []string{"lost"})
}

// What a later app does to the tables of another belongs to the newest state of that.
func TestAppChangesAnother(t *testing.T) {
	t.Parallel()

	d := begin(t, `CREATE SCHEMA a; CREATE TABLE a.orders (id int PRIMARY KEY); CREATE TABLE a.posts (id int);
		CREATE SCHEMA b; CREATE TABLE b.orders (id int PRIMARY KEY, post int); CREATE TABLE b.posts (id int)`, nil, migrate.Dirs(fstest.MapFS{
		"shop/migrations/0001_initial.sql": file("CREATE TABLE orders (id int PRIMARY KEY)"),
		"blog/migrations/0001_initial.sql": file("CREATE TABLE posts (id int)"),
		"blog/migrations/0002_post.sql":    file("ALTER TABLE orders ADD COLUMN post int"),
	}, "shop", "blog"))
	report := d.adopt(&adopt.Options{Source: adopt.Source{Schemas: []string{"b"}}})
	d.same(groups(report), []string{"adopted 1 b: shop 0001_initial; blog 0002_post"})
}

// Django writes identity columns since its version 4.1, and leaves the serial ones of older
// tables. A last migration that changes them tells such schemas apart, and brings them up:
// docs/from-django.md has it.
func TestSerialAndIdentity(t *testing.T) {
	t.Parallel()

	const identity = `ALTER TABLE "myapp_product" ALTER COLUMN "id" DROP DEFAULT;
DROP SEQUENCE "myapp_product_id_seq";
ALTER TABLE "myapp_product" ALTER COLUMN "id" ADD GENERATED BY DEFAULT AS IDENTITY;
SELECT setval(pg_get_serial_sequence('myapp_product', 'id'), coalesce(max("id"), 0) + 1, false) FROM "myapp_product";
`
	page, err := os.ReadFile("../docs/from-django.md")
	if err != nil || !strings.Contains(string(page), "\n"+identity+"```") {
		t.Errorf("it is not in the page: %v", err)
	}
	const schemas = `CREATE SCHEMA old; CREATE TABLE old.myapp_product (id serial NOT NULL PRIMARY KEY, name varchar(200) NOT NULL); INSERT INTO old.myapp_product (name) VALUES ('Comb'), ('Brush');
		CREATE SCHEMA new; CREATE TABLE new.myapp_product (id integer NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, name varchar(200) NOT NULL); INSERT INTO new.myapp_product (name) VALUES ('Comb')`
	all := adopt.Source{Schemas: []string{"*"}}
	d := begin(t, schemas, nil, migrate.Dirs(fstest.MapFS{
		"myapp/migrations/0001_initial.sql": file(`CREATE TABLE "myapp_product" ("id" integer NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, "name" varchar(200) NOT NULL)`),
	}, "myapp"))
	d.same(groups(d.adopt(&adopt.Options{DryRun: true, Source: all})), []string{
		"adopted 1 new: myapp 0001_initial",
		"left 1 old: myapp differs, and is nearest to 0001_initial; ~ column myapp_product.id: integer NOT NULL GENERATED BY DEFAULT AS IDENTITY → integer NOT NULL DEFAULT nextval('myapp_product_id_seq'::regclass)",
	})

	d = begin(t, schemas, nil, migrate.Dirs(fstest.MapFS{
		"myapp/migrations/0001_initial.sql":  file(`CREATE TABLE "myapp_product" ("id" serial NOT NULL PRIMARY KEY, "name" varchar(200) NOT NULL)`),
		"myapp/migrations/0002_identity.sql": file(identity),
	}, "myapp"))
	report := d.adopt(&adopt.Options{Source: all})
	d.same(groups(report), []string{"adopted 1 new: myapp 0002_identity", "adopted 1 old: myapp 0001_initial (migrate will do the rest)"})
	if err := d.tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if drift, err := d.tenancy.Drift(t.Context(), nil, nil); err != nil || drift.Same != 2 {
		t.Errorf("%+v, %v", drift, err)
	}
	d.same(d.rows("INSERT INTO old.myapp_product (name) VALUES ('Mirror') RETURNING id"), []string{"3"})
	d.same(d.rows("INSERT INTO new.myapp_product (name) VALUES ('Mirror') RETURNING id"), []string{"2"})
}

// Apps in Go are built as others are.
func TestMigrationInGo(t *testing.T) {
	t.Parallel()

	d := begin(t, `CREATE SCHEMA a; CREATE TABLE a`+orders, nil, []migrate.App{{Name: "shop", Migrations: []migrate.Migration{
		{Name: "0001_initial", SQL: "CREATE TABLE orders (id int PRIMARY KEY)"},
		{Name: "0002_note", Up: func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "ALTER TABLE orders ADD COLUMN note text")
			return err
		}},
	}}})
	d.adopt(&adopt.Options{Source: adopt.Source{Schemas: []string{"a"}}})
	d.same(d.registered(), []string{"1 a - shop/0001_initial,shop/0002_note"})
}

// Several that adopt at once do the work once.
func TestAtOnce(t *testing.T) {
	t.Parallel()

	sql := accounts
	for i := range 20 {
		sql += fmt.Sprintf("CREATE SCHEMA t%d; CREATE TABLE t%[1]d.orders (id int PRIMARY KEY); INSERT INTO public.accounts VALUES (%[1]d + 1, 't%[1]d', 't%[1]d.example');", i)
	}
	d := made(t, sql, shops)
	if err := d.tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var adopted, there int
	var mu sync.Mutex
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			report, err := d.tenancy.Adopt(t.Context(), &adopt.Options{Jobs: 2})
			mu.Lock()
			defer mu.Unlock()
			if err != nil || report.Refused+report.Left > 0 {
				t.Errorf("%+v, %v", report, err)
				return
			}
			adopted, there = adopted+report.Adopted, there+report.There
		})
	}
	group.Wait()
	if adopted != 20 || there != 40 {
		t.Errorf("%d adopted, %d there", adopted, there)
	}
	if n := len(d.rows("SELECT FROM cotenant.tenants")); n != 20 {
		t.Errorf("%d tenants", n)
	}
}

// Also where they are the first to be there, and columns are added to the registry.
func TestFirstAtOnce(t *testing.T) {
	t.Parallel()

	d := django(t, "django_tenants")
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			if _, err := d.tenancy.Adopt(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := len(d.rows("SELECT FROM cotenant.tenants")); n != 3 {
		t.Errorf("%d tenants", n)
	}
}

// Where somebody else makes the schema of the registry at the same moment, the build is made
// once more.
func TestSchemaMadeMeanwhile(t *testing.T) {
	t.Parallel()

	d := django(t, "django_tenants")
	tx, err := d.conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "CREATE SCHEMA cotenant"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := d.tenancy.Adopt(t.Context(), &adopt.Options{DryRun: true})
		done <- err
	}()
	for waits := false; !waits; {
		select {
		case err := <-done:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
		if err := tx.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' AND transactionid = pg_current_xact_id()::xid)").Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// While others write to a shared table that tenants refer to, the build waits for a moment
// at a time, and is made when they are through.
func TestSharedTableBusy(t *testing.T) {
	t.Parallel()

	d := django(t, "django_tenants")
	tx, err := d.conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "INSERT INTO public.customers_plan (name) VALUES ('another')"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := d.tenancy.Adopt(t.Context(), &adopt.Options{DryRun: true})
		done <- err
	}()
	var waits bool
	for !waits { // the build has come to the key to the table
		select {
		case err := <-done:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
		if err := tx.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'public.customers_plan'::regclass)").Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A tenant app that refers to what public is still to get cannot be built; what the error
// says to do about it works.
func TestSharedStillToCome(t *testing.T) {
	t.Parallel()

	base := fstest.MapFS{
		"base/migrations/0001_initial.sql": file("CREATE TABLE plans (id int PRIMARY KEY)"),
		"base/migrations/0002_extra.sql":   file("CREATE TABLE extra (id int PRIMARY KEY)"),
	}
	shop := fstest.MapFS{
		"shop/migrations/0001_initial.sql": file("CREATE TABLE orders (id int PRIMARY KEY)"),
		"shop/migrations/0002_extra.sql":   file("ALTER TABLE orders ADD COLUMN extra int REFERENCES extra"),
	}
	d := begin(t, "CREATE TABLE public.plans (id int PRIMARY KEY); CREATE SCHEMA a; CREATE TABLE a.orders (id int PRIMARY KEY)", migrate.Dirs(base, "base"), migrate.Dirs(shop, "shop"))
	o := &adopt.Options{Source: adopt.Source{Schemas: []string{"a"}}}
	d.fails(o, "tenant apps: build what to compare with: ")
	d.fails(o, `relation "extra" does not exist`)
	d.fails(o, "take this file, and the migrations behind it, out of the apps' folder, adopt, put them back, and migrate)")

	files := d.config.TenantApps
	d.config.TenantApps = migrate.Dirs(fstest.MapFS{"shop/migrations/0001_initial.sql": shop["shop/migrations/0001_initial.sql"]}, "shop")
	d.open()
	d.same(groups(d.adopt(o)), []string{"adopted 1 a: shop 0001_initial"})
	d.config.TenantApps = files
	d.open()
	if err := d.tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.same(d.registered(), []string{"1 a - shop/0001_initial,shop/0002_extra (ran)"})
	if drift, err := d.tenancy.Drift(t.Context(), nil, nil); err != nil || drift.Same != 1 {
		t.Errorf("%+v, %v", drift, err)
	}
}
