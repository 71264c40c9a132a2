package migrate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// variety makes one thing of each kind that has an owner.
const variety = `CREATE TABLE v_serial (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY);
	CREATE TABLE v_part (id int) PARTITION BY RANGE (id); CREATE TABLE v_part1 PARTITION OF v_part FOR VALUES FROM (0) TO (9);
	CREATE VIEW "V view" AS SELECT 1 AS a; CREATE MATERIALIZED VIEW v_mat AS SELECT 1 AS a; CREATE SEQUENCE v_seq;
	CREATE TYPE v_enum AS ENUM ('a'); CREATE TYPE v_pair AS (a int, b v_enum[]); CREATE DOMAIN v_dom AS int; CREATE DOMAIN v_doms AS int[];
	CREATE TYPE v_range AS RANGE (subtype = v_dom);
	CREATE FUNCTION v_fun(a v_pair, OUT b int, VARIADIC c int[] DEFAULT '{}') LANGUAGE sql AS 'SELECT 1';
	CREATE PROCEDURE v_proc(a int) LANGUAGE sql AS 'SELECT 1'; CREATE AGGREGATE v_count(*) (sfunc = int8inc, stype = int8, initcond = '0'); CREATE AGGREGATE v_sum(int8) (sfunc = int8pl, stype = int8);
	CREATE FUNCTION v_same(a v_pair, b v_pair) RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE OPERATOR === (leftarg = v_pair, rightarg = v_pair, function = v_same);
	CREATE OPERATOR FAMILY v_family USING hash; CREATE OPERATOR CLASS v_class FOR TYPE v_pair USING hash FAMILY v_family AS OPERATOR 1 ===;
	CREATE COLLATION v_coll (locale = 'C'); CREATE CONVERSION v_conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
	CREATE STATISTICS v_stat ON id, n FROM v_serial; CREATE TEXT SEARCH CONFIGURATION v_config (COPY = simple); CREATE TEXT SEARCH DICTIONARY v_dict (TEMPLATE = simple);
	CREATE INDEX ON v_serial (n)`

// othersSQL counts what is in a schema and is not the role's.
const othersSQL = `WITH o (what, owner) AS (
	SELECT nspname::text, nspowner FROM pg_namespace WHERE oid = $1::regnamespace
	UNION ALL SELECT relname, relowner FROM pg_class WHERE relnamespace = $1::regnamespace
	UNION ALL SELECT proname, proowner FROM pg_proc WHERE pronamespace = $1::regnamespace AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'i')
	UNION ALL SELECT typname, typowner FROM pg_type WHERE typnamespace = $1::regnamespace
	UNION ALL SELECT oprname, oprowner FROM pg_operator WHERE oprnamespace = $1::regnamespace
	UNION ALL SELECT opcname, opcowner FROM pg_opclass WHERE opcnamespace = $1::regnamespace
	UNION ALL SELECT opfname, opfowner FROM pg_opfamily WHERE opfnamespace = $1::regnamespace
	UNION ALL SELECT collname, collowner FROM pg_collation WHERE collnamespace = $1::regnamespace
	UNION ALL SELECT conname, conowner FROM pg_conversion WHERE connamespace = $1::regnamespace
	UNION ALL SELECT stxname, stxowner FROM pg_statistic_ext WHERE stxnamespace = $1::regnamespace
	UNION ALL SELECT cfgname, cfgowner FROM pg_ts_config WHERE cfgnamespace = $1::regnamespace
	UNION ALL SELECT dictname, dictowner FROM pg_ts_dict WHERE dictnamespace = $1::regnamespace)
	SELECT what FROM o WHERE owner <> $2::regrole`

// administrators is the statement that an administrator is told to run.
func administrators(text string) string {
	_, cure, _ := strings.Cut(text, "administrator: ")
	return strings.TrimSuffix(cure, ")")
}

// What an administrator is told to paste gives schemas of before the role to it, as one
// and as many: with all that is in them, and so that migrations go on.
func TestGiveAll(t *testing.T) {
	t.Parallel()

	g := newGuarded(t, "super")
	g.write("shop/migrations/1_a.sql", "CREATE TABLE a (id int);"+variety)
	g.add(t, "t1")
	before, err := g.run(t)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("SELECT cotenant.give_all('t1', '%s')", g.role); administrators(before.Unguarded) != want {
		t.Fatalf("unguarded: %s; want %s", before.Unguarded, want)
	}
	execute(t, g.conn, administrators(before.Unguarded))
	g.add(t, "T2", "t3")
	g.write("shop/migrations/2_b.sql", "ALTER TABLE a ADD COLUMN b int; DROP FUNCTION v_fun; DROP TABLE v_serial CASCADE")
	report, err := g.run(t)
	if err != nil {
		t.Fatal(err)
	}
	if others := column(t, g.conn, othersSQL, "t1", g.role); len(others) > 0 {
		t.Errorf("of t1 %q are not the role's", others)
	}
	execute(t, g.conn, administrators(report.Unguarded))
	g.write("shop/migrations/3_c.sql", "ALTER TABLE a ADD COLUMN c int")
	if report, err = g.run(t); err != nil || report.Unguarded != "" {
		t.Errorf("%+v, %v", report, err)
	}
	for _, schema := range []string{"t1", `"T2"`, "t3"} {
		if others := column(t, g.conn, othersSQL, schema, g.role); len(others) > 0 {
			t.Errorf("of %s %q are not the role's", schema, others)
		}
	}
}

// What is the login's in a schema of the role's is named with the cure: the history, and
// a table that a hook made.
func TestGiveAllIsTheCure(t *testing.T) {
	t.Parallel()

	g := newGuarded(t, "super")
	g.add(t, "t1")
	if _, err := g.run(t); err != nil {
		t.Fatal(err)
	}
	cure := fmt.Sprintf("SELECT cotenant.give_all('t1', '%s')", g.role)
	execute(t, g.conn, "ALTER SCHEMA t1 OWNER TO "+g.role)
	g.write("shop/migrations/2_b.sql", "ALTER TABLE a ADD COLUMN b int")
	_, err := g.run(t)
	has(t, err, "permission denied for table cotenant_migrations", cure)
	execute(t, g.conn, "ALTER TABLE t1.cotenant_migrations OWNER TO "+g.role)
	_, err = g.run(t)
	has(t, err, "must be owner of table a", "shared app", cure)
	execute(t, g.conn, cure)
	if _, err = g.run(t); err != nil {
		t.Fatal(err)
	}
	g.is(t, "t1", "a", "shop/1_a shop/2_b")
}

// A hook can give what it creates to the role, so that later files alter it.
func TestHookGives(t *testing.T) {
	t.Parallel()

	for _, how := range []string{"SET LOCAL ROLE %s; CREATE TABLE made (id int); RESET ROLE", "CREATE TABLE made (id int); SELECT cotenant.give_all('acme', '%s')"} {
		g := newGuarded(t, "CREATEROLE")
		if _, err := g.run(t); err != nil {
			t.Fatal(err)
		}
		g.create(t, "acme")
		g.config.OnMigrating = func(ctx context.Context, tx pgx.Tx, _ *tenant.Tenant, applied migrate.Applied) error {
			if applied.Name != "2_b" {
				return nil
			}
			for sql := range strings.SplitSeq(fmt.Sprintf(how, g.role), "; ") {
				if _, err := tx.Exec(ctx, sql); err != nil {
					return err
				}
			}
			return nil
		}
		g.write("shop/migrations/2_b.sql", "CREATE TABLE b (id int)", "shop/migrations/3_c.sql", "ALTER TABLE made ADD COLUMN c int")
		if _, err := g.run(t); err != nil {
			t.Errorf("%s: %v", how, err)
			continue
		}
		g.is(t, "acme", "a b made", "shop/1_a shop/2_b shop/3_c")
	}
}
