package sqltext

import "testing"

func TestClassify(t *testing.T) {
	t.Parallel()

	const (
		unsure  = Works | Opaque | Several // PostgreSQL will not have it
		unknown = Works | Opaque | Sets | Unsure
	)
	for sql, want := range map[string]Class{
		"":                                      0,
		" ; ; ":                                 0,
		"-- ping":                               0,
		"/* never closed; ROLLBACK":             unsure,
		"/* never closed":                       unsure,
		"SELECT 1":                              Works,
		"  -- a; comment\n/* /* ; */ */ select": Works,
		"(SELECT 1)":                            Works,
		"INSERT INTO t VALUES ('a;b', $$;$$, $x$;$y$;$x$)":           Works,
		`SELECT ";", 'it''s; fine'`:                                  Works,
		`SELECT E'\'; ROLLBACK; SELECT '`:                            Works,
		`SELECT '\'; ROLLBACK; SELECT '`:                             Works | Ends | RollsBack | GoesOn | Several | Opaque,
		`SELECT E'x' 'a\'; ROLLBACK; --'`:                            Works | Ends | RollsBack | Several,
		"SELECT a$b$; ROLLBACK; SELECT a$b$":                         Works | Ends | RollsBack | GoesOn | Several,
		"SELECT $1; SELECT $2":                                       Works | Several,
		"SELECT 1; SELECT 2;":                                        Works | Several,
		"SELECT start_date, rollback_at FROM t":                      Works,
		"CREATE TABLE t (id int)":                                    Works,
		"CREATE TEMP TABLE t (id int)":                               Works | Leaves,
		"ALTER TABLE t ADD COLUMN b int":                             Works,
		"VACUUM":                                                     Works | Alone,
		"/* x */ vacuum t":                                           Works | Alone,
		"CREATE UNIQUE INDEX concurrently i ON t (a)":                Works | Alone,
		"DROP INDEX CONCURRENTLY i":                                  Works | Alone,
		"CREATE DATABASE d":                                          Alone,
		"ALTER SYSTEM SET x = 1":                                     Alone,
		"ALTER TYPE t ADD VALUE 'x'":                                 Works,
		"CALL p()":                                                   Works | Opaque | Commits | Sets,
		"DO $$BEGIN COMMIT; END$$":                                   unknown | Commits | Roles,
		"DO $$BEGIN INSERT INTO t VALUES (1); END$$":                 Works | Sets,
		"UPDATE pg_settings SET setting = 1":                         Works | Sets | Leaves,
		"NONSENSE":                                                   unknown,
		"BEGIN":                                                      Begins,
		"START TRANSACTION READ ONLY;":                               Begins,
		"begin isolation level serializable":                         Begins,
		"BEGIN; SELECT 1; COMMIT":                                    Begins | Works | Ends | Several,
		"COMMIT":                                                     Ends,
		"END":                                                        Ends,
		"COMMIT /* x */ AND -- y\n CHAIN":                            Ends | GoesOn,
		`SELECT E'a\n;b', E'\\'`:                                     Works,
		"SELECT E'a'\n  -- b\n 'c\\';d'":                             Works,
		"SELECT 1 AS a$b$c; SELECT $1$x$;$x$":                        Works | Several,
		"EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1":            Works | Leaves,
		"CREATE /* x */ TEMP TABLE t (a int) -- ON COMMIT DROP":      Works | Leaves,
		"CREATE TEMP TABLE t (a int) ON COMMIT DROP":                 Works,
		"SELECT 1 AS a INTO/**/TEMP t":                               Works | Leaves,
		"SELECT set_config('a.b', 'x,true)', false)":                 Works | Sets | Leaves | Roles,
		"SET/*x*/LOCAL a.b = 1":                                      0,
		"SET CONSTRAINTS ALL IMMEDIATE":                              Works,
		"COMMIT AND NO CHAIN":                                        Ends,
		"COMMIT AND CHAIN":                                           Ends | GoesOn,
		"COMMIT; SELECT 1":                                           Ends | GoesOn | Works | Several,
		"PREPARE TRANSACTION 'x'":                                    Ends,
		"COMMIT PREPARED 'x'":                                        Alone,
		"PREPARE x AS SELECT 1":                                      Works | Leaves,
		"ROLLBACK":                                                   Ends | RollsBack,
		"abort work":                                                 Ends | RollsBack,
		"ROLLBACK TRANSACTION AND CHAIN":                             Ends | RollsBack | GoesOn,
		"ROLLBACK TO s":                                              0,
		"ROLLBACK WORK TO SAVEPOINT s":                               0,
		"SELECT 1; ROLLBACK; SELECT 2":                               Works | Ends | RollsBack | GoesOn | Several,
		"SAVEPOINT s":                                                0,
		"SET LOCAL x.y = 1":                                          0,
		"SET search_path TO a":                                       Names,
		"SET SCHEMA 'a'":                                             Names,
		"RESET search_path":                                          Names,
		"SET LOCAL search_path TO a":                                 0,
		"SET SESSION search_path = a":                                Names,
		"set session characteristics as transaction read only":       Leaves | Roles,
		"SET TRANSACTION READ ONLY":                                  0,
		"SET TIME ZONE 'UTC'":                                        Leaves,
		"RESET ROLE":                                                 Leaves | Roles,
		"SELECT set_config('a.b', $1, TRUE)":                         Works | Sets | Roles,
		"SELECT set_config('a.b', 'x', false)":                       Works | Sets | Leaves | Roles,
		"SELECT set_config('a.b', f(x), true)":                       Works | Sets | Roles,
		"SELECT a_b, pg_try_advisory_lock(1)":                        Works | Leaves,
		"SELECT pg_advisory_xact_lock(1)":                            Works,
		"WITH x AS (SELECT 1) SELECT * INTO TEMPORARY t":             Works | Leaves,
		"INSERT INTO temp VALUES (1)":                                Works,
		"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END": Works | Opaque | Several | Ends,
	} {
		if got, _ := Classify(sql, false); got&^AtEnd != want {
			t.Errorf("Classify(%q) = %b; want %b", sql, got, want)
		}
	}
	if got, _ := Classify(`SELECT '\'; ROLLBACK; --'`, true); got&^AtEnd != Works {
		t.Errorf("with a backslash that escapes: %b", got)
	}
	for sql, want := range map[string]Class{
		"SELECT 1": Works, "; ;SELECT 1;": Works, "ROLLBACK": Ends | RollsBack, "/* x": 0, "/* x */ ; ROLLBACK": Ends | RollsBack, "": 0,
	} {
		if got := ClassifyParsed(sql, false); got != want {
			t.Errorf("ClassifyParsed(%q) = %b; want %b", sql, got, want)
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
		what, endings := Classify(sql, false)
		got, done := "", 0
		for _, at := range endings {
			got += sql[done:at] + "!"
			done = at
		}
		got += sql[done:]
		if what.Has(AtEnd) {
			got += "!"
		}
		if got != want {
			t.Errorf("%q: %q; want %q", sql, got, want)
		}
	}
}
