package sqltenant_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cotenant/cotenant/sqltenant"
	"github.com/cotenant/cotenant/tenant"
)

// pid returns the server process of the only connection.
func pid(ctx context.Context, t *testing.T, db querier) (pid int) {
	t.Helper()
	if err := db.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		t.Error(err)
	}
	return pid
}

// What is left in a session ends with it: the connection is replaced.
func TestNothingCarriesOver(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			for _, limit := range []bool{false, true} {
				db := b.open(t, &sqltenant.Config{LimitSetCalls: limit})
				ctx := asA(t)
				for _, text := range []string{
					"CREATE TEMP TABLE things (name text)", "SELECT 'x' AS name INTO TEMP things", "SELECT pg_try_advisory_lock(1)",
					"SET statement_timeout = 77777", "SELECT set_config('lock_timeout', '77777', false)", "LISTEN things", "PREPARE p AS SELECT 1",
					"SET ROLE pg_monitor", "SET SESSION AUTHORIZATION pg_monitor", "BEGIN", "BEGIN; INSERT INTO things VALUES ('x')", "SELECT 1; BEGIN",
					"BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT", "DO $$BEGIN EXECUTE 'SET lock_timeout = 77777'; END$$", "DISCARD TEMP",
					"COMMIT; BEGIN",
				} {
					before := pid(ctx, t, db)
					if _, err := db.ExecContext(ctx, text); err != nil {
						t.Errorf("%s: %v", text, err)
					}
					in(asB(t), t, db, "b")
					if pid(asB(t), t, db) == before {
						t.Errorf("%s: the connection is the same", text)
					}
				}
				for _, text := range []string{
					"SELECT 1", "BEGIN; SET LOCAL lock_timeout = 1; COMMIT", "SELECT pg_advisory_xact_lock(1)", "CREATE TEMP TABLE t () ON COMMIT DROP",
					"SET search_path TO b", "INSERT INTO things VALUES ('x')", "VACUUM things", "SELECT nothing FROM nowhere",
				} {
					before := pid(ctx, t, db)
					_, _ = db.ExecContext(ctx, text)
					if pid(asB(t), t, db) != before {
						t.Errorf("%s: the connection was replaced", text)
					}
				}
				if n := b.count(t, "SELECT count(*) FROM a.things"); n != 1 && !limit {
					t.Errorf("%d rows of transactions that were left open", n-1)
				}
			}
		})
	}
}

// A transaction that was begun by text goes on, and its end is seen.
func TestTransactionByText(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db := b.open(t, nil)
			conn, err := db.Conn(asA(t))
			if err != nil {
				t.Fatal(err)
			}
			before := pid(asA(t), t, conn)
			for _, end := range []string{"COMMIT", "ROLLBACK", "END WORK", "ABORT", "INSERT INTO things VALUES ('z'); COMMIT"} {
				for _, text := range []string{"BEGIN", "INSERT INTO things VALUES ('x')", "SET search_path TO b", "INSERT INTO things VALUES ('y')", end} {
					if _, err := conn.ExecContext(asA(t), text); err != nil {
						t.Errorf("%s: %v", text, err)
					}
				}
				in(asA(t), t, conn, "a")
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
			if pid(asB(t), t, db) != before {
				t.Error("the connection was replaced")
			}
			// In a transaction the path is what the application made it.
			if a, b := b.count(t, "SELECT count(*) FROM a.things"), b.count(t, "SELECT count(*) FROM b.things"); a != 3 || b != 4 {
				t.Errorf("%d, %d rows", a, b)
			}
		})
	}
}

// A transaction that fails is over when its COMMIT was executed, and not before.
func TestTransactionByTextFails(t *testing.T) {
	t.Parallel()

	const setup = twoTenants + "CREATE TABLE a.firsts (id int PRIMARY KEY); CREATE TABLE a.seconds (id int REFERENCES a.firsts DEFERRABLE INITIALLY DEFERRED)"
	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, setup)
			db := b.open(t, nil)
			for _, test := range []struct {
				texts    []string // the last one fails
				replaced bool
			}{
				{[]string{"BEGIN; SELECT 1/0; COMMIT"}, true},
				{[]string{"BEGIN", "SELECT 1/0; COMMIT"}, true},
				{[]string{"BEGIN", "INSERT INTO seconds VALUES (1)", "COMMIT"}, false},
			} {
				before := pid(asA(t), t, db)
				conn, err := db.Conn(asA(t))
				if err != nil {
					t.Fatal(err)
				}
				for i, text := range test.texts {
					if _, err := conn.ExecContext(asA(t), text); (err != nil) != (i == len(test.texts)-1) {
						t.Errorf("%s: %v", text, err)
					}
				}
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
				in(asB(t), t, db, "b")
				if replaced := pid(asA(t), t, db) != before; replaced != test.replaced {
					t.Errorf("%q: replaced: %t", test.texts, replaced)
				}
			}
		})
	}
}

// Where the driver cannot tell whether a transaction is open, the connection is
// replaced.
func TestBeginFails(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db := b.open(t, nil)
			before := pid(asA(t), t, db)
			if _, err := db.BeginTx(asA(t), &sql.TxOptions{Isolation: sql.LevelLinearizable}); err == nil {
				t.Error("begun")
			}
			if pid(asA(t), t, db) == before {
				t.Error("the connection is the same")
			}
		})
	}
}

// A connection is replaced after MaxTenants tenants.
func TestMaxTenants(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants+"CREATE SCHEMA c")
			db := b.open(t, &sqltenant.Config{MaxTenants: 2})
			first := pid(asA(t), t, db)
			for range 3 {
				if pid(asA(t), t, db) != first || pid(asB(t), t, db) != first {
					t.Error("replaced early")
				}
			}
			if pid(as(t, 3, "c"), t, db) != first || pid(asA(t), t, db) == first {
				t.Error("not replaced")
			}
		})
	}
}

// A role that may not use a schema would find its names among the shared tables.
func TestRoles(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants+"GRANT SELECT ON public.things TO pg_monitor")
			db := b.open(t, nil)
			conn, err := db.Conn(asA(t))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.ExecContext(asA(t), "SET ROLE pg_monitor"); err != nil {
				t.Error(err)
			}
			if schema, err := where(asA(t), conn); err == nil {
				t.Errorf("things are in %q", schema)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
			tx, err := db.BeginTx(asA(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.ExecContext(asA(t), "SAVEPOINT s; SET LOCAL ROLE pg_monitor"); err != nil {
				t.Error(err)
			}
			if schema, err := where(asA(t), tx); err == nil {
				t.Errorf("in a transaction things are in %q", schema)
			}
			if _, err := tx.ExecContext(asA(t), "ROLLBACK TO s"); err != nil {
				t.Error(err)
			}
			in(asA(t), t, tx, "a")
			if err := tx.Commit(); err != nil {
				t.Error(err)
			}
			in(asB(t), t, db, "b")
			// The role is gone with its transaction, and so are the proofs.
			conn, err = db.Conn(asA(t))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for i, text := range []string{"SET LOCAL ROLE NONE", "INSERT INTO things VALUES ('x')"} {
				tx, err := conn.BeginTx(asA(t), nil)
				if err != nil {
					t.Fatal(err)
				}
				n := b.during(t, func() error { _, err := tx.ExecContext(asA(t), text); return err })
				if err := tx.Commit(); err != nil || n != 1 {
					t.Errorf("transaction %d: %d round trips, %v", i, n, err)
				}
			}
		})
	}
}

// sql.Conn.Raw leads to the driver's connection, on the path, and what is done there
// ends with it.
func TestRaw(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db := b.open(t, nil)
			conn, err := db.Conn(asA(t))
			if err != nil {
				t.Fatal(err)
			}
			raw := func(f func(sqltenant.Raw) error) {
				t.Helper()
				if err := conn.Raw(func(c any) error { return f(c.(sqltenant.Raw)) }); err != nil {
					t.Error(err)
				}
			}
			raw(func(c sqltenant.Raw) error {
				if inner := c.Unwrap(); inner != nil {
					return fmt.Errorf("a %T for nobody", inner)
				}
				return nil
			})
			if err := conn.PingContext(asA(t)); err != nil {
				t.Error(err)
			}
			for range 2 {
				raw(func(c sqltenant.Raw) error {
					if inner, ok := c.Unwrap().(*stdlib.Conn); ok {
						_, err := inner.Conn().CopyFrom(asA(t), pgx.Identifier{"things"}, []string{"name"}, pgx.CopyFromRows([][]any{{"y"}}))
						return err
					}
					_, err := c.Unwrap().(driver.ExecerContext).ExecContext(asA(t), "INSERT INTO things VALUES ('y')", nil)
					return err
				})
			}
			raw(func(c sqltenant.Raw) error {
				_, err := c.Unwrap().(driver.ExecerContext).ExecContext(asA(t), "SET search_path TO b; CREATE TEMP TABLE more (); BEGIN; COMMIT", nil)
				return err
			})
			in(asA(t), t, conn, "a")
			before := pid(asA(t), t, conn)
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
			if pid(asB(t), t, db) == before {
				t.Error("the connection is the same")
			}
			if n := b.count(t, "SELECT count(*) FROM a.things"); n != 2 {
				t.Errorf("%d rows; want 2", n)
			}
			// Where the schema is gone, the path may be another's.
			conn, err = db.Conn(as(t, 3, "gone"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.PingContext(as(t, 3, "gone")); !errors.Is(err, tenant.ErrSchemaNotFound) {
				t.Error(err)
			}
			raw(func(c sqltenant.Raw) error {
				if inner := c.Unwrap(); inner != nil {
					return fmt.Errorf("a %T where the schema is gone", inner)
				}
				return nil
			})
		})
	}
}

// The tenant's path is back after the application has changed it.
func TestPathChanged(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			for _, limit := range []bool{false, true} {
				db := b.open(t, &sqltenant.Config{LimitSetCalls: limit})
				for _, text := range []string{
					"SET search_path TO b", "SET SESSION search_path = b, public", "SET SCHEMA 'b'", "RESET search_path", "RESET ALL", "DISCARD ALL",
					"SELECT set_config('search_path', 'b', false)", "DO $$BEGIN SET search_path TO b; END$$", "SELECT 1; SET search_path TO b",
					"UPDATE pg_settings SET setting = 'b' WHERE name = 'search_path'",
				} {
					if _, err := db.ExecContext(asA(t), text); err != nil {
						t.Errorf("%s: %v", text, err)
					}
					in(asA(t), t, db, "a")
					conn, err := db.Conn(asA(t))
					if err != nil {
						t.Fatal(err)
					}
					if _, err := conn.ExecContext(asA(t), text); err != nil {
						t.Errorf("on a connection: %s: %v", text, err)
					}
					in(asA(t), t, conn, "a")
					if err := conn.Close(); err != nil {
						t.Error(err)
					}
					for _, end := range []func(*sql.Tx) error{(*sql.Tx).Commit, (*sql.Tx).Rollback} {
						tx, err := db.BeginTx(asA(t), nil)
						if err != nil {
							t.Fatal(err)
						}
						_, err = tx.ExecContext(asA(t), text)
						if failed := end(tx); (err != nil || failed != nil) && text != "DISCARD ALL" {
							t.Errorf("in a transaction: %s: %v, %v", text, err, failed)
						}
						in(asA(t), t, db, "a")
					}
					stmt, err := db.PrepareContext(asA(t), text)
					if err == nil {
						defer stmt.Close()
						if _, err := stmt.ExecContext(asA(t)); err != nil {
							t.Errorf("prepared: %s: %v", text, err)
						}
						in(asA(t), t, db, "a")
					}
					in(asB(t), t, db, "b")
				}
			}
		})
	}
}
