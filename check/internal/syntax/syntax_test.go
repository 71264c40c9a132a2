package syntax_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/check/internal/syntax"
)

func TestRelationsAndCalls(t *testing.T) {
	t.Parallel()

	for sql, want := range map[string]string{
		"CREATE INDEX i ON ONLY a.t (lower(b)) WHERE f(c)":                       "[a.t] [lower f]",
		"WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x, s.x, s.f(1)":     "[s.x t] [s.f]",
		`SELECT pg_catalog.lower("A"."B") FROM "A"`:                              "[A] [pg_catalog.lower]",
		"ALTER TABLE t ADD COLUMN a int DEFAULT g() REFERENCES u, DROP COLUMN b": "[u t] [g]",
		"ALTER TABLE p ATTACH PARTITION q DEFAULT":                               "[q p] []",
	} {
		nodes, err := syntax.Parse(sql)
		if err != nil || len(nodes) != 1 {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		if got := fmt.Sprint(nodes[0].Relations(), nodes[0].Calls()); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
}

func TestBody(t *testing.T) {
	t.Parallel()

	for sql, want := range map[string]string{
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT id FROM t; SELECT 1'":                                                                 "sql true [t]",
		"CREATE FUNCTION f() RETURNS bigint RETURN (SELECT count(*) FROM t)":                                                                           "sql false [t]",
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT id FROM a.t; END":                                                            "sql false [a.t]",
		"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$DECLARE n int; BEGIN n := (SELECT 1 FROM t); PERFORM g() FROM u; RETURN NEW; END$$": "plpgsql true [t u]",
		"DO $$ BEGIN IF EXISTS (SELECT FROM t) THEN UPDATE u SET a = 1; END IF; END $$":                                                                "plpgsql true [t u]",
		"CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'return 1'":                                                                            "plpython3u true []",
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELEC'":                                                                                      "sql true []",
	} {
		nodes, err := syntax.Parse(sql)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		b := nodes[0].Body(sql)
		var names []syntax.Name
		for _, s := range b.Statements {
			names = append(names, s.Relations()...)
		}
		if got := fmt.Sprintf("%s %t %v", b.Language, b.Late, names); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
}

// What is no SQL is an error and nothing worse, also where it is deep.
func TestParseRefuses(t *testing.T) {
	t.Parallel()

	for _, sql := range []string{"SELEC 1", "CREATE TABLE", "SELECT '", "SELECT " + strings.Repeat("(", 100_000)} {
		if _, err := syntax.Parse(sql); err == nil {
			t.Errorf("%.20s: no error", sql)
		}
	}
	if nodes, err := syntax.Parse("SELECT 1"); err != nil || len(nodes) != 1 {
		t.Errorf("then SELECT 1: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	if _, err := syntax.Parse("SELECT 1"); err != nil { // the grammar is loaded, outside of the time for one text
		f.Fatal(err)
	}
	for _, sql := range []string{"SELECT 1", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "DO $$BEGIN END$$", "ALTER TABLE a.b ADD c int"} {
		f.Add(sql)
	}
	f.Fuzz(func(_ *testing.T, sql string) {
		nodes, err := syntax.Parse(sql)
		if err != nil {
			return
		}
		for _, n := range nodes {
			n.Relations()
			n.Calls()
			if n.Is("CreateFunctionStmt", "DoStmt") {
				n.Body(sql)
			}
		}
	})
}
