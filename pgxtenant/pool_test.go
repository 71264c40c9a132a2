package pgxtenant_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// newPool returns a DB over a database in which setup ran.
func newPool(t *testing.T, setup string, configure ...func(*pgxpool.Config)) *pgxtenant.DB {
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
	for _, c := range configure {
		c(config)
	}
	pool, err := pgxtenant.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// as returns a context of the tenant whose schema has the name.
func as(t *testing.T, id int64, schema string) context.Context {
	t.Helper()
	return tenant.NewContext(t.Context(), &tenant.Tenant{ID: id, Schema: tenant.MustParseSchema(schema)})
}

func TestPoolScopes(t *testing.T) {
	t.Parallel()

	// One connection, so that each query finds the path of the one before.
	pool := newPool(t, `
		CREATE TABLE things (name text); INSERT INTO things VALUES ('public');
		CREATE TABLE shared (name text); INSERT INTO shared VALUES ('shared');
		CREATE SCHEMA a; CREATE TABLE a.things (name text); INSERT INTO a.things VALUES ('a');
		CREATE SCHEMA "B-2"; CREATE TABLE "B-2".things (name text); INSERT INTO "B-2".things VALUES ('b');
	`, func(c *pgxpool.Config) { c.MaxConns = 1 })
	for _, tt := range []struct {
		ctx        context.Context
		want, path string
	}{
		{as(t, 1, "a"), "a", "a, public, pg_temp"},
		{as(t, 2, "B-2"), "b", `"B-2", public, pg_temp`},
		{tenant.Public(t.Context()), "public", "public, pg_temp"},
		{as(t, 1, "a"), "a", "a, public, pg_temp"},
	} {
		var name, shared, path string
		err := pool.QueryRow(tt.ctx, "SELECT things.name, shared.name, current_setting('search_path') FROM things, shared").Scan(&name, &shared, &path)
		if err != nil || name != tt.want || shared != "shared" || path != tt.path {
			t.Errorf("%s, %s, %s, %v; want %s, shared, %s", name, shared, path, err, tt.want, tt.path)
		}
	}
}

func TestPoolRefusesWithoutTenant(t *testing.T) {
	t.Parallel()

	tracer := &counter{}
	pool := newPool(t, "CREATE SCHEMA a; CREATE TABLE a.things (id int)", func(c *pgxpool.Config) { c.ConnConfig.Tracer = tracer })
	ctx := t.Context()
	pending, _ := tenant.NewPending(ctx, &tenant.Tenant{ID: 1, Schema: tenant.MustParseSchema("a")})
	for _, tt := range []struct {
		name string
		ctx  context.Context
		want error
	}{
		{"none", ctx, tenant.ErrNoTenant},
		{"pending", pending, tenant.ErrUncommitted},
	} {
		for name, call := range map[string]func() error{
			"Exec":      func() error { _, err := pool.Exec(tt.ctx, "INSERT INTO things VALUES (1)"); return err },
			"Query":     func() error { rows, err := pool.Query(tt.ctx, "SELECT 1"); rows.Close(); return err },
			"QueryRow":  func() error { return pool.QueryRow(tt.ctx, "SELECT 1").Scan(new(int)) },
			"Begin":     func() error { _, err := pool.Begin(tt.ctx); return err },
			"Acquire":   func() error { _, err := pool.Acquire(tt.ctx); return err },
			"Ping":      func() error { return pool.Ping(tt.ctx) },
			"SendBatch": func() error { b := &pgx.Batch{}; b.Queue("SELECT 1"); return pool.SendBatch(tt.ctx, b).Close() },
			"CopyFrom": func() error {
				_, err := pool.CopyFrom(tt.ctx, pgx.Identifier{"things"}, []string{"id"}, pgx.CopyFromRows([][]any{{1}}))
				return err
			},
		} {
			if err := call(); !errors.Is(err, tt.want) {
				t.Errorf("%s, tenant %s: %v; want %v", name, tt.name, err, tt.want)
			}
		}
	}
	if n := tracer.count(); n != 0 {
		t.Errorf("%d statements reached the server", n)
	}
	if n := pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections still acquired", n)
	}
}

// counter is a tracer that counts statements.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *counter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// A schema that is gone is an error: neither public's rows are read nor written,
// nor those of the tenant before.
func TestPoolRefusesMissingSchema(t *testing.T) {
	t.Parallel()

	pool := newPool(t, `
		CREATE TABLE things (name text);
		CREATE SCHEMA a; CREATE TABLE a.things (name text);
		CREATE SCHEMA b; CREATE TABLE b.things (name text);
	`, func(c *pgxpool.Config) { c.MaxConns = 1 })
	write := func(ctx context.Context) error {
		_, err := pool.Exec(ctx, "INSERT INTO things VALUES ('x')")
		return err
	}
	if err := errors.Join(write(as(t, 1, "a")), write(as(t, 2, "b"))); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(tenant.Public(t.Context()), "ALTER SCHEMA b RENAME TO c"); err != nil {
		t.Fatal(err)
	}
	err := write(as(t, 2, "b"))
	if !errors.Is(err, tenant.ErrSchemaNotFound) || !strings.Contains(err.Error(), `tenant "b"`) {
		t.Errorf("write to the renamed schema: %v", err)
	}
	if err := write(as(t, 1, "a")); err != nil {
		t.Errorf("the connection after the refusal: %v", err)
	}
	var public, a, c int
	err = pool.QueryRow(tenant.Public(t.Context()), "SELECT (SELECT count(*) FROM public.things), (SELECT count(*) FROM a.things), (SELECT count(*) FROM c.things)").Scan(&public, &a, &c)
	if err != nil || public != 0 || a != 2 || c != 1 {
		t.Errorf("rows: public %d, a %d, c %d, %v; want 0, 2, 1", public, a, c, err)
	}
}

// Types of the same name differ by schema: what pgx knows of a statement for one
// tenant must not serve another. A change of a table must not break a statement
// that ran before it.
func TestPoolDescribesForEachTenant(t *testing.T) {
	t.Parallel()

	pool := newPool(t, `
		CREATE SCHEMA a; CREATE TYPE a.mood AS ENUM ('sad', 'fine'); CREATE TABLE a.people (mood a.mood);
		CREATE SCHEMA b; CREATE TYPE b.mood AS ENUM ('fine', 'glad'); CREATE TABLE b.people (mood b.mood);
	`, func(c *pgxpool.Config) { c.MaxConns = 1 })
	for range 3 {
		for id, schema := range []string{"a", "b"} {
			ctx := as(t, int64(id), schema)
			var mood string
			if err := pool.QueryRow(ctx, "INSERT INTO people VALUES ($1) RETURNING mood", "fine").Scan(&mood); err != nil || mood != "fine" {
				t.Errorf("%s: %q, %v", schema, mood, err)
			}
			if _, err := pool.Exec(ctx, "SELECT * FROM people"); err != nil {
				t.Errorf("%s: %v", schema, err)
			}
			if _, err := pool.Exec(ctx, fmt.Sprintf("ALTER TABLE people ADD COLUMN c%d int", pool.Stat().AcquireCount())); err != nil {
				t.Errorf("%s: %v", schema, err)
			}
		}
	}
}

// Connections that died in the pool, or under a call that was cancelled, are
// replaced without the application noticing.
func TestPoolReplacesBrokenConnections(t *testing.T) {
	t.Parallel()

	pool := newPool(t, "CREATE SCHEMA a", func(c *pgxpool.Config) { c.MaxConns = 2 })
	ctx := as(t, 1, "a")
	for range 3 {
		first, err := pool.Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		second, err := pool.Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := first.Exec(ctx, "SELECT pg_terminate_backend($1)", second.Conn().PgConn().PID()); err != nil {
			t.Fatal(err)
		}
		second.Release()
		first.Release()
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if err := pool.Ping(cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("Ping with a cancelled context: %v", err)
		}
		for range 4 {
			if err := pool.Ping(ctx); err != nil {
				t.Errorf("Ping: %v", err)
			}
		}
	}
}

// The user's own PrepareConn runs after ours, on the tenant's path.
func TestPoolKeepsPrepareConn(t *testing.T) {
	t.Parallel()

	var path string
	pool := newPool(t, "CREATE SCHEMA a", func(c *pgxpool.Config) {
		c.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
			return true, conn.QueryRow(ctx, "SHOW search_path").Scan(&path)
		}
	})
	if err := pool.Ping(as(t, 1, "a")); err != nil || !strings.HasPrefix(path, "a,") {
		t.Errorf("Ping: %v, path %s", err, path)
	}
}

// A hook that pgxpool would ignore is refused.
func TestPoolRefusesBeforeAcquire(t *testing.T) {
	t.Parallel()

	config, err := pgxpool.ParseConfig(testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	config.BeforeAcquire = func(context.Context, *pgx.Conn) bool { return true } //nolint:staticcheck // what is tested
	if pool, err := pgxtenant.New(t.Context(), config); err == nil || !strings.Contains(err.Error(), "PrepareConn") {
		t.Errorf("NewPool: %v, %v", pool, err)
	}
}

// Hundreds of goroutines over many tenants, one of which has no schema, write and
// read in every way, while calls are cancelled, transactions rolled back, paths
// changed by the application, and connections killed. In the end no row is where it
// does not belong.
func TestStorm(t *testing.T) {
	t.Parallel()

	const tenants, goroutines, rounds = 30, 100, 30
	setup := "CREATE TABLE things (name text);"
	for i := range tenants {
		setup += fmt.Sprintf("CREATE SCHEMA t%[1]d; CREATE TABLE t%[1]d.things (name text); INSERT INTO t%[1]d.things VALUES ('t%[1]d');", i)
	}
	db := newPool(t, setup, func(c *pgxpool.Config) { c.MaxConns = 8 })
	killer := newPool(t, "")
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(g)))
			for range rounds {
				i := random.IntN(tenants + 1) // the last has no schema
				schema := fmt.Sprintf("t%d", i)
				ctx, cancel := context.WithCancel(as(t, int64(i+1), schema))
				switch random.IntN(10) {
				case 0:
					go cancel()
				case 1:
					// Any backend of the pool, in the middle of anything.
					_, _ = killer.Exec(tenant.Public(t.Context()), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 ORDER BY random() LIMIT 1",
						db.Pool().Config().ConnConfig.Database)
				}
				stormy(ctx, t, db, schema, random.IntN(7))
				cancel()
			}
		})
	}
	wg.Wait()
	for i := range tenants {
		var foreign, own int
		err := eventually(func() error {
			return db.QueryRow(as(t, int64(i+1), fmt.Sprintf("t%d", i)), "SELECT count(*) FILTER (WHERE name <> current_schema()), count(*) FILTER (WHERE name = current_schema()) FROM things").Scan(&foreign, &own)
		})
		if err != nil || foreign != 0 || own < 2 {
			t.Errorf("t%d: %d foreign rows, %d of its own, %v", i, foreign, own, err)
		}
	}
	var public int
	if err := db.QueryRow(tenant.Public(t.Context()), "SELECT count(*) FROM things").Scan(&public); err != nil || public != 0 {
		t.Errorf("public: %d rows, %v", public, err)
	}
}

// eventually calls f until it succeeds: connections that were killed in the pool
// fail once each.
func eventually(f func() error) error {
	err := f()
	for range 20 {
		if err == nil {
			break
		}
		err = f()
	}
	return err
}

// stormy does one of a few things with the tenant's table. Calls may fail, but none
// may show or write another's row.
func stormy(ctx context.Context, t *testing.T, db *pgxtenant.DB, schema string, what int) {
	t.Helper()
	const insert = "INSERT INTO things VALUES ($1)"
	switch what {
	case 0:
		var name string
		if err := db.QueryRow(ctx, "SELECT DISTINCT name FROM things").Scan(&name); err == nil && name != schema {
			t.Errorf("%s read a row of %q", schema, name)
		}
	case 1:
		_, _ = db.Exec(ctx, insert, schema)
	case 2:
		_, _ = db.Exec(ctx, "INSERT INTO things VALUES ('"+schema+"')")
	case 3:
		b := &pgx.Batch{}
		b.Queue(insert, schema)
		b.Queue("SELECT 1 / (random() * 2)::int")
		_ = db.SendBatch(ctx, b).Close()
	case 4:
		tx, err := db.Begin(ctx)
		if err != nil {
			return
		}
		_, _ = tx.Exec(ctx, insert, schema)
		if len(schema)%2 == 0 {
			_ = tx.Commit(ctx)
		} else {
			_ = tx.Rollback(ctx)
		}
	case 5:
		conn, err := db.Acquire(ctx)
		if err != nil {
			return
		}
		defer conn.Release()
		_, _ = conn.Exec(ctx, "SELECT set_config('search_path', 't0', false)")
	case 6:
		_, _ = db.CopyFrom(ctx, pgx.Identifier{"things"}, []string{"name"}, pgx.CopyFromRows([][]any{{schema}}))
	}
}
