package pgxtenant_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/pgxtenant"
)

// A connection in which something was left goes no further; one in which nothing
// was, does.
func TestNothingCarriesOver(t *testing.T) {
	t.Parallel()

	db := newDB(t, twoTenants, one)
	a, b := as(t, 1, "a"), as(t, 2, "b")
	pid := func(ctx context.Context) (pid int) {
		t.Helper()
		if err := db.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
			t.Fatal(err)
		}
		return pid
	}
	for sql, left := range map[string]bool{
		"SELECT 1":                                               false,
		"INSERT INTO things VALUES ('x')":                        false,
		"UPDATE things SET name = 'y'":                           false,
		"CREATE TEMP TABLE things (name text)":                   true,
		"BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT": true,
		"SELECT pg_advisory_lock(1)":                             true,
		"SELECT pg_try_advisory_lock(1)":                         true,
		"SET ROLE pg_monitor":                                    true,
		"SET statement_timeout = 5000":                           true,
		"SELECT set_config('statement_timeout', '5000', false)":  true,
		"LISTEN news":                                            true,
	} {
		before := pid(a)
		if _, err := db.Exec(a, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		if after := pid(b); (after != before) != left {
			t.Errorf("%s: the connection was replaced: %t, want %t", sql, after != before, left)
		}
	}
	// By way of the pool, too.
	before := pid(a)
	if _, err := db.Pool().Exec(a, "LISTEN news"); err != nil {
		t.Fatal(err)
	}
	if pid(b) == before {
		t.Error("by way of the pool the connection was kept")
	}
}

// A connection is replaced after so many tenants, however often each comes.
func TestMaxTenants(t *testing.T) {
	t.Parallel()

	setup := ""
	for i := range 10 {
		setup += fmt.Sprintf("CREATE SCHEMA t%d;", i)
	}
	db := newDBWith(t, &pgxtenant.Config{MaxTenants: 4}, setup, one)
	pids := map[int]bool{}
	for i := range 10 {
		for range 3 {
			var pid int
			if err := db.QueryRow(as(t, int64(i+1), fmt.Sprintf("t%d", i)), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
				t.Fatal(err)
			}
			pids[pid] = true
		}
	}
	if len(pids) != 3 { // the fifth tenant is one too many, and comes on the next connection again
		t.Errorf("%d connections for 10 tenants, 4 each", len(pids))
	}
}

// The hooks of the application's pool run, and may send what they like: before
// there is a tenant, and when it is gone.
func TestHooks(t *testing.T) {
	t.Parallel()

	ran := map[string]int{}
	path := ""
	hook := func(name string, conn *pgx.Conn) error {
		ran[name]++
		_, err := conn.Exec(context.Background(), "SELECT 1") //nolint:usetesting // as the application would
		return err
	}
	db := newDB(t, "CREATE SCHEMA a", one, func(c *pgxpool.Config) {
		c.BeforeConnect = func(context.Context, *pgx.ConnConfig) error { ran["BeforeConnect"]++; return nil }
		c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "SET statement_timeout = 50000")
			return errors.Join(err, hook("AfterConnect", conn))
		}
		c.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
			ran["PrepareConn"]++
			return true, conn.QueryRow(ctx, "SHOW search_path").Scan(&path)
		}
		c.AfterRelease = func(conn *pgx.Conn) bool {
			if err := hook("AfterRelease", conn); err != nil {
				t.Error(err)
			}
			return true
		}
		c.BeforeClose = func(conn *pgx.Conn) {
			if err := hook("BeforeClose", conn); err != nil {
				t.Error(err)
			}
		}
	})
	for range 2 {
		if err := db.Ping(as(t, 1, "a")); err != nil || path != "a, public, pg_temp" {
			t.Errorf("Ping: %v, path %s", err, path)
		}
	}
	db.Close()
	for name, want := range map[string]int{"BeforeConnect": 1, "AfterConnect": 1, "PrepareConn": 2, "AfterRelease": 2, "BeforeClose": 1} {
		if ran[name] != want {
			t.Errorf("%s ran %d times, want %d", name, ran[name], want)
		}
	}
}
