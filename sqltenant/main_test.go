package sqltenant_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/lib/pq"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/sqltenant"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// dialFunc makes a connection to a server.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// A maker makes a connector of a driver. dial may be nil.
type maker func(t *testing.T, url string, dial dialFunc) driver.Connector

// makers are the drivers that are wrapped: another one, and pgx as if it were.
func makers() map[string]maker {
	return map[string]maker{"lib/pq": newPQ, "pgx": newPGX}
}

func newPQ(t *testing.T, url string, dial dialFunc) driver.Connector {
	t.Helper()
	connector, err := pq.NewConnector(url)
	if err != nil {
		t.Fatal(err)
	}
	if dial != nil {
		connector.Dialer(dialer(dial))
	}
	return connector
}

func newPGX(t *testing.T, url string, dial dialFunc) driver.Connector {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	if dial != nil {
		config.DialFunc = pgxDial(dial)
	}
	// Its ping of connections that were idle for a second would be counted.
	return stdlib.GetConnector(*config, stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }))
}

func pgxDial(dial dialFunc) func(context.Context, string, string) (net.Conn, error) { return dial }

// dialer is a pq.Dialer and pq.DialerContext.
type dialer dialFunc

func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d(context.Background(), network, address)
}

func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d(ctx, network, address)
}

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}

// writes counts what is written to servers: each is the beginning of a round trip.
type writes struct{ n atomic.Int64 }

func (w *writes) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	return countedConn{conn, w}, err
}

// during returns how many there are while f runs.
func (w *writes) during(t *testing.T, f func() error) int64 {
	t.Helper()
	before := w.n.Load()
	if err := f(); err != nil {
		t.Fatal(err)
	}
	return w.n.Load() - before
}

type countedConn struct {
	net.Conn
	w *writes
}

func (c countedConn) Write(p []byte) (int, error) {
	c.w.n.Add(1)
	return c.Conn.Write(p)
}

// base is a database, and how a driver connects to it.
type base struct {
	url   string
	plain *pgx.Conn // sees everything
	make  maker
	writes
}

func newBase(t *testing.T, newConnector maker, setup string) *base {
	t.Helper()
	url := testdb.New(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	b := &base{url: url, plain: conn, make: newConnector}
	b.exec(t, setup)
	return b
}

func (b *base) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := b.plain.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// count returns the number that a query has.
func (b *base) count(t *testing.T, sql string, args ...any) (n int) {
	t.Helper()
	if err := b.plain.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// wrap returns a connector of the driver to url, wrapped.
func (b *base) wrap(t *testing.T, url string, config *sqltenant.Config) driver.Connector {
	t.Helper()
	connector, err := sqltenant.Wrap(b.make(t, url, b.dial), config)
	if err != nil {
		t.Fatal(err)
	}
	return connector
}

// open returns a *sql.DB of one connection.
func (b *base) open(t *testing.T, config *sqltenant.Config) *sql.DB {
	t.Helper()
	return opened(t, b.wrap(t, b.url, config))
}

func opened(t *testing.T, connector driver.Connector) *sql.DB {
	t.Helper()
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// as returns a context of the tenant whose schema has the name.
func as(t *testing.T, id int64, schema string) context.Context {
	t.Helper()
	return tenant.NewContext(t.Context(), &tenant.Tenant{ID: id, Schema: tenant.MustParseSchema(schema)})
}

// a and b are the tenants of twoTenants.
func asA(t *testing.T) context.Context { t.Helper(); return as(t, 1, "a") }
func asB(t *testing.T) context.Context { t.Helper(); return as(t, 2, "b") }

const twoTenants = `
	CREATE TABLE public.things (name text);
	CREATE SCHEMA a; CREATE TABLE a.things (name text);
	CREATE SCHEMA b; CREATE TABLE b.things (name text);`

// where returns the schema in which things are found.
func where(ctx context.Context, q querier) (schema string, err error) {
	err = q.QueryRowContext(ctx, "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'things'::regclass").Scan(&schema)
	return schema, err
}

// querier is a *sql.DB, *sql.Conn or *sql.Tx.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// in complains unless things are found in the schema.
func in(ctx context.Context, t *testing.T, q querier, schema string) {
	t.Helper()
	if got, err := where(ctx, q); err != nil || got != schema {
		t.Errorf("in %q, %v; want %q", got, err, schema)
	}
}

// roleOf returns the URL of b for a role that owns nothing.
func roleOf(t *testing.T, b *base) string { t.Helper(); return testdb.Role(t, b.url) }

// waits returns once somebody waits for a lock.
func (b *base) waits(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for b.count(t, "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()") == 0 {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}
