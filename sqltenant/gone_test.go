package sqltenant_test

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/sqltenant"
	"github.com/cotenant/cotenant/tenant"
)

// A schema that was renamed or dropped is missed before the next statement is sent,
// which would find the names of it in public.
func TestSchemaGone(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db := b.open(t, nil)
			stmt, err := db.PrepareContext(asA(t), "INSERT INTO things VALUES ($1)")
			if err != nil {
				t.Fatal(err)
			}
			defer stmt.Close()
			for _, change := range []struct{ away, back string }{
				{"ALTER SCHEMA a RENAME TO away", "ALTER SCHEMA away RENAME TO a"},
				{"DROP SCHEMA a CASCADE", "CREATE SCHEMA a; CREATE TABLE a.things (name text)"},
			} {
				if _, err := stmt.ExecContext(asA(t), "x"); err != nil {
					t.Error(err)
				}
				b.exec(t, change.away)
				for range 2 {
					for name, call := range testdb.SQLCalls(asA(t), db) {
						if err := call(); !errors.Is(err, tenant.ErrSchemaNotFound) {
							t.Errorf("%s: %s: %v", change.away, name, err)
						}
					}
					if _, err := stmt.ExecContext(asA(t), "x"); !errors.Is(err, tenant.ErrSchemaNotFound) {
						t.Errorf("%s: %v", change.away, err)
					}
					in(asB(t), t, db, "b")
				}
				b.exec(t, change.back)
				if _, err := stmt.ExecContext(asA(t), "x"); err != nil {
					t.Error(err)
				}
				in(asA(t), t, db, "a")
			}
			if n := b.count(t, "SELECT count(*) FROM public.things"); n != 0 {
				t.Errorf("%d rows in public", n)
			}
		})
	}
}

// A name that another tenant gets is that one's, though the path reads the same.
func TestNameTaken(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db := b.open(t, &sqltenant.Config{LimitSetCalls: true})
			in(asA(t), t, db, "a")
			b.exec(t, "ALTER SCHEMA a RENAME TO away")
			if _, err := where(as(t, 7, "a"), db); !errors.Is(err, tenant.ErrSchemaNotFound) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A role that may not use the schema is refused: PostgreSQL would pass it over.
func TestNoUsage(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db := opened(t, b.wrap(t, roleOf(t, b), nil))
			_, err := where(asA(t), db)
			says(t, err, "permission denied for schema a")
			in(tenant.Public(t.Context()), t, db, "public")
		})
	}
}

// Calls that end at any moment leave no connection on another's path.
func TestCancelled(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			for _, limit := range []bool{false, true} {
				db := b.open(t, &sqltenant.Config{LimitSetCalls: limit})
				random := rand.New(rand.NewPCG(1, 2))
				for i := range 150 {
					whole, want := asA(t), "a"
					if i%2 == 1 {
						whole, want = asB(t), "b"
					}
					ctx, cancel := context.WithTimeout(whole, time.Duration(random.IntN(2500))*time.Microsecond)
					if got, err := where(ctx, db); err == nil && got != want {
						t.Errorf("in %q; want %q", got, want)
					}
					_, _ = db.ExecContext(ctx, "INSERT INTO things VALUES ($1)", want)
					cancel()
				}
				in(asA(t), t, db, "a")
				in(asB(t), t, db, "b")
			}
			if n := b.count(t, "SELECT count(*) FROM (SELECT name, 'a' AS home FROM a.things UNION ALL SELECT name, 'b' FROM b.things UNION ALL SELECT name, 'public' FROM things) AS t WHERE name <> home"); n != 0 {
				t.Errorf("%d rows elsewhere", n)
			}
		})
	}
}

// A call that is too late says that, and its statement is not sent.
func TestTooLate(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db := b.open(t, nil)
			in(asA(t), t, db, "a")
			b.exec(t, "BEGIN; LOCK TABLE pg_namespace") // what sets the path waits
			ctx, cancel := context.WithCancel(asB(t))
			done := make(chan error, 1)
			go func() {
				_, err := db.ExecContext(ctx, "INSERT INTO things VALUES ('x')")
				done <- err
			}()
			b.waits(t)
			cancel()
			b.exec(t, "COMMIT")
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			in(asB(t), t, db, "b")
			if n := b.count(t, "SELECT count(*) FROM b.things"); n != 0 {
				t.Errorf("%d rows", n)
			}
		})
	}
}

// A server process that is killed costs a connection, and no call.
func TestKilled(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db := b.open(t, nil)
			for _, want := range []string{"a", "b", "a"} {
				ctx := map[string]context.Context{"a": asA(t), "b": asB(t)}[want]
				in(ctx, t, db, want)
				b.exec(t, "SELECT pg_terminate_backend($1, 10000)", pid(ctx, t, db))
				in(ctx, t, db, want)
			}
		})
	}
}

// lib/pq's way to copy works, and needs the context for each row.
func TestCopyIn(t *testing.T) {
	t.Parallel()

	b := newBase(t, newPQ, twoTenants)
	db := b.open(t, nil)
	for _, ctx := range []context.Context{asA(t), asB(t)} {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		stmt, err := tx.PrepareContext(ctx, pq.CopyIn("things", "name"))
		if err != nil {
			t.Fatal(err)
		}
		defer stmt.Close()
		for _, row := range []any{"x", "y", nil} {
			if _, err := stmt.ExecContext(ctx, row); err != nil {
				t.Error(err)
			}
		}
		if _, err := stmt.ExecContext(as(t, 7, "other"), "z"); !errors.Is(err, tenant.ErrOtherTenant) {
			t.Error(err)
		}
		if _, err := stmt.Exec(); !errors.Is(err, tenant.ErrNoTenant) {
			t.Error(err)
		}
		result, err := stmt.ExecContext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 3 {
			t.Errorf("%d rows, %v", n, err)
		}
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
	}
	if a, b := b.count(t, "SELECT count(*) FROM a.things"), b.count(t, "SELECT count(*) FROM b.things"); a != 3 || b != 3 {
		t.Errorf("%d, %d rows", a, b)
	}
}

// A statement shows whose it is, where people look.
func TestTag(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db := b.open(t, nil)
			for want, ctx := range map[string]context.Context{"/*tenant='a'*/": asA(t), "/*public='false',tenant='b'*/": tenant.WithoutPublic(asB(t))} {
				var query string
				if err := db.QueryRowContext(ctx, "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()").Scan(&query); err != nil {
					t.Error(err)
				}
				says(t, errors.New(query), want)
			}
			for _, blank := range []string{"", " "} {
				if _, err := db.ExecContext(asA(t), blank); err != nil {
					t.Errorf("%q: %v", blank, err)
				}
			}
		})
	}
}

// A connection keeps so many statements prepared.
func TestManyStatements(t *testing.T) {
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
			defer conn.Close()
			var first *sql.Stmt
			for range 2100 {
				stmt, err := conn.PrepareContext(asA(t), "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'things'::regclass AND $1 = 1")
				if err != nil {
					t.Fatal(err)
				}
				defer stmt.Close()
				if first == nil {
					first = stmt
				}
			}
			var schema string
			if err := first.QueryRowContext(asA(t), 1).Scan(&schema); err != nil || schema != "a" {
				t.Errorf("%q, %v", schema, err)
			}
			var n int
			if err := conn.QueryRowContext(asA(t), "SELECT count(*) FROM pg_prepared_statements").Scan(&n); err != nil || n > 2048 {
				t.Errorf("%d prepared, %v", n, err)
			}
		})
	}
}
