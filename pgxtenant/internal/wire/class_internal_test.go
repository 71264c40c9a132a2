package wire

import "testing"

func TestClassify(t *testing.T) {
	t.Parallel()

	const (
		unsure  = works | opaque | begins | rollsBack | goesOn | several | sets | leaves
		unknown = works | opaque | sets | leaves
	)
	for sql, want := range map[string]class{
		"":                                      0,
		" ; ; ":                                 0,
		"-- ping":                               0,
		"/* never closed; ROLLBACK":             unsure,
		"/* never closed":                       0,
		"SELECT 1":                              works,
		"  -- a; comment\n/* /* ; */ */ select": works,
		"(SELECT 1)":                            works,
		"INSERT INTO t VALUES ('a;b', $$;$$, $x$;$y$;$x$)": works,
		`SELECT ";", 'it''s; fine'`:                        works,
		`SELECT E'\'; ROLLBACK; SELECT '`:                  unsure,
		`SELECT '\'; ROLLBACK; SELECT '`:                   unsure,
		`SELECT E'x' 'a\'; ROLLBACK; --'`:                  unsure,
		"SELECT a$b$; ROLLBACK; SELECT a$b$":               unsure,
		"SELECT $1; SELECT $2":                             works | several,
		"SELECT 1; SELECT 2;":                              works | several,
		"SELECT start_date, rollback_at FROM t":            works,
		"CREATE TABLE t (id int)":                          works,
		"CREATE TEMP TABLE t (id int)":                     works | leaves,
		"ALTER TABLE t ADD COLUMN b int":                   works,
		"VACUUM":                                           alone,
		"/* x */ vacuum t":                                 alone,
		"CREATE UNIQUE INDEX concurrently i ON t (a)":      alone,
		"DROP INDEX CONCURRENTLY i":                        alone,
		"CREATE DATABASE d":                                alone,
		"ALTER SYSTEM SET x = 1":                           alone,
		"ALTER TYPE t ADD VALUE 'x'":                       works,
		"CALL p()":                                         works | opaque | sets,
		"DO $$BEGIN COMMIT; END$$":                         unknown,
		"NONSENSE":                                         unknown,
		"BEGIN":                                            begins,
		"START TRANSACTION READ ONLY;":                     begins,
		"begin isolation level serializable":               begins,
		"BEGIN; SELECT 1; COMMIT":                          begins | works | ends | several,
		"COMMIT":                                           ends,
		"END":                                              ends,
		"COMMIT AND NO CHAIN":                              ends,
		"COMMIT AND CHAIN":                                 ends | goesOn,
		"COMMIT; SELECT 1":                                 ends | goesOn | works | several,
		"PREPARE TRANSACTION 'x'":                          ends,
		"COMMIT PREPARED 'x'":                              alone,
		"PREPARE x AS SELECT 1":                            works | leaves,
		"ROLLBACK":                                         ends | rollsBack,
		"abort work":                                       ends | rollsBack,
		"ROLLBACK TRANSACTION AND CHAIN":                   ends | rollsBack | goesOn,
		"ROLLBACK TO s":                                    0,
		"ROLLBACK WORK TO SAVEPOINT s":                     0,
		"SELECT 1; ROLLBACK; SELECT 2":                     works | ends | rollsBack | goesOn | several,
		"SAVEPOINT s":                                      0,
		"SET LOCAL x.y = 1":                                0,
		"SET search_path TO a":                             0,
		"SET SESSION search_path = a":                      0,
		"set session characteristics as transaction read only":       leaves,
		"SET TRANSACTION READ ONLY":                                  0,
		"SET TIME ZONE 'UTC'":                                        leaves,
		"RESET ROLE":                                                 leaves,
		"SELECT set_config('a.b', $1, TRUE)":                         works | sets,
		"SELECT set_config('a.b', 'x', false)":                       works | sets | leaves,
		"SELECT set_config('a.b', f(x), true)":                       works | sets | leaves,
		"SELECT a_b, pg_try_advisory_lock(1)":                        works | leaves,
		"SELECT pg_advisory_xact_lock(1)":                            works,
		"WITH x AS (SELECT 1) SELECT * INTO TEMPORARY t":             works | leaves,
		"INSERT INTO temp VALUES (1)":                                works,
		"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END": works | ends | several,
	} {
		if got := classify(sql, false); got != want {
			t.Errorf("classify(%q) = %b; want %b", sql, got, want)
		}
	}
	if got := classify(`SELECT '\'; ROLLBACK; --'`, true); got != unsure {
		t.Errorf("with a backslash that escapes: %b", got)
	}
	for sql, want := range map[string]class{
		"SELECT 1": works, "; ;SELECT 1;": works, "ROLLBACK": ends | rollsBack, "/* x": works | opaque, "/* x */ ; ROLLBACK": unknown, "": 0,
	} {
		if got := classifyParsed(sql); got != want {
			t.Errorf("classifyParsed(%q) = %b; want %b", sql, got, want)
		}
	}
}
