package doctor_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/doctor"
	"github.com/cotenant/cotenant/internal/testdb"
)

// Records of migrations that the program has no file of: of tenants by their digest, and of
// public.
func TestHistory(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme", "globex", "initech")
	for _, schema := range []string{"acme", "globex"} {
		c.execute(t, "INSERT INTO "+schema+".cotenant_migrations (app, name, checksum) VALUES ('shop', '0002_more', ''), ('shop', '0003_most', '')",
			"UPDATE cotenant.schema_versions SET digest = 'newer' WHERE namespace = '"+schema+"'::regnamespace")
	}
	report := c.examine(t)
	f := noticed(t, report, "history", doctor.Error, "shop/0002_more, shop/0003_most", "no such file")
	if f.Count != 2 || !slices.Equal(f.Schemas, []string{"acme", "globex"}) {
		t.Errorf("%d: %q", f.Count, f.Schemas)
	}
	nothingElse(t, report, "history")

	c.execute(t, "DELETE FROM acme.cotenant_migrations WHERE name > '0001_initial'", "DELETE FROM globex.cotenant_migrations WHERE name > '0001_initial'", "INSERT INTO public.cotenant_migrations (app, name, checksum) VALUES ('plans', '0009_x', '')")
	f = noticed(t, c.examine(t), "history", doctor.Error, "plans/0009_x")
	if !slices.Equal(f.Schemas, []string{"public"}) {
		t.Errorf("%q", f.Schemas)
	}

	// Records of an app on no list keep no run from the schema.
	c.execute(t, "DELETE FROM public.cotenant_migrations WHERE name = '0009_x'", "INSERT INTO globex.cotenant_migrations (app, name, checksum) VALUES ('blog', '0001_old', '')",
		"UPDATE cotenant.schema_versions SET digest = 'retired' WHERE namespace = 'globex'::regnamespace")
	f = noticed(t, c.examine(t), "history", doctor.Note, "blog/0001_old", "on no list", "leaves what the app made as it is")
	if !slices.Equal(f.Schemas, []string{"globex"}) {
		t.Errorf("%q", f.Schemas)
	}
	if err := c.tenancy.Migrate(t.Context()); err != nil {
		t.Errorf("a run beside a retired app: %v", err)
	}
	c.execute(t, "DELETE FROM globex.cotenant_migrations WHERE app = 'blog'")

	// And a file that is another one than the one that ran.
	c.execute(t, "DELETE FROM public.cotenant_migrations WHERE name = '0009_x'")
	for _, schema := range []string{"globex", "initech"} {
		c.execute(t, "UPDATE "+schema+".cotenant_migrations SET checksum = 'another' WHERE name = '0001_initial'",
			"DELETE FROM "+schema+".cotenant_migrations WHERE name > '0001_initial'", "UPDATE cotenant.schema_versions SET digest = 'diverged' WHERE namespace = '"+schema+"'::regnamespace")
	}
	f = noticed(t, c.examine(t), "history", doctor.Error, "2 schemas", "shop/migrations/0001_initial.sql")
	if !slices.Equal(f.Schemas, []string{"globex", "initech"}) {
		t.Errorf("%q", f.Schemas)
	}
}

// Notes of migrations whose statements run one by one.
func TestMigrationHalfDone(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme", "globex")
	c.execute(t, `INSERT INTO cotenant.migration_progress SELECT id, schema_name::regnamespace, 'shop', '0002_index', 1, 2, '' FROM cotenant.tenants WHERE schema_name <> 'public'`,
		`INSERT INTO cotenant.migration_progress VALUES (0, 'public'::regnamespace, 'plans', '0002_index', 3, 3, ''), (4711, 4711, 'shop', '0002_index', 1, 1, '')`,
		`INSERT INTO cotenant.migration_progress SELECT id, 4712, 'shop', '0003_index', 1, 1, '' FROM cotenant.tenants WHERE schema_name = 'acme'`)
	report := c.examine(t)
	found := of(report, "migration-half-done")
	if len(found) != 2 || !slices.Equal(found[0].Schemas, []string{"acme", "globex"}) || !strings.Contains(found[0].Message, "1, and it is not known what became of the next") ||
		!slices.Equal(found[1].Schemas, []string{"public"}) || found[1].Subject != "migration plans/0002_index" {
		t.Errorf("%+v", found)
	}
	noticed(t, report, "progress-stale", doctor.Note, "2 rows", "DELETE FROM cotenant.migration_progress")
	nothingElse(t, report, "migration-half-done")

	// The lock of a schema says that somebody is at work.
	c.execute(t, "SELECT pg_advisory_lock((x'7C07'::bigint << 48) | id) FROM cotenant.tenants WHERE schema_name = 'acme'")
	report = c.examine(t)
	if found = of(report, "migration-half-done"); len(found) != 2 || !slices.Equal(found[1].Schemas, []string{"globex"}) {
		t.Errorf("%+v", found)
	}
	noticed(t, report, "progress-stale", doctor.Note, "1 row")
}

// Indexes that are invalid, and what a REINDEX CONCURRENTLY leaves beside the index.
func TestInvalidIndexes(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme", "globex", "initech")
	for _, schema := range []string{"acme", "globex"} {
		c.execute(t, "INSERT INTO "+schema+".orders (total) VALUES (1), (1)")
		fails(t, c, "CREATE UNIQUE INDEX CONCURRENTLY total_key ON "+schema+".orders (total)", "23505")
	}
	c.execute(t, "CREATE TABLE globex.parts (id int) PARTITION BY LIST (id)", "CREATE TABLE globex.parts1 PARTITION OF globex.parts FOR VALUES IN (1)", "CREATE INDEX parts_idx ON ONLY globex.parts (id)",
		"ALTER TABLE globex.parts OWNER TO cotenant_migrator", "ALTER TABLE globex.parts1 OWNER TO cotenant_migrator")
	leaveOver(t, c, "globex")

	report := c.examine(t)
	found := of(report, "index-invalid")
	if len(found) != 2 || found[0].Subject != `index "total_key" on orders` || found[0].Count != 2 || !strings.Contains(found[1].Cure, "ATTACH PARTITION") {
		t.Errorf("%+v", found)
	}
	noticed(t, report, "index-leftover", doctor.Warning, `index "orders_total_idx_ccnew"`, `DROP INDEX "globex"."orders_total_idx_ccnew"`)
	nothingElse(t, report, "index-invalid", "index-leftover")

	// One that is not beside a good one of its name is not taken for a leftover.
	c.execute(t, "ALTER INDEX globex.orders_total_idx RENAME TO another_idx")
	report = c.examine(t)
	silent(t, report, "index-leftover")
	if found := of(report, "index-invalid"); len(found) != 3 {
		t.Errorf("%+v", found)
	}
}

// An index that is being built is not taken for a broken one, and its migration not for
// one that nobody is at work on.
func TestIndexBeingBuilt(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme")
	tx, err := connect(t, c.url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "INSERT INTO acme.orders (total) VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	built := make(chan error)
	builder := connect(t, c.url)
	go func() {
		_, err := builder.Exec(t.Context(), "CREATE INDEX CONCURRENTLY slow_idx ON acme.orders (total)")
		built <- err
	}()
	until(t, func() bool {
		return c.one(t, "SELECT EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE c.relname = 'slow_idx')") == "true"
	})
	silent(t, c.examine(t), "index-invalid", "index-leftover")
	if err := errors.Join(tx.Rollback(t.Context()), <-built); err != nil {
		t.Fatal(err)
	}
	silent(t, c.examine(t), "index-invalid")
}

// Schemas and databases that are made for a moment.
func TestScratch(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme")
	running := time.Now().UTC().Format("cotenant_check_20060102150405_doctor") // a check's that is at it
	c.execute(t, "CREATE DATABASE "+running)
	defer c.execute(t, "DROP DATABASE "+running)
	for _, f := range c.examine(t).Findings {
		if strings.Contains(fmt.Sprint(f), running) {
			t.Errorf("found %+v", f)
		}
	}
	c.execute(t, "CREATE SCHEMA cotenant_scratch_42")
	noticed(t, c.examine(t), "scratch-left", doctor.Note, "schema cotenant_scratch_42", "DROP SCHEMA cotenant_scratch_42 CASCADE")
}

// leaveOver interrupts a REINDEX CONCURRENTLY.
func leaveOver(t *testing.T, c *clinic, schema string) {
	t.Helper()
	tx, err := connect(t, c.url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), "INSERT INTO "+schema+".orders (total) VALUES (3)"); err != nil {
		t.Fatal(err)
	}
	c.execute(t, "SET lock_timeout = '20ms'")
	fails(t, c, "REINDEX INDEX CONCURRENTLY "+schema+".orders_total_idx", "55P03")
	c.execute(t, "RESET lock_timeout")
}

func fails(t *testing.T, c *clinic, sql, code string) {
	t.Helper()
	_, err := c.admin.Exec(t.Context(), sql)
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != code {
		t.Fatalf("%s: %v, want %s", sql, err, code)
	}
}
