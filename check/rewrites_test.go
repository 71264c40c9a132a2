package check_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/check"
	"github.com/cotenant/cotenant/internal/testdb"
)

// A table is said to be written anew where PostgreSQL gives it a new file, and nowhere
// else. Each change is made alone, in a table with a row.
func TestRewrites(t *testing.T) {
	t.Parallel()

	conn, err := pgx.Connect(t.Context(), testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	exec := func(sql string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	const made = "CREATE TYPE mood AS ENUM ('ok'); CREATE TYPE mood2 AS ENUM ('ok'); CREATE DOMAIN name AS text;" +
		"CREATE DOMAIN posint AS integer CHECK (VALUE > 0); CREATE DOMAIN small AS posint DEFAULT 1; CREATE DOMAIN plain AS integer DEFAULT 1; CREATE DOMAIN token AS uuid DEFAULT gen_random_uuid(); CREATE DOMAIN filled AS text NOT NULL DEFAULT '';"
	exec("SET TimeZone = 'Europe/Paris'") // in UTC, timestamp and timestamptz are one
	exec(made)
	before := func(column string) string { return "CREATE TABLE t (id bigint PRIMARY KEY, c " + column + ")" }

	type change struct{ before, alter string }
	var changes []change
	for _, types := range [][2]string{
		{"varchar(10)", "varchar(20)"},
		{"varchar(20)", "varchar(10)"},
		{"varchar(10)", "varchar"},
		{"varchar", "varchar(10)"},
		{"varchar(10)", "text"},
		{"text", "varchar"},
		{"text", "varchar(10)"},
		{"char(10)", "text"},
		{"char(10)", "char(20)"},
		{"char(10)", "varchar(20)"},
		{"text", "text"},
		{"integer", "bigint"},
		{"bigint", "integer"},
		{"smallint", "integer"},
		{"integer", "text USING c::text"},
		{"integer", "oid"},
		{"numeric(10, 2)", "numeric(12, 2)"},
		{"numeric(10, 2)", "numeric(12, 3)"},
		{"numeric(10, 2)", "numeric(8, 2)"},
		{"numeric(10, 2)", "numeric"},
		{"numeric", "numeric(10, 2)"},
		{"numeric(10)", "numeric(12)"},
		{"timestamp(3)", "timestamp(6)"},
		{"timestamp(3)", "timestamp"},
		{"timestamp", "timestamp(3)"},
		{"timestamp", "timestamptz"},
		{"date", "timestamp"},
		{"timestamptz", "date"},
		{"json", "jsonb USING c::jsonb"},
		{"text", "json USING c::json"},
		{"cidr", "inet"},
		{"inet", "cidr USING c::cidr"},
		{"bit varying(4)", "bit varying(8)"},
		{"bit varying(8)", "bit varying(4)"},
		{"integer[]", "bigint[]"},
		{"varchar(10)[]", "text[]"},
		{"varchar(10)[]", "varchar(20)[]"},
		{"varchar(10)[]", "varchar[]"},
		{"numeric(10, 2)[]", "numeric[]"},
		{"integer[]", "integer[]"},
		{"mood", "text USING c::text"},
		{"mood", "mood2 USING c::text::mood2"},
		{"text", "name"},
		{"varchar(10)", "text USING c"},
		{"varchar(10)", "text USING lower(c)"},
		{"time(3)", "time(6)"},
		{"real", "double precision"},
	} {
		changes = append(changes, change{before(types[0]), "ALTER COLUMN c TYPE " + types[1]})
	}
	for _, column := range []string{
		"integer", "integer DEFAULT 5", "text NOT NULL DEFAULT ''", "timestamptz DEFAULT now()", "date DEFAULT CURRENT_DATE", "uuid DEFAULT gen_random_uuid()",
		"timestamptz DEFAULT clock_timestamp()", "float DEFAULT random()", "serial", "bigint GENERATED ALWAYS AS IDENTITY", "bigint GENERATED ALWAYS AS (id + 1) STORED",
		"jsonb DEFAULT jsonb_build_object('a', 1)", "text[] DEFAULT '{}'", "text DEFAULT md5('a')", "text DEFAULT md5(random()::text)", "bigint REFERENCES t (id)",
		"timestamp DEFAULT (now() AT TIME ZONE 'utc')", "mood DEFAULT 'ok'", "integer CHECK (d > 0)",
		"posint", "posint DEFAULT 1", "posint[]", "small", "plain", "plain NOT NULL", "token", "token DEFAULT NULL", "filled",
	} {
		changes = append(changes, change{before("text"), "ADD COLUMN d " + column})
	}
	for _, alter := range []string{"SET UNLOGGED", "ALTER COLUMN c SET NOT NULL", "ALTER COLUMN c SET DEFAULT gen_random_uuid()", "DROP COLUMN c", "ADD CHECK (id > 0)", "ADD UNIQUE (c)"} {
		changes = append(changes, change{before("text"), alter})
	}
	for _, c := range changes {
		exec(c.before + "; INSERT INTO t (id) VALUES (1); UPDATE t SET c = NULL;")
		if c.alter == "ALTER COLUMN c SET NOT NULL" {
			exec("UPDATE t SET c = ''")
		}
		var was, is uint32
		const file = "SELECT pg_catalog.pg_relation_filenode('t')"
		if err := conn.QueryRow(t.Context(), file).Scan(&was); err != nil {
			t.Fatal(err)
		}
		exec("ALTER TABLE t " + c.alter)
		if err := conn.QueryRow(t.Context(), file).Scan(&is); err != nil {
			t.Fatal(err)
		}
		exec("DROP TABLE t")
		report := run(t, "migrations/0001_a.sql", made+c.before, "migrations/0002_b.sql", "ALTER TABLE t "+c.alter)
		said := slices.ContainsFunc(report.Findings, func(f check.Finding) bool {
			return slices.Contains([]string{"column-rewrites-table", "type-change-rewrites", "rewrites-table"}, f.Rule)
		})
		if said != (was != is) {
			t.Errorf("%s; %s: PostgreSQL rewrites: %t, the rule says %t: %s", c.before, c.alter, was != is, said, fmt.Sprint(report.Findings))
		}
	}
}

// The indexes of a column are said to be built anew where PostgreSQL gives them a new file
// and keeps that of the table.
func TestRebuiltIndexes(t *testing.T) {
	t.Parallel()

	conn, err := pgx.Connect(t.Context(), testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	const files = "SELECT pg_catalog.pg_relation_filenode('t'), pg_catalog.pg_relation_filenode('i')"
	for _, c := range [][3]string{
		{"text", "(c)", `text COLLATE "C"`},
		{`text COLLATE "C"`, "(c)", "text"},
		{`text COLLATE "C"`, "(c)", `varchar COLLATE "C"`},
		{"text", "(c)", `varchar COLLATE "default"`},
		{`varchar(10) COLLATE "C"`, "(id, c)", `varchar(20) COLLATE "POSIX"`},
		{"text", `(c COLLATE "C")`, `text COLLATE "C"`},
		{"text", "(id) INCLUDE (c)", `text COLLATE "C"`},
		{"text", "(c text_pattern_ops)", `text COLLATE "C"`},
		{"text", "USING hash (c)", `text COLLATE "C"`},
	} {
		made := "CREATE TABLE t (id bigint, c " + c[0] + "); CREATE INDEX i ON t " + c[1] + ";"
		if _, err := conn.Exec(t.Context(), "DROP TABLE IF EXISTS t; "+made+" INSERT INTO t VALUES (1, 'a')", pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
		var table, index, tableThen, indexThen uint32
		if err := conn.QueryRow(t.Context(), files).Scan(&table, &index); err != nil {
			t.Fatal(err)
		}
		alter := "ALTER TABLE t ALTER COLUMN c TYPE " + c[2]
		if _, err := conn.Exec(t.Context(), alter); err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRow(t.Context(), files).Scan(&tableThen, &indexThen); err != nil {
			t.Fatal(err)
		}
		report := run(t, "migrations/0001_a.sql", made, "migrations/0002_b.sql", alter)
		if said := len(report.Findings) > 0; said != (index != indexThen) || table != tableThen {
			t.Errorf("%s %s: PostgreSQL builds the index anew: %t, the rule says %t; the table: %t", made, alter, index != indexThen, said, table != tableThen)
		}
	}
}
