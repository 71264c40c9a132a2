package schemasync_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate/internal/schemasync"
	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

func connect(tb testing.TB, url string) *pgx.Conn {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close(tb.Context()) })
	return conn
}

func execute(tb testing.TB, conn *pgx.Conn, sql string) {
	tb.Helper()
	if _, err := conn.Exec(tb.Context(), sql); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

// split returns the statements of a schema.sql.
func split(tb testing.TB, text string) []sqlfile.Statement {
	tb.Helper()
	statements, err := sqlfile.Split(text)
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return statements
}

// build runs statements in a schema, which it makes if need be, in one transaction.
func build(tb testing.TB, conn *pgx.Conn, schema tenant.Schema, statements []sqlfile.Statement) {
	tb.Helper()
	execute(tb, conn, "CREATE SCHEMA IF NOT EXISTS "+searchpath.Quote(schema))
	err := pgx.BeginFunc(tb.Context(), conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(tb.Context(), "SET LOCAL search_path = "+searchpath.For(schema)); err != nil {
			return err
		}
		for _, s := range statements {
			if _, err := tx.Exec(tb.Context(), s.Text); err != nil {
				tb.Errorf("line %d: %s: %v", s.Line, s.Text, err)
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func read(tb testing.TB, conn *pgx.Conn, schema tenant.Schema) []catalog.Object {
	tb.Helper()
	var objects []catalog.Object
	err := pgx.BeginFunc(tb.Context(), conn, func(tx pgx.Tx) (err error) {
		objects, err = catalog.Read(tb.Context(), tx, schema)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return objects
}

// learn learns apps, given as their schema.sql, and looks whether all is as it was.
func learn(tb testing.TB, conn *pgx.Conn, apps ...string) []*schemasync.Definition {
	tb.Helper()
	var scripts [][]sqlfile.Statement
	for _, text := range apps {
		scripts = append(scripts, split(tb, text))
	}
	var definitions []*schemasync.Definition
	err := pgx.BeginFunc(tb.Context(), conn, func(tx pgx.Tx) (err error) {
		if definitions, err = schemasync.Learn(tb.Context(), tx, scripts, nil); err != nil {
			return err
		}
		path, left := "", 0
		err = tx.QueryRow(tb.Context(), `SELECT current_setting('search_path'), count(*) FROM pg_namespace WHERE nspname LIKE 'cotenant\_scratch%'`).Scan(&path, &left)
		if path != `"$user", public` || left > 0 && err == nil {
			tb.Errorf("afterwards the path is %q, and there are %d scratch schemas", path, left)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return definitions
}

// firsts are the beginnings of statements, in one line each.
func firsts(statements []sqlfile.Statement) string {
	var lines []string
	for _, s := range statements {
		line := strings.Join(strings.Fields(s.Text), " ")
		lines = append(lines, line[:min(len(line), 80)])
	}
	return strings.Join(lines, "\n")
}
