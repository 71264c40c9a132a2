package sqlfile_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// statement splits a text that is one statement.
func statement(t *testing.T, text string) sqlfile.Statement {
	t.Helper()
	stmts, err := sqlfile.Split(text)
	if err != nil || len(stmts) != 1 {
		t.Fatalf("Split(%q) = %v, %v", text, stmts, err)
	}
	return stmts[0]
}

func TestStatementAlone(t *testing.T) {
	t.Parallel()

	for text, inTransaction := range map[string]string{
		"CREATE INDEX i ON t (a)":                                            "CREATE INDEX i ON t (a)",
		"CREATE INDEX CONCURRENTLY i ON t (a)":                               "CREATE INDEX              i ON t (a)",
		"create unique index /* x */ concurrently\nif not exists i on t (a)": "create unique index /* x */             \nif not exists i on t (a)",
		"DROP INDEX CONCURRENTLY IF EXISTS i":                                "DROP INDEX              IF EXISTS i",
		"ALTER TABLE t DETACH PARTITION s.p CONCURRENTLY":                    "ALTER TABLE t DETACH PARTITION s.p             ",
		"ALTER TABLE t DETACH PARTITION p":                                   "ALTER TABLE t DETACH PARTITION p",
		"REINDEX TABLE CONCURRENTLY t":                                       "",
		"REINDEX (VERBOSE) INDEX CONCURRENTLY i":                             "",
		"REINDEX (CONCURRENTLY) TABLE t":                                     "",
		"REINDEX SCHEMA s":                                                   "",
		"REINDEX INDEX i":                                                    "REINDEX INDEX i",
		"VACUUM":                                                             "",
		"VACUUM (ANALYZE) t":                                                 "",
		"CLUSTER":                                                            "",
		"CLUSTER (VERBOSE)":                                                  "",
		"CLUSTER t USING i":                                                  "CLUSTER t USING i",
		"REFRESH MATERIALIZED VIEW CONCURRENTLY v":                           "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
		"ALTER TYPE t ADD VALUE 'x'":                                         "ALTER TYPE t ADD VALUE 'x'",
		"CREATE TABLE concurrently (a int)":                                  "CREATE TABLE concurrently (a int)",
		"ANALYZE t":                                                          "ANALYZE t",
	} {
		s := statement(t, text)
		if s.Alone != (text != inTransaction) {
			t.Errorf("%q: Alone = %v", text, s.Alone)
		}
		if got := s.InTransaction(); got != inTransaction {
			t.Errorf("%q: InTransaction = %q; want %q", text, got, inTransaction)
		}
	}
}

func TestStatementConcurrentIndexes(t *testing.T) {
	t.Parallel()

	type names = []sqlfile.Name
	long := strings.Repeat("x", 62) + "ä"
	for text, want := range map[string][2]names{
		"CREATE INDEX i ON t (a)":                                                 {nil, nil},
		"CREATE INDEX CONCURRENTLY Orders_By_Day ON t (a)":                        {names{{"", "orders_by_day"}}, nil},
		`CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "By ""Day" ON ONLY t (a)`: {names{{"", `By "Day`}}, nil},
		"CREATE INDEX CONCURRENTLY i ON sales.t (a)":                              {names{{"sales", "i"}}, nil},
		"CREATE INDEX CONCURRENTLY ON t (a)":                                      {names{{"", ""}}, nil},
		"CREATE INDEX CONCURRENTLY " + long + " ON t (a)":                         {names{{"", long[:62]}}, nil}, // as PostgreSQL cuts it
		"DROP INDEX CONCURRENTLY i":                                               {nil, names{{"", "i"}}},
		`DROP INDEX CONCURRENTLY IF EXISTS sales.i, "J" CASCADE`:                  {nil, names{{"sales", "i"}, {"", "J"}}},
		"REINDEX INDEX CONCURRENTLY i":                                            {nil, nil},
	} {
		created, dropped := statement(t, text).ConcurrentIndexes()
		if !reflect.DeepEqual([2]names{created, dropped}, want) {
			t.Errorf("%q: %v, %v; want %v", text, created, dropped, want)
		}
	}
}

// What an app of tenants does outside of the tenant's schema is refused when it is
// loaded; a shared app may do it.
func TestTrespass(t *testing.T) {
	t.Parallel()

	const (
		none   = ""
		public = "what belongs to a tenant would be created in public (leave the schema out, or put it into a shared app)"
		other  = `what belongs to a tenant would be created in schema "audit" (leave the schema out, or put it into a shared app)`
		change = `it changes what stands in schema "public", once for each tenant (leave the schema out, or put it into a shared app)`
		write  = "a tenant's file may not change what is shared (leave the schema out if the table is the tenant's, or put it into a shared app)"
		role   = " of the role: a tenant's files run as the migrator role, which cannot change what is shared (remove the statement, or put what needs another role into a shared app)"
		wide   = "it is for the whole database, and a tenant's app runs once for each tenant (put it into a migration of a shared app)"
	)
	for text, want := range map[string]string{
		"CREATE TABLE a (id int REFERENCES public.b (id))":                                  none,
		"CREATE TABLE public.a (id int)":                                                    "CREATE TABLE public.a: " + public,
		"create unlogged table if not exists Public . a (id int)":                           "CREATE TABLE public.a: " + public,
		`CREATE TABLE "public"."a" (id int)`:                                                "CREATE TABLE public.a: " + public,
		"CREATE TABLE audit.a (id int)":                                                     "CREATE TABLE audit.a: " + other,
		"CREATE TABLE pg_temp.a (id int)":                                                   none,
		"CREATE TEMP TABLE a AS SELECT * FROM public.b":                                     none,
		"CREATE TABLE a AS SELECT * FROM public.b":                                          none,
		"CREATE TABLE a PARTITION OF b FOR VALUES IN (1)":                                   none,
		"CREATE OR REPLACE VIEW public.v AS SELECT 1":                                       "CREATE VIEW public.v: " + public,
		"CREATE RECURSIVE VIEW public.v (a) AS SELECT 1":                                    "CREATE VIEW public.v: " + public,
		"CREATE MATERIALIZED VIEW IF NOT EXISTS public.v AS SELECT 1":                       "CREATE MATERIALIZED VIEW public.v: " + public,
		"CREATE SEQUENCE public.s":                                                          "CREATE SEQUENCE public.s: " + public,
		"CREATE TYPE audit.t AS ENUM ('a')":                                                 "CREATE TYPE audit.t: " + other,
		"CREATE DOMAIN public.d AS int":                                                     "CREATE DOMAIN public.d: " + public,
		"CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'":                 "CREATE FUNCTION public.f: " + public,
		"CREATE FUNCTION f() RETURNS public.t LANGUAGE sql AS 'SELECT 1'":                   none,
		"CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'":                none,
		"CREATE AGGREGATE public.a (int) (SFUNC = f, STYPE = int)":                          "CREATE AGGREGATE public.a: " + public,
		"CREATE OPERATOR public.+ (FUNCTION = f)":                                           "CREATE OPERATOR public.+: " + public,
		"CREATE OPERATOR + (FUNCTION = f)":                                                  none,
		"CREATE OPERATOR CLASS public.c FOR TYPE int USING btree AS STORAGE int":            "CREATE OPERATOR CLASS public.c: " + public,
		"CREATE TEXT SEARCH CONFIGURATION public.c (PARSER = default)":                      "CREATE TEXT SEARCH CONFIGURATION public.c: " + public,
		"CREATE STATISTICS public.s ON a, b FROM t":                                         "CREATE STATISTICS public.s: " + public,
		"CREATE STATISTICS ON a, b FROM t":                                                  none,
		"CREATE FOREIGN TABLE public.t (a int) SERVER s":                                    "CREATE FOREIGN TABLE public.t: " + public,
		"CREATE INDEX i ON t (a)":                                                           none,
		"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY public.t (a)":             "CREATE INDEX on public.t: " + public,
		"CREATE INDEX ON public.t (a)":                                                      "CREATE INDEX on public.t: " + public,
		"CREATE TRIGGER r BEFORE UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION public.f()": none,
		"CREATE CONSTRAINT TRIGGER r AFTER INSERT ON public.t EXECUTE FUNCTION f()":         "CREATE TRIGGER on public.t: " + public,
		"CREATE RULE r AS ON INSERT TO public.t DO NOTHING":                                 "CREATE RULE on public.t: " + public,
		"CREATE POLICY p ON public.t USING (true)":                                          "CREATE POLICY on public.t: " + public,
		"CREATE EXTENSION IF NOT EXISTS pgcrypto":                                           "CREATE EXTENSION: " + wide,
		"CREATE ROLE r":                    "CREATE ROLE: " + wide,
		"CREATE USER u":                    "CREATE USER: " + wide,
		"CREATE PUBLICATION p FOR TABLE t": "CREATE PUBLICATION: " + wide,
		"CREATE SCHEMA s":                  "CREATE SCHEMA: cotenant makes the schema that a tenant's file is for (remove the statement, and the name of the schema from the others; what is shared goes into a shared app)",
		"CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f()":               "CREATE EVENT TRIGGER: " + wide,
		"CREATE FOREIGN DATA WRAPPER w":                                         "CREATE FOREIGN DATA WRAPPER: " + wide,
		"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO r": "ALTER DEFAULT PRIVILEGES: " + wide,
		"DROP OWNED BY r":                                                                    "DROP OWNED BY: " + wide,
		"COMMENT ON EXTENSION x IS 'y'":                                                      "COMMENT ON EXTENSION: " + wide,
		"ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES public.b":                              none,
		"ALTER TABLE IF EXISTS ONLY public.t ADD a int":                                      "ALTER TABLE public.t: " + change,
		"ALTER INDEX public.i RENAME TO j":                                                   "ALTER INDEX public.i: " + change,
		"ALTER FUNCTION public.f(int) OWNER TO r":                                            "ALTER FUNCTION public.f: " + change,
		"ALTER TABLE t SET SCHEMA public":                                                    "ALTER TABLE … SET SCHEMA: it moves what belongs to a tenant out of the tenant's schema (remove the statement)",
		"ALTER TABLE t ALTER a SET DEFAULT 1, ALTER b SET NOT NULL":                          none,
		"DROP TABLE IF EXISTS a, public.b":                                                   "DROP TABLE public.b: " + change,
		"DROP FUNCTION f(int), public.g(int, int)":                                           "DROP FUNCTION public.g: " + change,
		"DROP TRIGGER r ON public.t":                                                         "DROP TRIGGER on public.t: " + change,
		"DROP INDEX CONCURRENTLY IF EXISTS public.i":                                         "DROP INDEX public.i: " + change,
		"COMMENT ON TABLE public.t IS 'x'":                                                   "COMMENT ON TABLE public.t: " + change,
		"COMMENT ON COLUMN t.a IS 'x'":                                                       none,
		"COMMENT ON COLUMN public.t.a IS 'x'":                                                "COMMENT ON COLUMN public.t: " + change,
		"COMMENT ON CONSTRAINT c ON public.t IS 'x'":                                         "COMMENT ON CONSTRAINT on public.t: " + change,
		"SELECT * INTO public.a FROM b":                                                      "SELECT INTO TABLE public.a: " + public,
		"SELECT * INTO TEMP a FROM b":                                                        none,
		"WITH x AS (SELECT 1) SELECT * INTO TABLE audit.a FROM x":                            "SELECT INTO TABLE audit.a: " + other,
		"WITH x AS (SELECT 1) INSERT INTO public.a SELECT * FROM x":                          "INSERT INTO public.a: " + write,
		"WITH x AS (UPDATE ONLY public.a SET b = 1 RETURNING b) SELECT 1":                    "UPDATE public.a: " + write,
		"INSERT INTO public.a VALUES (1)":                                                    "INSERT INTO public.a: " + write,
		"UPDATE audit.a SET b = 1":                                                           `UPDATE audit.a: it changes what stands in schema "audit", once for each tenant (leave the schema out, or put it into a shared app)`,
		"DELETE FROM ONLY public.a USING b":                                                  "DELETE FROM public.a: " + write,
		"TRUNCATE a, public.b":                                                               "TRUNCATE public.b: " + write,
		"MERGE INTO public.a USING b ON true WHEN MATCHED THEN DELETE":                       "MERGE INTO public.a: " + write,
		"MERGE INTO a USING public.b ON true WHEN MATCHED THEN UPDATE SET c = 1":             none,
		"INSERT INTO a SELECT * FROM public.b ON CONFLICT (id) DO UPDATE SET c = excluded.c": none,
		"DELETE FROM a USING public.b WHERE a.id = b.id":                                     none,
		"INSERT INTO pg_temp.a VALUES (1)":                                                   none,
		"TRUNCATE TABLE a":                                                                   none,
		"UPDATE ONLY (public.a) SET b = 1":                                                   "UPDATE public.a: " + write,
		"TRUNCATE ONLY (a), ONLY (public.b)":                                                 "TRUNCATE public.b: " + write,
		"EXPLAIN ANALYZE UPDATE public.a SET b = 1":                                          "UPDATE public.a: " + write,
		"EXPLAIN ANALYZE VERBOSE UPDATE public.a SET b = 1":                                  "UPDATE public.a: " + write,
		"EXPLAIN (ANALYZE, BUFFERS) UPDATE public.a SET b = 1":                               "UPDATE public.a: " + write,
		"EXPLAIN ANALYZE SELECT * FROM public.a":                                             none,
		"EXPLAIN ANALYZE UPDATE a SET b = 1 FROM public.b":                                   none,
		"PREPARE p (int) AS UPDATE public.a SET b = $1":                                      "UPDATE public.a: " + write,
		"PREPARE p AS SELECT * FROM public.a":                                                none,
		"WITH x AS MATERIALIZED (DELETE FROM public.a RETURNING *) SELECT * FROM x":          "DELETE FROM public.a: " + write,
		"INSERT INTO a WITH x AS (DELETE FROM public.b RETURNING *) SELECT * FROM x":         "DELETE FROM public.b: " + write,
		"CREATE TABLE a AS WITH x AS (DELETE FROM public.b RETURNING *) SELECT * FROM x":     "DELETE FROM public.b: " + write,
		"CREATE TABLE a AS WITH x AS (UPDATE b SET c = 1 RETURNING *) SELECT * FROM x":       none,
		"CREATE FUNCTION f() RETURNS void BEGIN ATOMIC DELETE FROM public.a; END":            none, // it does nothing yet
		"COPY public.a FROM '/tmp/a'":                                                        "COPY public.a: " + write,
		"COPY public.a (b, c) FROM PROGRAM 'x' WITH (FORMAT csv)":                            "COPY public.a: " + write,
		"COPY audit.a FROM '/tmp/a'":                                                         `COPY audit.a: it changes what stands in schema "audit", once for each tenant (leave the schema out, or put it into a shared app)`,
		"COPY a FROM '/tmp/a'":                                                               none,
		"COPY public.a TO '/tmp/a'":                                                          none,
		"COPY (SELECT * FROM public.a) TO '/tmp/a'":                                          none,
		"COPY (UPDATE public.a SET b = 1 RETURNING *) TO '/tmp/a'":                           "UPDATE public.a: " + write,
		"LOCK TABLE ONLY public.a NOWAIT":                                                    "LOCK public.a: " + write,
		"LOCK TABLE a, ONLY public.b IN SHARE MODE NOWAIT":                                   "LOCK public.b: " + write,
		"LOCK TABLE public.a IN ACCESS SHARE MODE":                                           none,
		"LOCK TABLE public.a IN ACCESS EXCLUSIVE MODE":                                       "LOCK public.a: " + write,
		"LOCK TABLE a IN EXCLUSIVE MODE":                                                     none,
		"REFRESH MATERIALIZED VIEW CONCURRENTLY public.v WITH DATA":                          "REFRESH MATERIALIZED VIEW public.v: " + write,
		"REFRESH MATERIALIZED VIEW v":                                                        none,
		"REINDEX (VERBOSE) TABLE CONCURRENTLY public.a":                                      "REINDEX TABLE public.a: " + write,
		"REINDEX INDEX i":                                                                    none,
		"CLUSTER VERBOSE public.a USING i":                                                   "CLUSTER public.a: " + write,
		"CLUSTER a USING i":                                                                  none,
		"CREATE TABLE a PARTITION OF public.b FOR VALUES IN (1)":                             "PARTITION OF public.b: " + write,
		"CREATE TABLE a (b int) INHERITS (c, public.d)":                                      "INHERITS public.d: " + write,
		"CREATE TABLE a (LIKE public.b INCLUDING ALL)":                                       none,
		"ALTER TABLE a ADD b int CHECK (b > 0) NO INHERIT, INHERIT public.c":                 "INHERIT public.c: " + write,
		"ALTER TABLE a ATTACH PARTITION public.b DEFAULT":                                    "ATTACH PARTITION public.b: " + write,
		"ALTER TABLE a ATTACH PARTITION b FOR VALUES IN (1)":                                 none,
		"GRANT SELECT (a, b), UPDATE (c) ON public.a TO r":                                   "GRANT ON public.a: " + write,
		"REVOKE GRANT OPTION FOR ALL ON TABLE a, public.b FROM r":                            "REVOKE ON public.b: " + write,
		"GRANT EXECUTE ON FUNCTION f(public.t), public.g(int) TO r":                          "GRANT ON public.g: " + write,
		"GRANT SELECT ON a, b TO public":                                                     none,
		"GRANT SELECT ON schema TO r":                                                        none,
		"GRANT SELECT ON \"all\" TO PUBLIC WITH GRANT OPTION":                                none,
		"GRANT USAGE ON SCHEMA public TO r":                                                  "GRANT ON SCHEMA: " + wide,
		"GRANT SELECT ON ALL TABLES IN SCHEMA public TO r":                                   "GRANT ON ALL … IN SCHEMA: " + wide,
		"GRANT a TO b":                     "GRANT of a role: " + wide,
		"REVOKE ADMIN OPTION FOR a FROM b": "REVOKE of a role: " + wide,
		"CALL public.f(1)":                 none,
		"SELECT * FROM public.a FOR SHARE": none,
		"ANALYZE public.a":                 none, // PostgreSQL leaves out what is not the role's
		"REASSIGN OWNED BY a TO b":         "REASSIGN OWNED: " + wide,
		"CREATE RULE r AS ON INSERT TO a DO ALSO INSERT INTO public.b VALUES (1)": none,

		"SET ROLE other":                      "SET" + role,
		"SET LOCAL role TO other":             "SET" + role,
		"SET SESSION ROLE NONE":               "SET" + role,
		"RESET ROLE":                          "RESET" + role,
		"SET SESSION AUTHORIZATION DEFAULT":   "SET" + role,
		"SET LOCAL SESSION AUTHORIZATION 'x'": "SET" + role,
		"set session session authorization x": "SET" + role,
		"SET session_authorization = x":       "SET" + role,
		"RESET SESSION AUTHORIZATION":         "RESET" + role,
		"SET LOCAL lock_timeout = 1":          none,
		"SET my.role = 1":                     none,

		"SELECT public.f(a) FROM public.b":                  none,
		"INSERT INTO a SELECT * FROM public.b":              none,
		"DO $$BEGIN CREATE TABLE public.a (id int); END$$":  none, // PostgreSQL refuses it
		"SELECT 'CREATE TABLE public.a (id int)'":           none,
		"IMPORT FOREIGN SCHEMA s FROM SERVER r INTO public": "IMPORT FOREIGN SCHEMA: " + wide,
		`CREATE TABLE U&"publi\0063".a (id int)`:            `CREATE TABLE publi\0063.a: what belongs to a tenant would be created in schema "publi\\0063" (leave the schema out, or put it into a shared app)`,
	} {
		fsys := files("migrations/1_a.sql", "SELECT 1;\n"+text)
		tenant := &sqlfile.Reader{App: "shop", FS: fsys, Tenant: true}
		_, err := tenant.Migrations()
		switch {
		case want == none && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != none && (err == nil || err.Error() != "shop/migrations/1_a.sql:2: "+want):
			t.Errorf("%s:\n%v; want\n%s", text, err, want)
		}
		shared := &sqlfile.Reader{App: "shop", FS: fsys}
		if _, err := shared.Migrations(); err != nil {
			t.Errorf("%s: in a shared app: %v", text, err)
		}
	}
}
