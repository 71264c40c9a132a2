package sqltenant_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/sqltenant"
)

// A transaction that has failed is not over because something was refused that begins
// as its end does. Nobody else gets the connection.
func TestFailedTransaction(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		db := newBase(t, newConnector, twoTenants).open(t, nil)
		conn, err := db.Conn(asA(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.ExecContext(asA(t), "BEGIN"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := conn.ExecContext(asA(t), "END IF"); err == nil {
			t.Errorf("%s: END IF was taken", name)
		}
		if err := conn.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := db.ExecContext(asB(t), "INSERT INTO things VALUES ('x')"); err != nil {
			t.Errorf("%s: another's: %v", name, err)
		}
	}
}

// A role that may not use the tenant's schema does not write to public.
func TestRoleWithoutUsage(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		for _, config := range []*sqltenant.Config{nil, {LimitSetCalls: true}} {
			b := newBase(t, newConnector, twoTenants)
			stranger, err := pgx.ParseConfig(testdb.Role(t, b.url))
			if err != nil {
				t.Fatal(err)
			}
			role := stranger.User
			b.exec(t, "GRANT ALL ON public.things TO "+role)
			db := b.open(t, config)
			for _, sql := range []string{
				"SET LOCAL ROLE $; INSERT INTO things VALUES ('x')",
				"BEGIN; SET LOCAL ROLE $; INSERT INTO things VALUES ('x'); COMMIT",
			} {
				if _, err := db.ExecContext(asA(t), strings.ReplaceAll(sql, "$", role)); err == nil {
					t.Errorf("%s: %s: no error", name, sql)
				}
			}
			conn, err := db.Conn(asA(t))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.ExecContext(asA(t), "SET ROLE "+role); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := conn.ExecContext(asA(t), "INSERT INTO things VALUES ($1)", "x"); err == nil {
				t.Errorf("%s: no error", name)
			}
			if err := conn.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if n := b.count(t, "SELECT count(*) FROM public.things"); n != 0 {
				t.Errorf("%s: %d rows in public", name, n)
			}
		}
	}
}

// A statement that fails while it runs is not run again.
func TestNotTwice(t *testing.T) {
	t.Parallel()

	const setup = twoTenants + `; CREATE SEQUENCE a.tries; CREATE FUNCTION a.f() RETURNS int LANGUAGE plpgsql AS $$
		DECLARE s text := 'abc'; BEGIN PERFORM nextval('a.tries'); RETURN s::int; END $$`
	for name, newConnector := range makers() {
		b := newBase(t, newConnector, setup)
		db := b.open(t, nil)
		if _, err := db.ExecContext(asA(t), "SELECT f()"); err == nil {
			t.Errorf("%s: no error", name)
		}
		if n := b.count(t, "SELECT last_value FROM a.tries"); n != 1 {
			t.Errorf("%s: it ran %d times", name, n)
		}
	}
}
