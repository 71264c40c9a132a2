package catalog_test

import (
	_ "embed"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// everything has an object of every kind, in most of their forms.
//
//go:embed testdata/everything.sql
var everything string

// connect returns a connection to a fresh database.
func connect(tb testing.TB) *pgx.Conn {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), testdb.New(tb))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close(tb.Context()) })
	return conn
}

func execute(tb testing.TB, conn *pgx.Conn, sql string) {
	tb.Helper()
	if _, err := conn.Exec(tb.Context(), sql); err != nil {
		tb.Fatalf("%.300s: %v", sql, err)
	}
}

// build runs sql in a schema, which it makes if need be, on the path of a migration.
func build(tb testing.TB, conn *pgx.Conn, schema, sql string) {
	tb.Helper()
	s := tenant.MustParseSchema(schema)
	execute(tb, conn, "CREATE SCHEMA IF NOT EXISTS "+searchpath.Quote(s)+"; SET search_path = "+searchpath.For(s)+"; "+sql+"; RESET search_path")
}

// read returns the objects of a schema by key.
func read(tb testing.TB, conn *pgx.Conn, schema string) map[string]catalog.Object {
	tb.Helper()
	objects := map[string]catalog.Object{}
	err := pgx.BeginFunc(tb.Context(), conn, func(tx pgx.Tx) error {
		list, err := catalog.Read(tb.Context(), tx, tenant.MustParseSchema(schema))
		for _, o := range list {
			if other, ok := objects[o.Key()]; ok {
				tb.Errorf("two objects are %q: %+v and %+v", o.Key(), other, o)
			}
			if _, ok := objects[o.Of]; !ok && o.Of != "" {
				tb.Errorf("%s belongs to %q, which does not come before it", o.Key(), o.Of)
			}
			objects[o.Key()] = o
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return objects
}
