package wire

import "testing"

func TestClassify(t *testing.T) {
	t.Parallel()

	const (
		unsure  = works | opaque | several // PostgreSQL will not have it
		unknown = works | opaque | sets | leaves
	)
	for sql, want := range map[string]class{
		"":                                      0,
		" ; ; ":                                 0,
		"-- ping":                               0,
		"/* never closed; ROLLBACK":             unsure,
		"/* never closed":                       unsure,
		"SELECT 1":                              works,
		"  -- a; comment\n/* /* ; */ */ select": works,
		"(SELECT 1)":                            works,
		"INSERT INTO t VALUES ('a;b', $$;$$, $x$;$y$;$x$)":           works,
		`SELECT ";", 'it''s; fine'`:                                  works,
		`SELECT E'\'; ROLLBACK; SELECT '`:                            works,
		`SELECT '\'; ROLLBACK; SELECT '`:                             works | ends | rollsBack | goesOn | several | opaque,
		`SELECT E'x' 'a\'; ROLLBACK; --'`:                            works | ends | rollsBack | several,
		"SELECT a$b$; ROLLBACK; SELECT a$b$":                         works | ends | rollsBack | goesOn | several,
		"SELECT $1; SELECT $2":                                       works | several,
		"SELECT 1; SELECT 2;":                                        works | several,
		"SELECT start_date, rollback_at FROM t":                      works,
		"CREATE TABLE t (id int)":                                    works,
		"CREATE TEMP TABLE t (id int)":                               works | leaves,
		"ALTER TABLE t ADD COLUMN b int":                             works,
		"VACUUM":                                                     works | alone,
		"/* x */ vacuum t":                                           works | alone,
		"CREATE UNIQUE INDEX concurrently i ON t (a)":                works | alone,
		"DROP INDEX CONCURRENTLY i":                                  works | alone,
		"CREATE DATABASE d":                                          alone,
		"ALTER SYSTEM SET x = 1":                                     alone,
		"ALTER TYPE t ADD VALUE 'x'":                                 works,
		"CALL p()":                                                   works | opaque | commits | sets,
		"DO $$BEGIN COMMIT; END$$":                                   unknown | commits | roles,
		"DO $$BEGIN INSERT INTO t VALUES (1); END$$":                 works | sets,
		"UPDATE pg_settings SET setting = 1":                         works | sets | leaves,
		"NONSENSE":                                                   unknown,
		"BEGIN":                                                      begins,
		"START TRANSACTION READ ONLY;":                               begins,
		"begin isolation level serializable":                         begins,
		"BEGIN; SELECT 1; COMMIT":                                    begins | works | ends | several,
		"COMMIT":                                                     ends,
		"END":                                                        ends,
		"COMMIT /* x */ AND -- y\n CHAIN":                            ends | goesOn,
		`SELECT E'a\n;b', E'\\'`:                                     works,
		"SELECT E'a'\n  -- b\n 'c\\';d'":                             works,
		"SELECT 1 AS a$b$c; SELECT $1$x$;$x$":                        works | several,
		"EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1":            works | leaves,
		"CREATE /* x */ TEMP TABLE t (a int) -- ON COMMIT DROP":      works | leaves,
		"CREATE TEMP TABLE t (a int) ON COMMIT DROP":                 works,
		"SELECT 1 AS a INTO/**/TEMP t":                               works | leaves,
		"SELECT set_config('a.b', 'x,true)', false)":                 works | sets | leaves | roles,
		"SET/*x*/LOCAL a.b = 1":                                      0,
		"SET CONSTRAINTS ALL IMMEDIATE":                              works,
		"COMMIT AND NO CHAIN":                                        ends,
		"COMMIT AND CHAIN":                                           ends | goesOn,
		"COMMIT; SELECT 1":                                           ends | goesOn | works | several,
		"PREPARE TRANSACTION 'x'":                                    ends,
		"COMMIT PREPARED 'x'":                                        alone,
		"PREPARE x AS SELECT 1":                                      works | leaves,
		"ROLLBACK":                                                   ends | rollsBack,
		"abort work":                                                 ends | rollsBack,
		"ROLLBACK TRANSACTION AND CHAIN":                             ends | rollsBack | goesOn,
		"ROLLBACK TO s":                                              0,
		"ROLLBACK WORK TO SAVEPOINT s":                               0,
		"SELECT 1; ROLLBACK; SELECT 2":                               works | ends | rollsBack | goesOn | several,
		"SAVEPOINT s":                                                0,
		"SET LOCAL x.y = 1":                                          0,
		"SET search_path TO a":                                       0,
		"SET SESSION search_path = a":                                0,
		"set session characteristics as transaction read only":       leaves | roles,
		"SET TRANSACTION READ ONLY":                                  0,
		"SET TIME ZONE 'UTC'":                                        leaves,
		"RESET ROLE":                                                 leaves | roles,
		"SELECT set_config('a.b', $1, TRUE)":                         works | sets | roles,
		"SELECT set_config('a.b', 'x', false)":                       works | sets | leaves | roles,
		"SELECT set_config('a.b', f(x), true)":                       works | sets | roles,
		"SELECT a_b, pg_try_advisory_lock(1)":                        works | leaves,
		"SELECT pg_advisory_xact_lock(1)":                            works,
		"WITH x AS (SELECT 1) SELECT * INTO TEMPORARY t":             works | leaves,
		"INSERT INTO temp VALUES (1)":                                works,
		"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END": works | opaque | several | ends,
	} {
		if got, _ := classify(sql, false); got&^atEnd != want {
			t.Errorf("classify(%q) = %b; want %b", sql, got, want)
		}
	}
	if got, _ := classify(`SELECT '\'; ROLLBACK; --'`, true); got&^atEnd != works {
		t.Errorf("with a backslash that escapes: %b", got)
	}
	for sql, want := range map[string]class{
		"SELECT 1": works, "; ;SELECT 1;": works, "ROLLBACK": ends | rollsBack, "/* x": 0, "/* x */ ; ROLLBACK": ends | rollsBack, "": 0,
	} {
		if got := classifyParsed(sql, false); got != want {
			t.Errorf("classifyParsed(%q) = %b; want %b", sql, got, want)
		}
	}
}

// A proof stands behind what works, before its transaction ends.
func TestProofs(t *testing.T) {
	t.Parallel()

	for sql, want := range map[string]string{
		"SELECT 1":                          "SELECT 1!",
		"SELECT 1;":                         "SELECT 1;!",
		"SET x = 1":                         "SET x = 1",
		"BEGIN; SET x = 1; COMMIT":          "BEGIN; SET x = 1; COMMIT",
		"BEGIN; SELECT 1; SELECT 2; COMMIT": "BEGIN; SELECT 1; SELECT 2;! COMMIT",
		"SELECT ';'; COMMIT; SELECT 2":      "SELECT ';';! COMMIT; SELECT 2!",
		"BEGIN; SELECT 1; ROLLBACK;SELECT 2; COMMIT; COMMIT":  "BEGIN; SELECT 1;! ROLLBACK;SELECT 2;! COMMIT; COMMIT",
		"BEGIN; SELECT 1; SAVEPOINT s; ROLLBACK TO s; COMMIT": "BEGIN; SELECT 1; SAVEPOINT s; ROLLBACK TO s;! COMMIT",
	} {
		what, endings := classify(sql, false)
		got, done := "", 0
		for _, at := range endings {
			got += sql[done:at] + "!"
			done = at
		}
		got += sql[done:]
		if what.has(atEnd) {
			got += "!"
		}
		if got != want {
			t.Errorf("%q: %q; want %q", sql, got, want)
		}
	}
}
