package pgxtenant_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// newDB returns a DB over a database in which setup ran, with the default Config.
func newDB(t *testing.T, setup string, configure ...func(*pgxpool.Config)) *pgxtenant.DB {
	t.Helper()
	return newDBWith(t, nil, setup, configure...)
}

// newDBWith is newDB with a Config.
func newDBWith(t *testing.T, c *pgxtenant.Config, setup string, configure ...func(*pgxpool.Config)) *pgxtenant.DB {
	t.Helper()
	url := testdb.New(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), setup); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range configure {
		f(config)
	}
	db, err := pgxtenant.New(t.Context(), config, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// one has a DB use a single connection.
func one(c *pgxpool.Config) { c.MaxConns = 1 }

// as returns a context of the tenant whose schema has the name.
func as(t *testing.T, id int64, schema string) context.Context {
	t.Helper()
	return tenant.NewContext(t.Context(), &tenant.Tenant{ID: id, Schema: tenant.MustParseSchema(schema)})
}

// writes counts what is written to servers: each is the beginning of a round trip.
type writes struct{ n atomic.Int64 }

// count has a pool's connections counted.
func (w *writes) count(c *pgxpool.Config) {
	dial := c.ConnConfig.DialFunc
	c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return countedConn{conn, w}, err
	}
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

// tracer keeps what it is told, by kind.
type tracer struct {
	mu   sync.Mutex
	told map[string][]string
	args [][]any
}

func (r *tracer) add(kind, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told == nil {
		r.told = make(map[string][]string)
	}
	r.told[kind] = append(r.told[kind], what)
}

// of returns what was told of a kind, and forgets everything.
func (r *tracer) of(kind string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := r.told[kind]
	r.told = nil
	return told
}

// count returns how many statements there were.
func (r *tracer) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.told["query"]) + len(r.told["batch"]) + len(r.told["copy"]) + len(r.told["prepare"])
}

func (r *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.add("query", data.SQL)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.args = append(r.args, data.Args)
	return ctx
}

func (r *tracer) TraceQueryEnd(_ context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	r.add("query end", data.CommandTag.String())
}

func (r *tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	for _, q := range data.Batch.QueuedQueries {
		r.add("batch", q.SQL)
	}
	return ctx
}

func (r *tracer) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	r.add("batch query", data.SQL)
}

func (r *tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {
	r.add("batch end", "")
}

func (r *tracer) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	r.add("copy", data.TableName.Sanitize())
	return ctx
}

func (r *tracer) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {
	r.add("copy end", "")
}

func (r *tracer) TracePrepareStart(ctx context.Context, _ *pgx.Conn, data pgx.TracePrepareStartData) context.Context {
	r.add("prepare", data.SQL)
	return ctx
}

func (r *tracer) TracePrepareEnd(context.Context, *pgx.Conn, pgx.TracePrepareEndData) {
	r.add("prepare end", "")
}

func (r *tracer) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	r.add("connect", "")
	return ctx
}

func (r *tracer) TraceConnectEnd(context.Context, pgx.TraceConnectEndData) { r.add("connect end", "") }

func (r *tracer) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	r.add("acquire", "")
	return ctx
}

func (r *tracer) TraceAcquireEnd(context.Context, *pgxpool.Pool, pgxpool.TraceAcquireEndData) {
	r.add("acquire end", "")
}

func (r *tracer) TraceRelease(*pgxpool.Pool, pgxpool.TraceReleaseData) { r.add("release", "") }
