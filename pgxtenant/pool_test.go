package pgxtenant_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/tenant"
)

func TestPoolScopes(t *testing.T) {
	t.Parallel()

	// One connection, so that each query finds the path of the one before.
	pool := newDBWith(t, &pgxtenant.Config{ExtraSchemas: []tenant.Schema{tenant.MustParseSchema("extra")}}, `
		CREATE TABLE things (name text); INSERT INTO things VALUES ('public');
		CREATE TABLE shared (name text); INSERT INTO shared VALUES ('shared');
		CREATE SCHEMA extra; CREATE TABLE extra.more (name text); INSERT INTO extra.more VALUES ('more');
		CREATE SCHEMA a; CREATE TABLE a.things (name text); INSERT INTO a.things VALUES ('a');
		CREATE SCHEMA "B-2"; CREATE TABLE "B-2".things (name text); INSERT INTO "B-2".things VALUES ('b');
	`, one)
	for range 3 {
		for _, tt := range []struct {
			ctx        context.Context
			want, path string
		}{
			{as(t, 1, "a"), "a", "a, public, extra, pg_temp"},
			{as(t, 2, "B-2"), "b", `"B-2", public, extra, pg_temp`},
			{tenant.Public(t.Context()), "public", "public, extra, pg_temp"},
			{tenant.WithoutPublic(tenant.Public(t.Context())), "public", "public, extra, pg_temp"},
			{as(t, 1, "a"), "a", "a, public, extra, pg_temp"},
		} {
			var name, shared, more, path string
			err := pool.QueryRow(tt.ctx, "SELECT things.name, shared.name, more.name, current_setting('search_path') FROM things, shared, more").Scan(&name, &shared, &more, &path)
			if err != nil || name != tt.want || shared != "shared" || more != "more" || path != tt.path {
				t.Errorf("%s, %s, %s, %s, %v; want %s, shared, more, %s", name, shared, more, path, err, tt.want, tt.path)
			}
		}
		var name, path string
		alone := tenant.WithoutPublic(as(t, 1, "a"))
		if err := pool.QueryRow(alone, "SELECT name, current_setting('search_path') FROM things").Scan(&name, &path); err != nil || name != "a" || path != "a, pg_temp" {
			t.Errorf("without public: %s, %s, %v", name, path, err)
		}
		if err := pool.QueryRow(alone, "SELECT name FROM shared").Scan(&name); dbCode(err) != "42P01" {
			t.Errorf("a shared table without public: %v", err)
		}
	}
}

// dbCode returns the SQLSTATE of an error.
func dbCode(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

func TestPoolRefusesWithoutTenant(t *testing.T) {
	t.Parallel()

	tracer := &tracer{}
	pool := newDB(t, "CREATE SCHEMA a; CREATE TABLE a.things (id int)", func(c *pgxpool.Config) { c.ConnConfig.Tracer = tracer })
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

// A schema that is gone is an error: neither public's rows are read nor written,
// nor those of the tenant before.
func TestPoolRefusesMissingSchema(t *testing.T) {
	t.Parallel()

	pool := newDB(t, `
		CREATE TABLE things (name text);
		CREATE SCHEMA a; CREATE TABLE a.things (name text);
		CREATE SCHEMA b; CREATE TABLE b.things (name text);
	`, one)
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

	pool := newDB(t, `
		CREATE SCHEMA a; CREATE TYPE a.mood AS ENUM ('sad', 'fine'); CREATE TABLE a.people (mood a.mood);
		CREATE SCHEMA b; CREATE TYPE b.mood AS ENUM ('fine', 'glad'); CREATE TABLE b.people (mood b.mood);
	`, one)
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

	pool := newDB(t, "CREATE SCHEMA a", func(c *pgxpool.Config) { c.MaxConns = 2 })
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
