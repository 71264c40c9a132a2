package sqlfile_test

import (
	"strings"
	"testing"
)

func TestTouches(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		`CREATE TABLE IF NOT EXISTS "A" (b int REFERENCES c)`:          "A",
		"CREATE TABLE a PARTITION OF b DEFAULT":                        "a",
		"CREATE TABLE a AS SELECT f()":                                 "",
		"CREATE TEMP TABLE a (b int)":                                  "",
		"CREATE TABLE other.a (b int)":                                 "",
		"CREATE UNIQUE INDEX i ON a (b)":                               "a",
		"CREATE MATERIALIZED VIEW v AS SELECT f()":                     "",
		"CREATE OR REPLACE VIEW v AS SELECT * FROM a":                  "v",
		"CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'x'":     "f",
		"CREATE TRIGGER t BEFORE INSERT ON a EXECUTE FUNCTION f()":     "a",
		"CREATE TYPE t AS ENUM ('drop')":                               "t",
		"CREATE TYPE t AS RANGE (SUBTYPE = int)":                       "",
		"CREATE RULE r AS ON INSERT TO a DO NOTHING":                   "",
		"CREATE SEQUENCE s":                                            "s",
		"ALTER SEQUENCE s OWNED BY a.b":                                "s",
		"ALTER TABLE ONLY a ADD b int DEFAULT 1, ALTER c SET NOT NULL": "a",
		"ALTER TABLE a ADD CHECK (b <> 'DROP')":                        "a",
		"ALTER TABLE a DROP b":                                         "",
		"ALTER TABLE a ALTER b DROP NOT NULL":                          "",
		"ALTER TABLE a RENAME TO b":                                    "",
		"ALTER TABLE a ATTACH PARTITION b DEFAULT":                     "",
		"ALTER TABLE a SET SCHEMA b":                                   "",
		"ALTER VIEW v RENAME TO w":                                     "",
		"COMMENT ON COLUMN a.b IS 'x'":                                 "a",
		"COMMENT ON CONSTRAINT c ON a IS 'x'":                          "a",
		"COMMENT ON CONSTRAINT c ON DOMAIN d IS 'x'":                   "",
		"COMMENT ON INDEX i IS 'x'":                                    "",
		"DROP TABLE a":                                                 "",
		"DO 'x'":                                                       "",
		"INSERT INTO a VALUES (1)":                                     "",
		"SELECT f()":                                                   "",
	} {
		names, known := statement(t, text).Touches()
		if got := strings.Join(names, " "); got != want || known != (want != "") {
			t.Errorf("%s: %q, %v; want %q", text, got, known, want)
		}
	}
}

func TestWrittenTable(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		`INSERT INTO "A" (b, c) VALUES (now(), 'f(')`:                                     "A",
		"INSERT INTO A (b) SELECT c FROM d ON CONFLICT (b) DO UPDATE SET b = 1":           "a",
		"INSERT INTO a DEFAULT VALUES":                                                    "a",
		"INSERT INTO a VALUES (nextval('s'))":                                             "",
		"INSERT INTO public.a VALUES (1)":                                                 "",
		"UPDATE ONLY a SET b = 1":                                                         "a",
		"UPDATE a SET b = f(b)":                                                           "",
		"DELETE FROM ONLY a WHERE b IN (SELECT c FROM d)":                                 "a",
		"MERGE INTO a USING b ON a.c = b.c WHEN NOT MATCHED THEN INSERT (c) VALUES (b.c)": "a",
		"WITH x AS (INSERT INTO b VALUES (1) RETURNING c) INSERT INTO a SELECT c FROM x":  "",
		"SELECT 1": "",
	} {
		name, known := statement(t, text).WrittenTable()
		if name != want || known != (want != "") {
			t.Errorf("%s: %q, %v; want %q", text, name, known, want)
		}
	}
}

func TestDefines(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]bool{
		"ALTER TABLE cotenant.tenants ADD COLUMN a int":                           true,
		`ALTER TABLE IF EXISTS ONLY "cotenant"."domains" ADD b text`:              true,
		"CREATE UNIQUE INDEX i ON cotenant.tenants (a)":                           true,
		"COMMENT ON TABLE cotenant.tenants IS 'x'":                                true,
		"COMMENT ON COLUMN cotenant.tenants.a IS 'x'":                             true,
		"ALTER TABLE tenants ADD COLUMN a int":                                    false,
		"ALTER TABLE cotenant.others ADD COLUMN a int":                            false,
		"ALTER TABLE other.tenants ADD COLUMN a int":                              false,
		"CREATE TRIGGER t BEFORE INSERT ON cotenant.tenants EXECUTE FUNCTION f()": false,
		"DO 'ALTER TABLE cotenant.tenants ADD COLUMN a int'":                      false,
		"SELECT f()":                        false,
		"UPDATE cotenant.tenants SET a = 1": false,
		"DROP TABLE cotenant.tenants":       false,
	} {
		if got := statement(t, text).Defines("cotenant", "tenants", "domains"); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

func TestWritten(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"INSERT INTO a (b) SELECT c FROM d ON CONFLICT (b) DO UPDATE SET b = 1": ".a",
		"UPDATE ONLY public.a SET b = 1":                                        "public.a",
		"DELETE FROM a USING b":                                                 ".a",
		"TRUNCATE a, other.b":                                                   ".a other.b",
		"MERGE INTO a USING b ON true WHEN NOT MATCHED THEN INSERT VALUES (1)":  ".a",
		"WITH x AS (INSERT INTO a VALUES (1) RETURNING b) UPDATE c SET d = 1":   ".a .c",
		"SELECT f()":                "",
		"LOCK TABLE a":              "",
		"ALTER TABLE a ADD b int":   "",
		"GRANT INSERT ON a TO b":    "",
		"CREATE TABLE a (b int)":    "",
		"CREATE TABLE a AS TABLE b": "",
	} {
		var got []string
		for _, table := range statement(t, text).Written() {
			got = append(got, table.Schema+"."+table.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q; want %s", text, got, want)
		}
	}
}
