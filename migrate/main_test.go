package migrate_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) {
	if value := os.Getenv(childEnv); value != "" {
		if err := runChild(value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	testdb.Main(m)
}

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

// migrator is a Migrator whose runs are about one schema.
type migrator struct{ *migrate.Migrator }

// newMigrator returns a migrator with the folders of fsys as apps.
func newMigrator(t *testing.T, fsys fstest.MapFS, shared, tenants []string) migrator {
	t.Helper()
	return withConfig(t, migrate.Config{SharedApps: migrate.Dirs(fsys, shared...), TenantApps: migrate.Dirs(fsys, tenants...)})
}

func withConfig(t *testing.T, config migrate.Config) migrator {
	t.Helper()
	m, err := migrate.New(&config)
	if err != nil {
		t.Fatal(err)
	}
	return migrator{m}
}

// MigrateShared syncs and migrates public, and returns what was done.
func (m migrator) MigrateShared(ctx context.Context, conn *pgx.Conn) ([]migrate.Applied, error) {
	return m.only(ctx, conn, migrate.Selection{Shared: true})
}

// MigrateTenant syncs and migrates the schema of t, and returns what was done.
func (m migrator) MigrateTenant(ctx context.Context, conn *pgx.Conn, t *tenant.Tenant) ([]migrate.Applied, error) {
	return m.only(ctx, conn, migrate.Selection{Schemas: []string{t.Schema.String()}})
}

func (m migrator) only(ctx context.Context, conn *pgx.Conn, selection migrate.Selection) (applied []migrate.Applied, err error) {
	pool, err := newPool(ctx, conn.Config().ConnString())
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	var failed error
	_, err = m.Fleet(pool).Sync(ctx, &migrate.SyncOptions{Migrate: true, RunOptions: migrate.RunOptions{
		Selection: selection,
		OnResult: func(r migrate.Result) {
			failed = r.Err
			for _, a := range r.Applied {
				applied = append(applied, migrate.Applied{App: a.App, Name: a.Name})
			}
		},
	}})
	if failed != nil {
		err = failed
	}
	return applied, err
}

// newPool returns a pool such as Fleet needs.
func newPool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 8
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	return pgxpool.NewWithConfig(ctx, config)
}

// newFleet returns the fleet of a database.
func newFleet(t *testing.T, m migrator, url string) *migrate.Fleet {
	t.Helper()
	return m.Fleet(poolOver(t, url))
}

// newTenant makes an empty schema and the row of its tenant.
func newTenant(t *testing.T, conn *pgx.Conn, id int64, name string) *tenant.Tenant {
	t.Helper()
	execute(t, conn, "CREATE SCHEMA "+pgx.Identifier{name}.Sanitize())
	newRow(t, conn, id, name)
	return &tenant.Tenant{ID: id, Schema: tenant.MustParseSchema(name)}
}

// newRow makes the row of a tenant without a schema.
func newRow(t *testing.T, conn *pgx.Conn, id int64, name string) {
	t.Helper()
	execute(t, conn, "CREATE SCHEMA IF NOT EXISTS cotenant")
	execute(t, conn, "CREATE TABLE IF NOT EXISTS cotenant.tenants (id bigint PRIMARY KEY, schema_name text NOT NULL)")
	execute(t, conn, "INSERT INTO cotenant.tenants VALUES ($1, $2)", id, name)
}

func execute(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%.300s: %v", sql, err)
	}
}

// column returns the first column of all rows as text.
func column(t *testing.T, conn *pgx.Conn, sql string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%.300s: %v", sql, err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%.300s: %v", sql, err)
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
