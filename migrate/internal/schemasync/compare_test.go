package schemasync_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/tenant"
)

// public has tables and functions of the names that tenants have, and shared ones.
const public = `
	CREATE TABLE taxes (id integer PRIMARY KEY);
	CREATE TABLE things (id integer PRIMARY KEY, name text, price integer, extra text, decoy text);
	CREATE TABLE parts (id integer PRIMARY KEY);
	CREATE INDEX things_name_idx ON things (name);
	CREATE TYPE mood AS ENUM ('public');
	CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 0';
	CREATE VIEW cheap AS SELECT 1 AS x;
	CREATE SEQUENCE numbers;
`

// things is a table that most cases begin with.
const things = "CREATE TABLE things (id serial PRIMARY KEY, name text NOT NULL, price integer);\n"

// A case is a schema.sql that schemas were built from, and what it became.
type compareCase struct {
	name    string
	before  string
	after   string
	missing []string // how the statements begin, in order
	differs []string // what the differences have in them, in order
	renamed bool     // what PostgreSQL named has other names than in a new schema
}

func compareCases() []compareCase {
	return []compareCase{
		{name: "nothing", before: things, after: things},
		{
			name: "table", before: things,
			after:   things + `CREATE TABLE parts (id serial PRIMARY KEY, thing integer REFERENCES things, n integer CHECK (n > 0) CHECK (n < 9), UNIQUE (thing, n));`,
			missing: []string{"CREATE TABLE parts"},
		},
		{name: "table that public has", before: "CREATE TABLE other ()", after: "CREATE TABLE other (); " + things, missing: []string{"CREATE TABLE things"}},
		{name: "table if not exists", before: things, after: things + "CREATE TABLE IF NOT EXISTS parts (id integer)", missing: []string{"CREATE TABLE IF NOT"}},
		{name: "new app", before: "", after: things + "INSERT INTO things VALUES (1, 'a')", missing: []string{"CREATE TABLE things", "INSERT INTO things"}},
		{
			name: "column", before: things, after: things + "ALTER TABLE things ADD COLUMN extra text DEFAULT 'x'",
			missing: []string{"ALTER TABLE things ADD COLUMN"},
		},
		{
			name: "column with constraints and sequence", before: things + "CREATE TABLE parts (id integer PRIMARY KEY);",
			after:   things + "CREATE TABLE parts (id integer PRIMARY KEY); ALTER TABLE things ADD number serial UNIQUE CHECK (number > 0), ADD part integer REFERENCES parts",
			missing: []string{"ALTER TABLE things ADD number"},
		},
		{
			name: "column in the table", before: things, after: "CREATE TABLE things (id serial PRIMARY KEY, name text NOT NULL, price integer, extra text);",
			differs: []string{"column things.extra is in schema.sql and not in the schema"},
		},
		{
			name: "column in the table, and an index on it", before: things,
			after: `CREATE TABLE things (id serial PRIMARY KEY, name text NOT NULL, price integer, extra text); CREATE INDEX ON things (extra);
				CREATE VIEW cheap AS SELECT extra FROM things; COMMENT ON COLUMN things.extra IS 'new'; CREATE INDEX ON things (name)`,
			missing: []string{"CREATE INDEX ON things (name)"},
			differs: []string{
				"column things.extra is in schema.sql and not in the schema",
				"index things_extra_idx is in schema.sql and not in the schema, and needs column things.extra, which the schema lacks",
				"view cheap is in schema.sql and not in the schema, and needs column things.extra",
				"the comment on column things.extra is in schema.sql and not in the schema, and needs column things.extra",
			},
		},
		{
			name: "column type", before: things, after: "CREATE TABLE things (id serial PRIMARY KEY, name text NOT NULL, price numeric(10,2));",
			differs: []string{"column things.price is numeric(10,2) in schema.sql and integer in the schema"},
		},
		{
			name: "column gone", before: things, after: "CREATE TABLE things (id serial PRIMARY KEY, name text NOT NULL);",
			differs: []string{"column things.price is in the schema and not in schema.sql"},
		},
		{
			name: "default", before: things, after: things + "ALTER TABLE things ALTER price SET DEFAULT 7",
			differs: []string{"column things.price is integer DEFAULT 7 in schema.sql and integer in the schema"},
		},
		{
			name: "default of a new table", before: things, after: things + "CREATE TABLE parts (n integer); ALTER TABLE parts ALTER n SET DEFAULT 7",
			missing: []string{"CREATE TABLE parts", "ALTER TABLE parts"},
		},
		{
			name: "unnamed constraints", before: things + "CREATE TABLE parts (id integer PRIMARY KEY);",
			after: things + `CREATE TABLE parts (id integer PRIMARY KEY); ALTER TABLE things ADD CHECK (price > 0); ALTER TABLE things ADD UNIQUE (name);
				ALTER TABLE things ADD FOREIGN KEY (price) REFERENCES parts; ALTER TABLE things ADD FOREIGN KEY (price) REFERENCES public.taxes`,
			missing: []string{
				"ALTER TABLE things ADD CHECK", "ALTER TABLE things ADD UNIQUE", "ALTER TABLE things ADD FOREIGN KEY (price) REFERENCES parts",
				"ALTER TABLE things ADD FOREIGN KEY (price) REFERENCES public.taxes",
			},
		},
		{
			name: "unnamed constraint before others", before: things + "ALTER TABLE things ADD CHECK (price > 0); ALTER TABLE things ADD CHECK (price < 9);",
			after: things + `ALTER TABLE things ADD CHECK (price <> 5); ALTER TABLE things ADD CHECK (price > 0); ALTER TABLE things ADD CHECK (price < 9);`,

			missing: []string{"ALTER TABLE things ADD CHECK (price <> 5)"}, renamed: true,
		},
		{
			name: "named constraint changed", before: things + "ALTER TABLE things ADD CONSTRAINT positive CHECK (price > 0)",
			after:   things + "ALTER TABLE things ADD CONSTRAINT positive CHECK (price > 1)",
			differs: []string{"constraint things.positive is CHECK (price > 1) in schema.sql and CHECK (price > 0) in the schema"},
		},
		{name: "unnamed index", before: things, after: things + "CREATE INDEX ON things (name)", missing: []string{"CREATE INDEX ON"}},
		{
			name: "unnamed index before another", before: things + "CREATE INDEX ON things (name) WHERE price > 1",
			after:   things + "CREATE INDEX ON things (name); CREATE INDEX ON things (name) WHERE price > 1",
			missing: []string{"CREATE INDEX ON things (name)"}, renamed: true,
		},
		{
			name: "partial index changed", before: things + "CREATE INDEX dear ON things (name) WHERE price > 1",
			after:   things + "CREATE INDEX dear ON things (name) WHERE price > 2; CREATE UNIQUE INDEX IF NOT EXISTS cheap ON things (lower(name)) WHERE price < 2",
			missing: []string{"CREATE UNIQUE INDEX"},
			differs: []string{"index dear is ON things USING btree (name) WHERE price > 2 in schema.sql and ON things USING btree (name) WHERE price > 1 in the schema"},
		},
		{
			name: "index instead of a constraint", before: things + "ALTER TABLE things ADD CONSTRAINT one UNIQUE (name)", after: things + "CREATE UNIQUE INDEX one ON things (name)",
			differs: []string{"index one is in schema.sql, and the schema has constraint things.one instead"},
		},
		{name: "enum", before: things, after: "CREATE TYPE mood AS ENUM ('a', 'b'); " + things, missing: []string{"CREATE TYPE mood"}},
		{
			name: "enum label", before: "CREATE TYPE mood AS ENUM ('a', 'b');", after: "CREATE TYPE mood AS ENUM ('a', 'b', 'c');",
			differs: []string{"type mood is AS ENUM ('a', 'b', 'c') in schema.sql and AS ENUM ('a', 'b') in the schema"},
		},
		{
			name: "sequence", before: things, after: things + "CREATE SEQUENCE numbers START 5; ALTER SEQUENCE numbers INCREMENT 2",
			missing: []string{"CREATE SEQUENCE", "ALTER SEQUENCE"},
		},
		{
			name: "identity", before: things, after: things + "CREATE TABLE parts (id integer GENERATED ALWAYS AS IDENTITY (START 7), m integer GENERATED ALWAYS AS (id * 2) STORED);",
			missing: []string{"CREATE TABLE parts"},
		},
		{
			name: "view of a new column", before: things + "CREATE VIEW cheap AS SELECT name FROM things;",
			after:   things + "CREATE VIEW cheap AS SELECT name FROM things; ALTER TABLE things ADD extra text; CREATE VIEW extras AS SELECT extra FROM things",
			missing: []string{"ALTER TABLE things ADD extra", "CREATE VIEW extras"},
		},
		{
			name: "view changed", before: things + "CREATE VIEW cheap AS SELECT name FROM things;", after: things + "CREATE OR REPLACE VIEW cheap AS SELECT name, price FROM things;",
			differs: []string{"price” where the schema has “FROM things;”"},
		},
		{
			name: "materialized view", before: things, after: things + "CREATE MATERIALIZED VIEW sums AS SELECT sum(price) FROM things; CREATE UNIQUE INDEX ON sums (sum)",
			missing: []string{"CREATE MATERIALIZED VIEW", "CREATE UNIQUE INDEX"},
		},
		{
			name: "view instead of a table", before: things + "CREATE TABLE cheap ()", after: things + "CREATE VIEW cheap AS SELECT 1 AS x",
			differs: []string{"view cheap is in schema.sql, and the schema has table cheap instead"},
		},
		{
			name:    "overloaded functions",
			before:  "CREATE FUNCTION total(a integer, b text) RETURNS integer LANGUAGE sql AS 'SELECT 1';",
			after:   "CREATE FUNCTION total(a integer, b text) RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'; COMMENT ON FUNCTION total(integer) IS 'x'",
			missing: []string{"CREATE FUNCTION total(a integer) ", "COMMENT ON"},
		},
		{
			name:    "function changed",
			before:  "CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';",
			after:   "CREATE OR REPLACE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 2';",
			differs: []string{"function total(integer) differs: schema.sql has “SELECT 2” where the schema has “SELECT 1”"},
		},
		{
			name: "trigger", before: things,
			after:   things + "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER touch BEFORE UPDATE ON things FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE things DISABLE TRIGGER touch",
			missing: []string{"CREATE FUNCTION touch", "CREATE TRIGGER touch", "ALTER TABLE things DISABLE"},
		},
		{
			name: "policy", before: things, after: things + "ALTER TABLE things ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON things USING (price > 0)",
			missing: []string{"CREATE POLICY"},
			differs: []string{"table things is ENABLE ROW LEVEL SECURITY in schema.sql and ordinary in the schema"},
		},
		{
			name: "comments", before: things + "COMMENT ON TABLE things IS 'old'",
			after:   things + "COMMENT ON TABLE things IS 'new'; COMMENT ON COLUMN things.price IS 'in euros'",
			missing: []string{"COMMENT ON COLUMN"},
			differs: []string{`the comment on table things is "new" in schema.sql and "old" in the schema`},
		},
		{
			name: "domain and composite type", before: things,
			after:   "CREATE DOMAIN age AS integer CHECK (VALUE > 0); CREATE TYPE pair AS (a age, b age); " + things,
			missing: []string{"CREATE DOMAIN", "CREATE TYPE"},
		},
		{
			name: "partitions", before: "CREATE TABLE m (at date, n integer) PARTITION BY RANGE (at); CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');",
			after: `CREATE TABLE m (at date, n integer) PARTITION BY RANGE (at); CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
				CREATE TABLE m2 PARTITION OF m FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); ALTER TABLE m ADD k integer; CREATE INDEX ON m (n)`,
			missing: []string{"CREATE TABLE m2", "ALTER TABLE m ADD k", "CREATE INDEX"},
		},
		{
			name: "partition of a table with a later column", before: "CREATE TABLE m (at date) PARTITION BY RANGE (at); ALTER TABLE m ADD k integer",
			after: `CREATE TABLE m (at date) PARTITION BY RANGE (at); CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
				ALTER TABLE m ADD k integer`,
			missing: []string{"CREATE TABLE m1"},
		},
		{
			name: "statistics", before: things, after: things + "CREATE STATISTICS linked (dependencies) ON name, price FROM things", missing: []string{"CREATE STATISTICS"},
		},
		{
			name: "quoted names", before: `CREATE TABLE "Order ""Lines" ("a.b" integer)`,
			after:   `CREATE TABLE "Order ""Lines" ("a.b" integer); ALTER TABLE "Order ""Lines" ADD "c d" text; CREATE INDEX ON "Order ""Lines" ("c d"); CREATE TABLE "order lines" ()`,
			missing: []string{`ALTER TABLE "Order`, "CREATE INDEX", "CREATE TABLE"},
		},
		{
			name: "DO", before: things, after: things + "DO $$BEGIN EXECUTE 'CREATE TABLE parts (id integer)'; END$$; DO $$BEGIN PERFORM 1; END$$",
			missing: []string{"DO $$BEGIN EXECUTE"},
		},
		{
			name: "rows", before: things, after: things + "INSERT INTO things VALUES (1, 'a'); UPDATE things SET price = 1",
		},
		{
			name: "rows of a new table", before: things,
			after: things + `CREATE TABLE kinds (id serial PRIMARY KEY, name text); INSERT INTO kinds VALUES (5, 'x'); SELECT setval('kinds_id_seq', 5);
				INSERT INTO things (name) SELECT name FROM kinds; SELECT count(*) FROM kinds`,
			missing: []string{"CREATE TABLE kinds", "INSERT INTO kinds", "SELECT setval"},
		},
		{
			name: "privileges", before: things, after: things + "GRANT SELECT ON things TO PUBLIC; CREATE TABLE parts (id integer); GRANT SELECT ON parts TO PUBLIC; ALTER TABLE parts OWNER TO CURRENT_USER",
			missing: []string{"CREATE TABLE parts", "GRANT SELECT ON parts"},
		},
		{
			name: "settings", before: things, after: "SET check_function_bodies = off; " + things + `CREATE FUNCTION total() RETURNS integer LANGUAGE sql AS 'SELECT nothing FROM nowhere'; SET check_function_bodies = on`,
			missing: []string{"SET check_function_bodies = off", "CREATE FUNCTION"},
		},
		{
			name: "pg_dump", before: "CREATE TABLE other ();",
			after: `SET default_tablespace = '';
				CREATE TABLE other ();
				CREATE TABLE things (id integer NOT NULL, name text);
				ALTER TABLE things OWNER TO CURRENT_USER;
				CREATE SEQUENCE things_id_seq AS integer START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
				ALTER SEQUENCE things_id_seq OWNED BY things.id;
				ALTER TABLE ONLY things ALTER COLUMN id SET DEFAULT nextval('things_id_seq'::regclass);
				ALTER TABLE ONLY things ADD CONSTRAINT things_pkey PRIMARY KEY (id);`,
			missing: []string{"SET default", "CREATE TABLE things", "CREATE SEQUENCE", "ALTER SEQUENCE", "ALTER TABLE ONLY things ALTER", "ALTER TABLE ONLY things ADD"},
		},
		{
			name: "pg_dump of what serial made", before: things,
			after: `CREATE TABLE things (id integer NOT NULL, name text NOT NULL, price integer);
				CREATE SEQUENCE things_id_seq AS integer START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
				ALTER SEQUENCE things_id_seq OWNED BY things.id;
				ALTER TABLE ONLY things ALTER COLUMN id SET DEFAULT nextval('things_id_seq'::regclass);
				ALTER TABLE ONLY things ADD CONSTRAINT things_pkey PRIMARY KEY (id);`,
		},
		{
			name: "dropped again", before: things,
			after: things + "CREATE TABLE temporary (id integer); INSERT INTO temporary VALUES (1); DROP TABLE temporary; DROP VIEW IF EXISTS cheap; CREATE VIEW cheap AS SELECT 1 AS x",

			missing: []string{"CREATE VIEW"},
		},
		{
			name: "renamed", before: things,
			after: things + `CREATE TABLE stuff (id integer, a integer); ALTER TABLE stuff ENABLE ROW LEVEL SECURITY; ALTER TABLE stuff RENAME TO parts; ALTER TABLE parts RENAME a TO b;
				ALTER TABLE things ADD extra text; ALTER TABLE things RENAME extra TO more`,
			missing: []string{"CREATE TABLE stuff", "ALTER TABLE stuff ENABLE", "ALTER TABLE stuff RENAME", "ALTER TABLE parts RENAME", "ALTER TABLE things ADD", "ALTER TABLE things RENAME"},
		},
		{
			name: "renamed already", before: "CREATE TABLE stuff (id integer, a integer); ALTER TABLE stuff RENAME TO parts;",
			after: "CREATE TABLE stuff (id integer, a integer); ALTER TABLE stuff RENAME TO parts;",
		},
		{
			name: "rule and operator", before: things,
			after:   things + "CREATE RULE quiet AS ON DELETE TO things DO INSTEAD NOTHING; CREATE FUNCTION eq(things, things) RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE OPERATOR === (LEFTARG = things, RIGHTARG = things, FUNCTION = eq)",
			missing: []string{"CREATE RULE", "CREATE FUNCTION", "CREATE OPERATOR"},
		},
		{
			name: "table of a query", before: things, after: things + "CREATE TABLE kinds AS SELECT generate_series(1, 3) AS n; INSERT INTO things (name) VALUES ('x')",
			missing: []string{"CREATE TABLE kinds"},
		},
		{
			name: "several tables", before: things, after: things + "CREATE TABLE parts (id integer); CREATE TABLE more (n integer); ALTER TABLE parts ADD m integer; CREATE TABLE things2 (LIKE things INCLUDING ALL)",
			missing: []string{"CREATE TABLE parts", "CREATE TABLE more", "ALTER TABLE parts", "CREATE TABLE things2"},
		},
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	url := testdb.New(t)
	execute(t, connect(t, url), public)
	for i, tt := range compareCases() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, url)
			schema, fresh := tenant.MustParseSchema(fmt.Sprintf("T-%d", i)), tenant.MustParseSchema(fmt.Sprintf("fresh%d", i))
			build(t, conn, schema, split(t, tt.before))
			d := learn(t, conn, tt.after)[0]
			got := d.Compare(read(t, conn, schema))
			if len(got.Missing) != len(tt.missing) || !slices.EqualFunc(strings.Split(firsts(got.Missing), "\n"), tt.missing, strings.HasPrefix) && len(tt.missing) > 0 {
				t.Errorf("missing:\n%s\nwant:\n%s", firsts(got.Missing), strings.Join(tt.missing, "\n"))
			}
			checkDiffers(t, got.Differs, tt.differs)
			if t.Failed() {
				return
			}
			build(t, conn, schema, got.Missing)
			objects := read(t, conn, schema)
			again := d.Compare(objects)
			if len(again.Missing) > 0 {
				t.Errorf("missing still:\n%s", firsts(again.Missing))
			}
			checkDiffers(t, again.Differs, tt.differs)
			if len(tt.differs) > 0 {
				return
			}
			build(t, conn, fresh, split(t, tt.after))
			checkAlike(t, objects, read(t, conn, fresh), tt.renamed)
		})
	}
}

func checkDiffers(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.EqualFunc(got, want, strings.Contains) {
		t.Errorf("differs:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// checkAlike compares a schema that was synced with a new one.
func checkAlike(t *testing.T, got, want []catalog.Object, renamed bool) {
	t.Helper()
	lines := func(objects []catalog.Object) (lines []string) {
		for _, o := range objects {
			if renamed && (o.Kind == catalog.Constraint || o.Kind == catalog.Index) {
				o.Name = ""
			}
			o.Access = ""
			lines = append(lines, fmt.Sprintf("%#v", o))
		}
		slices.Sort(lines)
		return lines
	}
	a, b := lines(got), lines(want)
	if !slices.Equal(a, b) {
		t.Errorf("synced:\n%s\nnew:\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
}
