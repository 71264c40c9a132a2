package registry_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// builder is the tables of a new tenant, as SQL.
type builder string

func (b builder) BuildSchema(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error {
	if _, err := tx.Exec(ctx, "SELECT set_config('search_path', $1, true)", pgx.Identifier{t.Schema.String()}.Sanitize()); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, string(b))
	return err
}

// queries is a tracer that counts the statements of a pool.
type queries struct{ n atomic.Int64 }

func (q *queries) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	q.n.Add(1)
	return ctx
}

func (q *queries) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// fixture is a registry over a database of its own.
type fixture struct {
	*registry.Registry
	pool    *pgxpool.Pool
	queries *queries
	url     string
}

// newFixture makes the registry's tables with columns of a user's. The registry
// hears of changes if listen is set.
func newFixture(t *testing.T, config registry.Config, listen bool) *fixture {
	t.Helper()
	f := &fixture{queries: &queries{}, url: testdb.New(t)}
	f.pool = newPool(t, f.url, f.queries)
	f.migrate(t, config)
	f.Registry = f.open(t, config, listen)
	return f
}

// migrate makes the registry's tables.
func (f *fixture) migrate(t *testing.T, config registry.Config) {
	t.Helper()
	migrations, err := registry.Migrations(&config)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range migrations {
		f.exec(t, m.SQL)
	}
}

// open returns another registry over the same database: another process.
func (f *fixture) open(t *testing.T, config registry.Config, listen bool) *registry.Registry {
	t.Helper()
	if listen {
		config.Listen = func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, f.url) }
	}
	r, err := registry.New(f.pool, &config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func newPool(t *testing.T, url string, tracer pgx.QueryTracer) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.Tracer = tracer
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	config.MaxConns = 16
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func (f *fixture) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := f.pool.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// text returns the one value of a query.
func (f *fixture) text(t *testing.T, sql string) string {
	t.Helper()
	var value string
	if err := f.pool.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// create makes a tenant with one domain, SCHEMA.example.com.
func (f *fixture) create(t *testing.T, schema string) *tenant.Tenant {
	t.Helper()
	created, err := f.Create(t.Context(), registry.CreateParams{
		Domains: []tenant.Domain{tenant.MustParseDomain(schema + ".example.com")},
		Schema:  tenant.MustParseSchema(schema),
	})
	if err != nil {
		t.Fatal(err)
	}
	return created
}
