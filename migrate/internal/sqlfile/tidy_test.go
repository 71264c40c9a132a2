package sqlfile_test

import "testing"

func TestStatementTidy(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]bool{
		"ALTER TABLE a ADD COLUMN b int":                                   true,
		"create index on a (b)":                                            true,
		"INSERT INTO a VALUES (1)":                                         true,
		"INSERT INTO a (b, c) VALUES (1, now()), ((2), coalesce(NULL, 3))": true,
		"INSERT INTO a SELECT count(*) FROM b WHERE c IN (1, 2)":           true,
		"INSERT INTO t SELECT pg_advisory_lock(42)":                        false,
		"INSERT INTO t SELECT pg_advisory_lock (42)":                       false,
		"INSERT INTO t SELECT \"pg_advisory_lock\"(42)":                    false,
		"INSERT INTO t SELECT pg_catalog.pg_advisory_lock(42)":             false,
		"INSERT INTO t SELECT mine.lower(a) FROM b":                        false,
		"INSERT INTO t VALUES (1), (f(2))":                                 false,
		"UPDATE a SET (b, c) = (1, 2) WHERE (d > 1)":                       true,
		"UPDATE a SET b = pg_advisory_lock(1)":                             false,
		"DELETE FROM a WHERE b = c.d":                                      true,
		"DELETE FROM a WHERE f/**/(b)":                                     false,
		"MERGE INTO a USING f() ON true WHEN MATCHED THEN DELETE":          false,
		"CREATE TABLE a (b, c) AS SELECT 1, upper('x')":                    true,
		"CREATE TABLE a AS SELECT pg_advisory_lock(1)":                     false,
		"CREATE UNLOGGED TABLE IF NOT EXISTS a AS SELECT set_config(b)":    false,
		"CREATE TABLE a (b int CHECK (f(b)), c text DEFAULT g())":          true,
		"CREATE TABLE a (b int GENERATED ALWAYS AS (1) STORED)":            true,
		"CREATE MATERIALIZED VIEW a AS SELECT f(1)":                        false,
		"CREATE VIEW a AS SELECT f(1)":                                     true,
		"COPY a (b) FROM '/x' WITH (FORMAT csv)":                           true,
		"COPY (SELECT pg_advisory_lock(1)) TO '/x'":                        false,
		"REFRESH MATERIALIZED VIEW a":                                      false,
		"SET lock_timeout = 0":                                             true,
		"SET ROLE other":                                                   true,
		"CREATE TEMP TABLE a (id int)":                                     false,
		"CREATE LOCAL TEMPORARY TABLE a ()":                                false,
		"CREATE OR REPLACE TEMP VIEW v AS (SELECT 1)":                      false,
		"CREATE TABLE pg_temp.a (id int)":                                  false,
		"SELECT pg_advisory_lock(1)":                                       false,
		"WITH x AS (SELECT 1) SELECT * FROM x":                             false,
		"DO 'BEGIN END'":                                                   false,
		"PREPARE p AS SELECT 1":                                            false,
		"LISTEN x":                                                         false,
		"DECLARE c CURSOR WITH HOLD FOR SELECT 1":                          false,
	} {
		if got := statement(t, text).Tidy(); got != want {
			t.Errorf("%s: tidy is %t", text, got)
		}
	}
}
