package migrate_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

func TestMigrate(t *testing.T) {
	t.Parallel()

	conn := connect(t, testdb.New(t))
	acme := newTenant(t, conn, 1, "Acme-1")
	fsys := files(
		"base/migrations/0001_initial.sql", "CREATE TABLE currencies (code text PRIMARY KEY)",
		"base/migrations/0002_rows.sql", "INSERT INTO currencies VALUES ('EUR')",
		"shop/schema.sql", "CREATE TABLE products (id int, currency text REFERENCES currencies)",
		"crm/migrations/9_nine.sql", "CREATE TYPE mood AS ENUM ('sad')",
		// Sorted as text, 10 and 11 would come before 9. A new value of an enum
		// cannot be used in the transaction that adds it.
		"crm/migrations/10_ten.sql", "ALTER TYPE mood ADD VALUE 'glad'",
		"crm/migrations/011_eleven.sql", "CREATE TABLE people (mood mood DEFAULT 'glad')",
	)
	m := newMigrator(t, fsys, []string{"base"}, []string{"shop", "crm"})

	applied, err := m.MigrateShared(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	if want := []migrate.Applied{{App: "base", Name: "0001_initial"}, {App: "base", Name: "0002_rows"}}; !slices.Equal(applied, want) {
		t.Errorf("MigrateShared = %v, want %v", applied, want)
	}
	applied, err = m.MigrateTenant(t.Context(), conn, acme)
	if err != nil {
		t.Fatal(err)
	}
	if want := []migrate.Applied{{App: "shop", Name: "schema.sql"}, {App: "crm", Name: "9_nine"}, {App: "crm", Name: "10_ten"}, {App: "crm", Name: "011_eleven"}}; !slices.Equal(applied, want) {
		t.Errorf("MigrateTenant = %v, want %v", applied, want)
	}
	if got := tables(t, conn, "public"); !slices.Equal(got, []string{"currencies"}) {
		t.Errorf("tables of public: %q", got)
	}
	if got := tables(t, conn, "Acme-1"); !slices.Equal(got, []string{"people", "products"}) {
		t.Errorf("tables of Acme-1: %q", got)
	}

	// Again there is nothing to do, and the public tenant has no tenant apps.
	for name, migrate := range map[string]func() ([]migrate.Applied, error){
		"shared": func() ([]migrate.Applied, error) { return m.MigrateShared(t.Context(), conn) },
		"acme":   func() ([]migrate.Applied, error) { return m.MigrateTenant(t.Context(), conn, acme) },
		"public": func() ([]migrate.Applied, error) {
			return m.MigrateTenant(t.Context(), conn, &tenant.Tenant{ID: 7, Schema: tenant.PublicSchema()})
		},
	} {
		if applied, err := migrate(); err != nil || len(applied) != 0 {
			t.Errorf("%s again: %v, %v", name, applied, err)
		}
	}
	if locks := column(t, conn, "SELECT objid::text FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"); len(locks) != 0 {
		t.Errorf("locks left: %q", locks)
	}
}

// An app that has both gives a new schema its schema.sql and records its
// migrations as faked; a migration that comes later runs.
func TestSchemaFileAndMigrations(t *testing.T) {
	t.Parallel()

	conn := connect(t, testdb.New(t))
	acme := newTenant(t, conn, 1, "acme")
	fsys := files(
		"shop/schema.sql", "CREATE TABLE a (id int, b int)",
		"shop/migrations/0001_initial.sql", "CREATE TABLE a (id int)",
		"shop/migrations/0002_b.sql", "ALTER TABLE a ADD COLUMN b int",
	)
	m := newMigrator(t, fsys, nil, []string{"shop"})
	if _, err := m.MigrateTenant(t.Context(), conn, acme); err != nil {
		t.Fatal(err)
	}
	if got, want := history(t, conn, "acme"), []string{"shop/0001_initial*", "shop/0002_b*", "shop/schema.sql"}; !slices.Equal(got, want) {
		t.Errorf("history = %q, want %q", got, want)
	}

	fsys["shop/schema.sql"].Data = []byte("CREATE TABLE a (id int, b int, c int)")
	fsys["shop/migrations/0003_c.sql"] = files("x", "ALTER TABLE a ADD COLUMN c int")["x"]
	m = newMigrator(t, fsys, nil, []string{"shop"})
	applied, err := m.MigrateTenant(t.Context(), conn, acme)
	if err != nil || len(applied) != 1 || applied[0].Name != "0003_c" {
		t.Errorf("MigrateTenant = %v, %v", applied, err)
	}
}

// BuildSchema works in the caller's transaction: rolled back, nothing is left.
func TestBuildSchema(t *testing.T) {
	t.Parallel()

	conn := connect(t, testdb.New(t))
	m := newMigrator(t, files("shop/schema.sql", "CREATE TABLE a (id int)", "crm/migrations/1_b.sql", "CREATE TABLE b (id int)"), nil, []string{"shop", "crm"})
	if _, err := m.MigrateShared(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	build := func(end func(pgx.Tx) error) {
		t.Helper()
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "CREATE SCHEMA acme"); err != nil {
			t.Fatal(err)
		}
		if err := m.BuildSchema(t.Context(), tx, &tenant.Tenant{ID: 1, Schema: tenant.MustParseSchema("acme")}); err != nil {
			t.Fatal(err)
		}
		var path string
		if err := tx.QueryRow(t.Context(), "SHOW search_path").Scan(&path); err != nil || path != `"acme", "public", pg_temp` {
			t.Errorf("search_path = %s, %v", path, err)
		}
		if err := end(tx); err != nil {
			t.Fatal(err)
		}
	}

	build(func(tx pgx.Tx) error { return tx.Rollback(t.Context()) })
	if got := column(t, conn, "SELECT nspname::text FROM pg_namespace WHERE nspname = 'acme'"); len(got) != 0 {
		t.Errorf("schemas after the roll-back: %q", got)
	}
	build(func(tx pgx.Tx) error { return tx.Commit(t.Context()) })
	if got := tables(t, conn, "acme"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("tables: %q", got)
	}
	if got, want := history(t, conn, "acme"), []string{"crm/1_b", "shop/schema.sql"}; !slices.Equal(got, want) {
		t.Errorf("history = %q, want %q", got, want)
	}
}

func TestStatementError(t *testing.T) {
	t.Parallel()

	conn := connect(t, testdb.New(t))
	acme := newTenant(t, conn, 1, "acme")
	fsys := files(
		"shop/migrations/0001_initial.sql", "CREATE TABLE a (id int)",
		"shop/migrations/0002_more.sql", "CREATE TABLE b (id int); INSERT INTO b VALUES (1);\n\n-- größer\nCREATE TABLE c (\n\tgröße int,\n\tid itn\n);\nCREATE TABLE d (id int)",
		"shop/migrations/0003_never.sql", "CREATE TABLE e (id int)",
	)
	m := newMigrator(t, fsys, nil, []string{"shop"})
	applied, err := m.MigrateTenant(t.Context(), conn, acme)
	var stmtErr *migrate.StatementError
	if !errors.As(err, &stmtErr) {
		t.Fatalf("MigrateTenant: %v", err)
	}
	if stmtErr.File != "shop/migrations/0002_more.sql" || stmtErr.Line != 6 || stmtErr.Schema != acme.Schema || !strings.HasPrefix(stmtErr.Statement, "CREATE TABLE c") {
		t.Errorf("StatementError = %+v", stmtErr)
	}
	want := `shop/migrations/0002_more.sql:6: schema "acme": type "itn" does not exist (SQLSTATE 42704); nothing of the file was kept` +
		"\n\tCREATE TABLE c ( größe int, id itn )"
	if err.Error() != want {
		t.Errorf("error:\n%v\nwant\n%s", err, want)
	}
	// What came before is kept, as a file each; of the one that failed there is nothing.
	if len(applied) != 1 || applied[0].Name != "0001_initial" {
		t.Errorf("applied = %v", applied)
	}
	if got := tables(t, conn, "acme"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("tables: %q", got)
	}
	if got := history(t, conn, "acme"); !slices.Equal(got, []string{"shop/0001_initial"}) {
		t.Errorf("history: %q", got)
	}

	// Mended, the run goes on where it stopped.
	fsys["shop/migrations/0002_more.sql"].Data = []byte("CREATE TABLE b (id int)")
	applied, err = newMigrator(t, fsys, nil, []string{"shop"}).MigrateTenant(t.Context(), conn, acme)
	if err != nil || len(applied) != 2 {
		t.Errorf("MigrateTenant after mending = %v, %v", applied, err)
	}
}

// Errors that PostgreSQL gives no position for are at the statement.
func TestStatementErrorWithoutPosition(t *testing.T) {
	t.Parallel()

	conn := connect(t, testdb.New(t))
	acme := newTenant(t, conn, 1, "acme")
	for _, tt := range []struct {
		sql  string
		line int
	}{
		{"CREATE TABLE a (id int);\nSELECT 1;\nCREATE TABLE a (id int);", 3},
		{"CREATE TABLE a (id int CHECK (id > 0));\n\nINSERT INTO a VALUES (1), (0);", 3},
		{"SELECT 1;\nSELECT 1 / x FROM generate_series(1, 0, -1) AS x;\nSELECT 2", 2},
	} {
		m := newMigrator(t, files("shop/schema.sql", tt.sql), nil, []string{"shop"})
		_, err := m.MigrateTenant(t.Context(), conn, acme)
		var stmtErr *migrate.StatementError
		if !errors.As(err, &stmtErr) || stmtErr.Line != tt.line {
			t.Errorf("%q: %v; want line %d", tt.sql, err, tt.line)
		}
	}
	if got := tables(t, conn, "acme"); len(got) != 0 {
		t.Errorf("tables: %q", got)
	}
}

// An error of the commit itself names the file.
func TestErrorAtCommit(t *testing.T) {
	t.Parallel()

	conn := connect(t, testdb.New(t))
	acme := newTenant(t, conn, 1, "acme")
	m := newMigrator(t, files("shop/schema.sql", "CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a DEFERRABLE INITIALLY DEFERRED); INSERT INTO a VALUES (1, 2)"), nil, []string{"shop"})
	_, err := m.MigrateTenant(t.Context(), conn, acme)
	if err == nil || !strings.Contains(err.Error(), `shop/schema.sql: schema "acme"`) {
		t.Errorf("MigrateTenant: %v", err)
	}
	if got := tables(t, conn, "acme"); len(got) != 0 {
		t.Errorf("tables: %q", got)
	}
}

// A schema that is not there is an error, and nothing lands in public.
func TestMissingSchema(t *testing.T) {
	t.Parallel()

	conn := connect(t, testdb.New(t))
	newRow(t, conn, 1, "gone")
	m := newMigrator(t, files("shop/schema.sql", "CREATE TABLE a (id int)"), nil, []string{"shop"})
	_, err := m.MigrateTenant(t.Context(), conn, &tenant.Tenant{ID: 1, Schema: tenant.MustParseSchema("gone")})
	if !errors.Is(err, tenant.ErrSchemaNotFound) {
		t.Errorf("MigrateTenant: %v", err)
	}
	if got := tables(t, conn, "public"); len(got) != 0 {
		t.Errorf("tables of public: %q", got)
	}
}

// A file that leads away from its schema, in a way that only shows at run time, is
// undone.
func TestFileThatChangesThePath(t *testing.T) {
	t.Parallel()

	conn := connect(t, testdb.New(t))
	acme := newTenant(t, conn, 1, "acme")
	m := newMigrator(t, files("shop/schema.sql", "DO $$BEGIN PERFORM pg_catalog.set_config('search_path', 'public', false); END$$;\nCREATE TABLE a (id int)"), nil, []string{"shop"})
	_, err := m.MigrateTenant(t.Context(), conn, acme)
	if err == nil || !strings.Contains(err.Error(), "shop/schema.sql") || !strings.Contains(err.Error(), "search path") {
		t.Errorf("MigrateTenant: %v", err)
	}
	if got := append(tables(t, conn, "acme"), tables(t, conn, "public")...); len(got) != 0 {
		t.Errorf("tables: %q", got)
	}
}

// The history of public is never taken for that of a tenant, nor a decoy in a
// tenant for that of public.
func TestHistoryIsQualified(t *testing.T) {
	t.Parallel()

	conn := connect(t, testdb.New(t))
	acme := newTenant(t, conn, 1, "acme")
	m := newMigrator(t, files("shop/schema.sql", "CREATE TABLE a (id int)"), []string{"shop"}, []string{"shop"})
	if _, err := m.MigrateShared(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	execute(t, conn, "SET search_path = acme, public")
	if _, err := m.MigrateTenant(t.Context(), conn, acme); err != nil {
		t.Fatal(err)
	}
	for _, schema := range []string{"public", "acme"} {
		if got := tables(t, conn, schema); !slices.Equal(got, []string{"a"}) {
			t.Errorf("tables of %s: %q", schema, got)
		}
		if got := history(t, conn, schema); !slices.Equal(got, []string{"shop/schema.sql"}) {
			t.Errorf("history of %s: %q", schema, got)
		}
	}
}

func TestHistoryThatFilesDoNotLeadTo(t *testing.T) {
	t.Parallel()

	conn := connect(t, testdb.New(t))
	acme := newTenant(t, conn, 1, "acme")
	before := files("shop/migrations/0001_a.sql", "CREATE TABLE a (id int)", "crm/schema.sql", "CREATE TABLE c (id int)")
	if _, err := newMigrator(t, before, nil, []string{"shop", "crm"}).MigrateTenant(t.Context(), conn, acme); err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		name, app, want string
		newer           bool
		change          []string
	}{
		{"a changed migration", "shop", "0001_a.sql changed since it ran", false, []string{"shop/migrations/0001_a.sql", "CREATE TABLE b (id int)"}},
		{"an older program", "shop", "run the newer program", true, []string{"shop/migrations/0000_z.sql", "CREATE TABLE z (id int)"}},
	} {
		m := newMigrator(t, files(tt.change...), nil, []string{tt.app})
		_, err := m.MigrateTenant(t.Context(), conn, acme)
		if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, migrate.ErrNewer) != tt.newer {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
	}
	if got := tables(t, conn, "acme"); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("tables: %q", got)
	}
}

// What a file does to its session is not there for the next, nor for whoever uses
// the connection after the run.
func TestSessionIsRestored(t *testing.T) {
	t.Parallel()

	conn := connect(t, testdb.New(t))
	acme := newTenant(t, conn, 1, "acme")
	m := newMigrator(t, files(
		"shop/migrations/1_a.sql", "SET lock_timeout = '7s'; DO $$ BEGIN PERFORM set_config('role', 'pg_monitor', false); END $$; CREATE TEMP TABLE stage (id int)",
		"shop/migrations/2_b.sql", "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS lock_timeout, current_user::text AS who",
	), nil, []string{"shop"})
	if _, err := m.MigrateTenant(t.Context(), conn, acme); err != nil {
		t.Fatal(err)
	}
	if got := column(t, conn, "SELECT lock_timeout || ' ' || (who = session_user) FROM acme.seen"); !slices.Equal(got, []string{"2s true"}) {
		t.Errorf("the next file saw %q", got)
	}
	if got := column(t, conn, "SELECT current_setting('lock_timeout') || ' ' || (current_user = session_user) || ' ' || (to_regclass('pg_temp.stage') IS NULL) || ' ' || current_setting('search_path')"); !slices.Equal(got, []string{`0 true true "$user", public`}) {
		t.Errorf("after the run: %q", got)
	}
}

// Line ends are no change.
func TestChecksumIgnoresLineEnds(t *testing.T) {
	t.Parallel()

	conn := connect(t, testdb.New(t))
	acme := newTenant(t, conn, 1, "acme")
	for _, text := range []string{"CREATE TABLE a (\n\tid int\n);\n", "CREATE TABLE a (\r\n\tid int\r\n);\r\n"} {
		if _, err := newMigrator(t, files("shop/migrations/1_a.sql", text), nil, []string{"shop"}).MigrateTenant(t.Context(), conn, acme); err != nil {
			t.Error(err)
		}
	}
}
