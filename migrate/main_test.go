package migrate_test

import (
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// connect returns a connection to a database.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec // runs end with DISCARD ALL
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

// files makes an FS of names and contents, in pairs.
func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

// newMigrator returns a Migrator with the folders of fsys as apps.
func newMigrator(t *testing.T, fsys fstest.MapFS, shared, tenants []string) *migrate.Migrator {
	t.Helper()
	m, err := migrate.New(&migrate.Config{SharedApps: migrate.Dirs(fsys, shared...), TenantApps: migrate.Dirs(fsys, tenants...)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newTenant makes an empty schema and returns its tenant.
func newTenant(t *testing.T, conn *pgx.Conn, id int64, name string) *tenant.Tenant {
	t.Helper()
	execute(t, conn, "CREATE SCHEMA "+pgx.Identifier{name}.Sanitize())
	return &tenant.Tenant{ID: id, Schema: tenant.MustParseSchema(name)}
}

func execute(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// column returns the first column of all rows as text.
func column(t *testing.T, conn *pgx.Conn, sql string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

// history returns the rows of a schema's history as app/name, with a star on
// those that were faked.
func history(t *testing.T, conn *pgx.Conn, schema string) []string {
	t.Helper()
	return column(t, conn, "SELECT app || '/' || name || CASE WHEN faked THEN '*' ELSE '' END FROM "+
		pgx.Identifier{schema, "cotenant_migrations"}.Sanitize()+" ORDER BY applied_at, app, name")
}

// tables returns the tables of a schema but for the history.
func tables(t *testing.T, conn *pgx.Conn, schema string) []string {
	t.Helper()
	return column(t, conn, "SELECT tablename::text FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename <> 'cotenant_migrations' ORDER BY 1", schema)
}
