package pgxtenant_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/tenant"
)

// newSQL returns a *sql.DB over a DB of newDB.
func newSQL(t *testing.T, setup string, configure ...func(*pgxpool.Config)) *sql.DB {
	t.Helper()
	return sqlOf(t, newDB(t, setup, configure...))
}

func sqlOf(t *testing.T, db *pgxtenant.DB) *sql.DB {
	t.Helper()
	std := sql.OpenDB(db.Connector())
	t.Cleanup(func() {
		if err := std.Close(); err != nil {
			t.Error(err)
		}
	})
	return std
}

// Every way to write reaches the schema of the tenant in the context, and says in the
// same words that it is gone.
func TestConnectorCalls(t *testing.T) {
	t.Parallel()

	db := newSQL(t, twoTenants, one)
	var gone error
	for name, call := range testdb.SQLCalls(as(t, 3, "gone"), db) {
		err := call()
		if !errors.Is(err, tenant.ErrSchemaNotFound) {
			t.Errorf("%s: %v", name, err)
		}
		if gone == nil {
			gone = err
		}
	}
	for name, call := range testdb.SQLCalls(t.Context(), db) {
		if err := call(); !errors.Is(err, tenant.ErrNoTenant) {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := 0
	for range 2 {
		for name := range testdb.SQLCalls(nil, nil) { //nolint:staticcheck // for the names
			for _, ctx := range []context.Context{as(t, 1, "a"), as(t, 2, "b")} {
				if err := testdb.SQLCalls(ctx, db)[name](); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			n++
		}
	}
	for table, want := range map[string]int{"public.things": 0, "a.things": n, "b.things": n} {
		var got int
		if err := db.QueryRowContext(as(t, 1, "a"), "SELECT count(*) FROM "+table).Scan(&got); err != nil || got != want {
			t.Errorf("%s has %d rows, %v; want %d", table, got, err, want)
		}
	}
}

// A statement belongs to nobody: it runs in the schema of its caller, with types of
// that schema.
func TestConnectorStmt(t *testing.T) {
	t.Parallel()

	db := newSQL(t, `
		CREATE SCHEMA a; CREATE TYPE a.kind AS ENUM ('x'); CREATE TABLE a.things (name a.kind); INSERT INTO a.things VALUES ('x');
		CREATE SCHEMA b; CREATE TYPE b.kind AS ENUM ('y'); CREATE TABLE b.things (name b.kind); INSERT INTO b.things VALUES ('y');`, one)
	stmt, err := db.PrepareContext(as(t, 1, "a"), "SELECT name FROM things WHERE name::text = $1")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for range 3 {
		for schema, want := range map[string]string{"a": "x", "b": "y"} {
			var got string
			if err := stmt.QueryRowContext(as(t, 1+int64(schema[0]-'a'), schema), want).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %q, %v", schema, got, err)
			}
		}
	}
	if _, err := stmt.ExecContext(as(t, 1, "a"), "x", "y"); err == nil {
		t.Error("a parameter too many was taken")
	}
	if stmt, err := db.PrepareContext(as(t, 1, "a"), "SELECT nothing FROM nowhere"); err == nil {
		defer stmt.Close()
		t.Error("a statement that cannot be was prepared")
	}
}

// A transaction and a connection are their tenant's.
func TestConnectorOwner(t *testing.T) {
	t.Parallel()

	db := newSQL(t, twoTenants, one)
	a, b := as(t, 1, "a"), as(t, 2, "b")
	const insert = "INSERT INTO things VALUES ('x')"
	tx, err := db.BeginTx(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, ctx := range []context.Context{b, tenant.WithoutPublic(a), tenant.Public(a)} {
		if _, err := tx.ExecContext(ctx, insert); !errors.Is(err, tenant.ErrOtherTenant) {
			t.Errorf("another's context: %v", err)
		}
	}
	if _, err := tx.Exec(insert); !errors.Is(err, tenant.ErrNoTenant) {
		t.Errorf("no context: %v", err)
	}
	if _, err := tx.ExecContext(a, insert); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	conn, err := db.Conn(a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(b, insert); !errors.Is(err, tenant.ErrOtherTenant) {
		t.Errorf("another's context: %v", err)
	}
	if err := conn.PingContext(t.Context()); err != nil {
		t.Error(err)
	}
	err = conn.Raw(func(c any) error {
		raw := c.(pgxtenant.Raw).Conn()
		if _, err := raw.Exec(b, insert); !errors.Is(err, tenant.ErrOtherTenant) {
			return fmt.Errorf("another's context below: %w", err)
		}
		_, err := raw.CopyFrom(a, pgx.Identifier{"things"}, []string{"name"}, pgx.CopyFromRows([][]any{{"y"}}))
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	var n int
	if err := db.QueryRowContext(b, "SELECT (SELECT count(*) FROM a.things) * 10 + count(*) FROM b.things").Scan(&n); err != nil || n != 20 {
		t.Errorf("%d, %v", n, err)
	}
}

// What is refused says so, and is not taken for a bad connection, which database/sql
// would try again elsewhere.
func TestConnectorRefused(t *testing.T) {
	t.Parallel()

	config := &pgxtenant.Config{Mode: pgxtenant.Transaction}
	db := sqlOf(t, newDBWith(t, config, twoTenants, one))
	if _, err := db.ExecContext(as(t, 1, "a"), "SET lock_timeout = 1"); !errors.Is(err, pgxtenant.ErrLeaves) {
		t.Errorf("SET: %v", err)
	}
	if err := db.QueryRowContext(as(t, 1, "a"), "SELECT pg_advisory_lock($1)", 1).Err(); !errors.Is(err, pgxtenant.ErrLeaves) {
		t.Errorf("a lock of the session: %v", err)
	}
	if _, err := db.ExecContext(as(t, 1, "a"), "VACUUM things"); !errors.Is(err, pgxtenant.ErrAlone) {
		t.Errorf("VACUUM: %v", err)
	}
}

// Ping needs no tenant, and leaves none behind.
func TestConnectorPing(t *testing.T) {
	t.Parallel()

	db := newSQL(t, twoTenants, one)
	if err := db.PingContext(t.Context()); err != nil {
		t.Error(err)
	}
	if err := db.PingContext(as(t, 1, "a")); err != nil {
		t.Error(err)
	}
	if err := db.PingContext(as(t, 3, "gone")); !errors.Is(err, tenant.ErrSchemaNotFound) {
		t.Errorf("%v", err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.PingContext(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := conn.ExecContext(as(t, 1, "a"), "INSERT INTO things VALUES ('x')"); err != nil {
		t.Error(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

// Connections that database/sql opens in the background have no context of a call.
func TestConnectorBackground(t *testing.T) {
	t.Parallel()

	db := newSQL(t, twoTenants)
	db.SetMaxOpenConns(2)
	db.SetMaxIdleConns(0)
	var wg sync.WaitGroup
	for i := range 200 {
		ctx := as(t, 1+int64(i%2), string(rune('a'+i%2)))
		wg.Go(func() {
			var schema string
			err := db.QueryRowContext(ctx, "INSERT INTO things VALUES ($1) RETURNING current_schema()", "x").Scan(&schema)
			if err != nil || schema != string(rune('a'+i%2)) {
				t.Errorf("%q, %v", schema, err)
			}
		})
	}
	wg.Wait()
}

// A statement costs one round trip, once it is known.
func TestConnectorRoundTrips(t *testing.T) {
	t.Parallel()

	var w writes
	db := newSQL(t, twoTenants, one, w.count)
	for range 3 { // described, prepared, known
		for _, ctx := range []context.Context{as(t, 1, "a"), as(t, 2, "b")} {
			if _, err := db.ExecContext(ctx, "INSERT INTO things VALUES ($1)", "x"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 4 {
		for _, ctx := range []context.Context{as(t, 1, "a"), as(t, 2, "b")} {
			n := w.during(t, func() error {
				_, err := db.ExecContext(ctx, "INSERT INTO things VALUES ($1)", "x")
				return err
			})
			if n != 1 {
				t.Errorf("%d round trips; want 1", n)
			}
		}
	}
}

// A call whose context is done says that, and not that the connection is bad.
func TestConnectorDone(t *testing.T) {
	t.Parallel()

	db := newSQL(t, twoTenants, one)
	tx, err := db.BeginTx(as(t, 1, "a"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(as(t, 1, "a"))
	cancel()
	if _, err := tx.ExecContext(ctx, "INSERT INTO things VALUES ($1)", "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("Exec: %v", err)
	}
	var name string
	if err := tx.QueryRowContext(ctx, "SELECT name FROM things WHERE name = $1", "x").Scan(&name); !errors.Is(err, context.Canceled) {
		t.Errorf("QueryRow: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
}
