package sqltenant_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/cotenant/cotenant/sqltenant"
	"github.com/cotenant/cotenant/tenant"
)

// A transaction and a connection are their tenant's.
func TestOwner(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db := b.open(t, nil)
			tx, err := db.BeginTx(asA(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			belongsToA(t, b, tx)
			if err := tx.Commit(); err != nil {
				t.Error(err)
			}
			conn, err := db.Conn(asA(t))
			if err != nil {
				t.Fatal(err)
			}
			fresh, err := b.open(t, nil).Conn(asA(t))
			if err != nil {
				t.Fatal(err)
			}
			defer fresh.Close()
			for _, c := range []*sql.Conn{conn, fresh} {
				if _, err := c.ExecContext(asB(t), "INSERT INTO things VALUES ('x')"); !errors.Is(err, tenant.ErrOtherTenant) {
					t.Errorf("its first call: %v", err)
				}
			}
			belongsToA(t, b, conn)
			if _, err := conn.BeginTx(asB(t), nil); !errors.Is(err, tenant.ErrOtherTenant) {
				t.Errorf("Begin: %v", err)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
			in(asB(t), t, db, "b")
			if n := b.count(t, "SELECT count(*) FROM a.things") * 10; n+b.count(t, "SELECT count(*) FROM b.things") != 40 {
				t.Errorf("%d rows", n)
			}
		})
	}
}

// belongsToA uses q, whose first call is this, with contexts of others.
func belongsToA(t *testing.T, b *base, q querier) {
	t.Helper()
	const insert = "INSERT INTO things VALUES ('x')"
	if _, err := q.ExecContext(asA(t), insert); err != nil {
		t.Error(err)
	}
	stmt, err := q.PrepareContext(asA(t), insert)
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	if _, err := stmt.ExecContext(asA(t)); err != nil {
		t.Error(err)
	}
	for want, ctxs := range map[error][]context.Context{
		tenant.ErrOtherTenant: {asB(t), tenant.WithoutPublic(asA(t)), tenant.Public(t.Context())},
		tenant.ErrNoTenant:    {t.Context()},
	} {
		for _, ctx := range ctxs {
			sent := b.during(t, func() error {
				_, execErr := q.ExecContext(ctx, insert)
				var name string
				queryErr := q.QueryRowContext(ctx, "SELECT name FROM things").Scan(&name)
				again, prepareErr := q.PrepareContext(ctx, insert)
				if prepareErr == nil {
					defer again.Close()
				}
				_, stmtErr := stmt.ExecContext(ctx)
				for _, err := range []error{execErr, queryErr, prepareErr, stmtErr} {
					if !errors.Is(err, want) {
						t.Errorf("%v; want %v", err, want)
					}
				}
				return nil
			})
			if sent != 0 {
				t.Errorf("%d writes for %v", sent, want)
			}
		}
	}
	if tx, ok := q.(*sql.Tx); ok {
		if _, err := tx.Exec(insert); !errors.Is(err, tenant.ErrNoTenant) {
			t.Errorf("Exec without a context: %v", err)
		}
	}
}

// A statement belongs to nobody: it runs in the schema of its caller, with types of
// that schema, on the pool, a connection and a transaction.
func TestStmt(t *testing.T) {
	t.Parallel()

	const setup = `
		CREATE SCHEMA a; CREATE TYPE a.kind AS ENUM ('x'); CREATE TABLE a.things (name a.kind, n int); INSERT INTO a.things VALUES ('x', 1);
		CREATE SCHEMA b; CREATE TYPE b.kind AS ENUM ('y'); CREATE TABLE b.things (n int, name b.kind); INSERT INTO b.things VALUES (2, 'y');`
	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, setup)
			for _, limit := range []bool{false, true} {
				db := b.open(t, &sqltenant.Config{LimitSetCalls: limit})
				stmt, err := db.PrepareContext(asA(t), "SELECT name, n FROM things WHERE name = $1")
				if err != nil {
					t.Fatal(err)
				}
				reads := func(ctx context.Context, stmt *sql.Stmt, name string, n int) {
					t.Helper()
					var gotName string
					var gotN int
					if err := stmt.QueryRowContext(ctx, name).Scan(&gotName, &gotN); err != nil || gotName != name || gotN != n {
						t.Errorf("%q, %d, %v; want %q, %d", gotName, gotN, err, name, n)
					}
				}
				for range 3 {
					reads(asA(t), stmt, "x", 1)
					reads(asB(t), stmt, "y", 2)
				}
				for range 2 {
					tx, err := db.BeginTx(asB(t), nil)
					if err != nil {
						t.Fatal(err)
					}
					in := tx.StmtContext(asB(t), stmt)
					defer in.Close()
					reads(asB(t), in, "y", 2)
					if err := in.QueryRowContext(asA(t), "x").Err(); !errors.Is(err, tenant.ErrOtherTenant) {
						t.Errorf("%v", err)
					}
					if err := tx.Rollback(); err != nil {
						t.Error(err)
					}
					reads(asA(t), stmt, "x", 1)
				}
				if _, err := stmt.ExecContext(asA(t), "x", "y"); err == nil {
					t.Error("a parameter too many was taken")
				}
				var prepared int
				if err := db.QueryRowContext(asA(t), "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT name, n FROM%'").Scan(&prepared); err != nil || prepared != 2 {
					t.Errorf("%d statements are prepared, %v; want 2", prepared, err)
				}
				if err := stmt.Close(); err != nil { //nolint:sqlclosecheck // what it closes is looked at
					t.Error(err)
				}
				if err := db.QueryRowContext(asA(t), "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT name, n FROM%'").Scan(&prepared); err != nil || prepared != 0 {
					t.Errorf("%d statements are left, %v", prepared, err)
				}
			}
		})
	}
}

// A statement for a table that was made anew works, and one that cannot be fails.
func TestStmtOutOfDate(t *testing.T) {
	t.Parallel()

	const anew = "DROP SCHEMA IF EXISTS a CASCADE; CREATE SCHEMA a; CREATE TYPE a.kind AS ENUM ('x'); CREATE TABLE a.things (name a.kind); INSERT INTO a.things VALUES ('x')"
	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, anew)
			db := b.open(t, nil)
			stmt, err := db.PrepareContext(asA(t), "SELECT * FROM things WHERE name = $1")
			if err != nil {
				t.Fatal(err)
			}
			defer stmt.Close()
			for _, change := range []string{"SELECT 1", anew, "ALTER TABLE a.things ALTER name TYPE text", anew, anew} {
				for range 2 {
					var got string
					if err := stmt.QueryRowContext(asA(t), "x").Scan(&got); err != nil || got != "x" {
						t.Errorf("Stmt: %q, %v", got, err)
					}
					if err := db.QueryRowContext(asA(t), "SELECT name FROM things WHERE name = $1", "x").Scan(&got); err != nil || got != "x" {
						t.Errorf("Query: %q, %v", got, err)
					}
				}
				b.exec(t, change)
			}
			if stmt, err := db.PrepareContext(asA(t), "SELECT nothing FROM nowhere"); err == nil {
				defer stmt.Close()
				t.Error("a statement that cannot be was prepared")
			}
		})
	}
}
