package check_test

import "testing"

// What rows differ is told, and no difference is made of what differs at every build.
func TestBuildsRows(t *testing.T) {
	t.Parallel()

	const roles = "CREATE TABLE roles@ (name text PRIMARY KEY, rank int); "
	const numbered = "CREATE TABLE roles@ (id serial PRIMARY KEY, name text); CREATE TABLE users@ (id int GENERATED ALWAYS AS IDENTITY, role int REFERENCES roles@); "
	const random = `CREATE TABLE roles@ (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text, made timestamptz);
		CREATE TABLE users@ (role uuid REFERENCES roles@, name text, day date DEFAULT CURRENT_DATE); `
	cases := map[string]appCase{}
	for name, tt := range map[string]struct {
		tables, schema, migration string
		want                      []string
	}{
		"the same in another order": {roles, "INSERT INTO roles@ VALUES ('a', 1), ('b', NULL)", "INSERT INTO roles@ VALUES ('b', NULL), ('a', 1)", nil},
		"none in schema.sql": {roles, "", "INSERT INTO roles@ SELECT n, n FROM generate_series(1, 9) AS n", []string{
			`error rows-differ shop shop/schema.sql:1 table roles@: only the migrations make {"name": "1", "rank": 1}, {"name": "2", "rank": 2}, {"name": "3", "rank": 3}`,
		}},
		"a value": {roles, "INSERT INTO roles@ VALUES ('a', 1), ('b', 2)", "INSERT INTO roles@ VALUES ('a', 1), ('b', 3)", []string{
			`error rows-differ shop shop/schema.sql:1 table roles@: only schema.sql makes {"name": "b", "rank": 2}; only the migrations make {"name": "b", "rank": 3}`,
		}},
		"one twice": {"CREATE TABLE roles@ (name text);", "INSERT INTO roles@ VALUES ('a'), ('a'), ('b')", "INSERT INTO roles@ VALUES ('a'), ('b')", []string{
			`error rows-differ shop shop/schema.sql:1 table roles@: only schema.sql makes {"name": "a"}`,
		}},
		"numbers": {numbered, "INSERT INTO roles@ (name) VALUES ('a'), ('b'); INSERT INTO users@ (role) VALUES (2)", "INSERT INTO roles@ (name) VALUES ('b'), ('a'); INSERT INTO users@ (role) VALUES (1)", []string{
			"warning rows-numbered shop shop/schema.sql:1 table roles@: its rows are the same by schema.sql and by the migrations, but for the numbers that they get from sequences",
			"warning rows-numbered shop shop/schema.sql:1 table users@: its rows are the same by schema.sql and by the migrations, but for the numbers that they get from sequences",
		}},
		"a gap": {numbered, "INSERT INTO roles@ (name) VALUES ('a')", "INSERT INTO roles@ (name) VALUES ('a'), ('b'); DELETE FROM roles@ WHERE name = 'b'", nil},
		"a sequence": {numbered, "INSERT INTO roles@ (id, name) VALUES (1, 'a')", "INSERT INTO roles@ (name) VALUES ('a')", []string{
			"error sequence-behind shop shop/schema.sql:1 table roles@: by schema.sql it has rows with id up to 1, and its sequence roles@_id_seq is behind that",
		}},
		"of the moment": {
			random, "INSERT INTO roles@ (name, made) VALUES ('a', now()); INSERT INTO users@ (role, name) SELECT id, 'x' FROM roles@",
			"INSERT INTO roles@ (name, made) VALUES ('a', clock_timestamp()); INSERT INTO users@ (role, name) SELECT id, 'x' FROM roles@", nil,
		},
		"of the moment, and others": {
			random, "INSERT INTO roles@ (name, made) VALUES ('a', now())", "INSERT INTO roles@ (name, made) VALUES ('b', now())",
			[]string{`error rows-differ shop shop/schema.sql:1 table roles@: only schema.sql makes {"name": "a"}; only the migrations make {"name": "b"}`},
		},
		"names that need quotes": {`CREATE TABLE "Ro les@" ("a ""b" int); `, `INSERT INTO "Ro les@" VALUES (1)`, "SELECT 1", []string{
			`error rows-differ shop shop/schema.sql:1 table "Ro les@": only schema.sql makes {"a \"b": 1}`,
		}},
		"partitions": {"CREATE TABLE p@ (n int) PARTITION BY LIST (n); CREATE TABLE q@ PARTITION OF p@ FOR VALUES IN (1, 2); ", "INSERT INTO p@ VALUES (1)", "INSERT INTO p@ VALUES (2)", []string{
			`error rows-differ shop shop/schema.sql:1 table q@: only schema.sql makes {"n": 1}; only the migrations make {"n": 2}`,
		}},
	} {
		cases[name] = appCase{len(name)%2 == 0, []string{
			"schema.sql", tt.tables + tt.schema, "migrations/1_a.sql", tt.tables, "migrations/2_b.sql", tt.migration,
		}, tt.want}
	}
	finds(t, cases)
}

// A policy does not hide from a login what the files have made.
func TestBuildsRowsWithPolicy(t *testing.T) {
	t.Parallel()

	const table = "CREATE TABLE roles (n int); ALTER TABLE roles ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY p ON roles FOR INSERT WITH CHECK (true); "
	p := newProject(t, "", "shop", "shop/schema.sql", table+"INSERT INTO roles VALUES (1)", "shop/migrations/1_a.sql", table+"INSERT INTO roles VALUES (2)")
	login(t, p, "CREATEDB CREATEROLE")
	p.finds(t, `error rows-differ shop shop/schema.sql:1 table roles: only schema.sql makes {"n": 1}; only the migrations make {"n": 2}`)
}
