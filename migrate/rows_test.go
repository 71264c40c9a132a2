package migrate_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cotenant/cotenant/migrate"
)

func TestAppTables(t *testing.T) {
	t.Parallel()

	app := migrate.App{Name: "shop", FS: fstest.MapFS{
		"schema.sql":          {Data: []byte(`CREATE TABLE products (id int); CREATE UNLOGGED TABLE IF NOT EXISTS "Odd" (id int); CREATE VIEW v AS SELECT 1;`)},
		"migrations/1_a.sql":  {Data: []byte("CREATE TABLE items (id int); CREATE TABLE orders (id int);")},
		"migrations/2_b.sql":  {Data: []byte("ALTER TABLE IF EXISTS ONLY items RENAME TO products; ALTER TABLE orders RENAME COLUMN id TO n;")},
		"fixtures/01_all.sql": {Data: []byte("not looked at")},
	}}
	if got, err := app.Tables(); err != nil || !slices.Equal(got, []string{"orders", "products", "Odd"}) {
		t.Errorf("tables are %q, %v", got, err)
	}
}

func TestParseRows(t *testing.T) {
	t.Parallel()

	got, err := migrate.ParseRows("a.sql", "BEGIN;\nINSERT INTO a VALUES (1);\n\nSELECT ';';\nCOMMIT;", true)
	if err != nil || len(got) != 2 || got[1].Line != 4 || got[1].SQL != "SELECT ';'" {
		t.Errorf("%+v, %v", got, err)
	}
	for text, want := range map[string]string{
		"":                                       "a.sql: it has no statements",
		"SELECT 1;\nVACUUM a":                    "a.sql:2: rows are loaded in one transaction",
		"INSERT INTO public.a VALUES (1)":        "a.sql:1: ",
		"SET search_path = x":                    "a.sql:1: it sets the search path",
		"DELETE FROM cotenant_migrations":        "a.sql:1: ",
		"COPY a FROM STDIN;\n1\n\\.\n":           "a.sql:1: COPY FROM STDIN",
		"-- +goose Up\nINSERT INTO a VALUES (1)": "a.sql: it has annotations of goose",
	} {
		if _, err := migrate.ParseRows("a.sql", text, true); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := migrate.ParseRows("a.sql", "INSERT INTO public.a VALUES (1)", false); err != nil {
		t.Errorf("a shared app's: %v", err)
	}
}
