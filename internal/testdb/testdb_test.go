package testdb_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

func TestNew(t *testing.T) { //nolint:tparallel // its subtest comes first
	t.Parallel()
	parent := t
	var names []string
	t.Run("made", func(t *testing.T) { // what it leaves is looked at next
		for range 3 {
			conn := connect(parent, testdb.New(t)) // still open when the database is to be dropped
			name, tables := "", 0
			err := conn.QueryRow(t.Context(),
				`SELECT current_database(), (SELECT count(*) FROM pg_tables WHERE schemaname = 'public')`).Scan(&name, &tables)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(name, "cotenant_test_") || tables != 0 {
				t.Errorf("database %q with %d tables, want an empty one named cotenant_test_…", name, tables)
			}
			if _, err := conn.Exec(t.Context(), `CREATE TABLE customers (id int)`); err != nil {
				t.Error(err)
			}
			names = append(names, name)
		}
	})
	conn := connect(t, testdb.New(t))
	for _, name := range names {
		if count(t, conn, `SELECT count(*) FROM pg_database WHERE datname = $1`, name) != 0 {
			t.Errorf("database %s is left", name)
		}
	}
}

func TestNewParallel(t *testing.T) {
	t.Parallel()
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			conn := connect(t, testdb.New(t))
			if _, err := conn.Exec(t.Context(), `CREATE SCHEMA acme`); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestServerIsForTests(t *testing.T) {
	t.Parallel()
	if os.Getenv("DATABASE_URL") != "" {
		t.Skip("somebody else's server")
	}
	conn := connect(t, testdb.New(t))
	for name, want := range map[string]string{"fsync": "off", "max_connections": "200"} {
		got := ""
		if err := conn.QueryRow(t.Context(), `SELECT current_setting($1)`, name).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}

func TestRole(t *testing.T) { //nolint:tparallel // its subtest comes first
	t.Parallel()
	name := ""
	t.Run("used", func(t *testing.T) { // what it leaves is looked at next
		address := testdb.New(t)
		conn := connect(t, testdb.Role(t, address, "CONNECTION LIMIT 2"))
		var super bool
		err := conn.QueryRow(t.Context(), `SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user`).Scan(&name, &super)
		if err != nil {
			t.Fatal(err)
		}
		if super || !strings.HasPrefix(name, "cotenant_test_") {
			t.Errorf("role %q, superuser: %t; want an ordinary cotenant_test_…", name, super)
		}
		if _, err := conn.Exec(t.Context(), `CREATE SCHEMA acme; CREATE TABLE acme.orders (id int)`); err != nil {
			t.Error(err)
		}
		var refusal *pgconn.PgError
		if _, err := conn.Exec(t.Context(), `CREATE ROLE other`); !errors.As(err, &refusal) || refusal.Code != "42501" {
			t.Errorf("CREATE ROLE: %v, want insufficient_privilege", err)
		}
	})
	conn := connect(t, testdb.New(t))
	if count(t, conn, `SELECT count(*) FROM pg_roles WHERE rolname = $1`, name) != 0 {
		t.Errorf("role %s is left", name)
	}
}

// connect returns a connection that is closed when the test ends.
func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func count(t *testing.T, conn *pgx.Conn, sql string, args ...any) int {
	t.Helper()
	n := 0
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
