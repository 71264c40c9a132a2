package doctor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/doctor"
	"github.com/cotenant/cotenant/internal/testdb"
)

// What is in the schemas.
func TestTables(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme", "globex", "initech")
	for _, schema := range []string{"acme", "globex"} {
		c.execute(t, "SET search_path = "+schema, "ALTER TABLE orders ADD CONSTRAINT total_check CHECK (total > 0) NOT VALID", "CREATE TABLE log (line text)",
			"CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY LIST (id)", "CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1)",
			"ALTER TABLE log OWNER TO cotenant_migrator; ALTER TABLE parts OWNER TO cotenant_migrator; ALTER TABLE parts1 OWNER TO cotenant_migrator")
	}
	c.execute(t, "RESET search_path")
	report := c.examine(t)
	f := noticed(t, report, "constraint-not-valid", doctor.Note, `"total_check" of orders`, "VALIDATE CONSTRAINT")
	if f.Count != 2 || !slices.Equal(f.Schemas, []string{"acme", "globex"}) {
		t.Errorf("%d: %q", f.Count, f.Schemas)
	}
	f = noticed(t, report, "table-without-primary-key", doctor.Note, `table "log"`)
	if f.Count != 2 {
		t.Errorf("%d: %q", f.Count, f.Schemas)
	}
	nothingElse(t, report)
}

// Sequences of integers near their end: of identity columns, of serial columns, and of
// sequences of bigint that an integer column is filled from.
func TestSequences(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme", "globex")
	for _, schema := range []string{"acme", "globex"} {
		c.execute(t, "SET search_path = "+schema, "CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, small smallserial, big bigserial)",
			"CREATE SEQUENCE loose", "CREATE TABLE b (id int PRIMARY KEY DEFAULT nextval('loose'))", "ALTER SEQUENCE loose OWNED BY b.id",
			"CREATE SEQUENCE round AS int CYCLE", "CREATE SEQUENCE down AS int INCREMENT -1", "CREATE SEQUENCE fresh AS smallint",
			"SELECT setval('round', 2147483647), setval('a_big_seq', 3000000000), setval('a_small_seq', 27000)",
			"ALTER TABLE a OWNER TO cotenant_migrator; ALTER TABLE b OWNER TO cotenant_migrator")
	}
	c.execute(t, "SELECT setval('globex.a_id_seq', 2147483647), setval('acme.loose', 2000000000), setval('acme.a_id_seq', 1800000000)", "RESET search_path")
	report := c.examine(t)
	found := of(report, "sequence-near-end")
	var got []string
	for _, f := range found {
		got = append(got, string(f.Severity)+" "+f.Subject+" "+f.Message+" "+strings.Join(f.Schemas, ","))
	}
	want := []string{
		`error sequence "a_id_seq" 2147483647 of its 2147483647 numbers are given away acme,globex`,
		`warning sequence "a_small_seq" 27000 of its 32767 numbers are given away acme,globex`,
		`warning sequence "loose" 2000000000 of its 2147483647 numbers are given away acme`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	nothingElse(t, report, "sequence-near-end")
}

// Extensions and functions that make one tenant depend on a name.
func TestFunctions(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme", "Big-Co", "globex")
	c.execute(
		t, "CREATE EXTENSION hstore SCHEMA acme", "CREATE EXTENSION pg_trgm SCHEMA public",
		`CREATE FUNCTION "Big-Co".f() RETURNS int LANGUAGE sql SET search_path = "Big-Co", public AS 'SELECT 1'`,
		`CREATE FUNCTION acme.f() RETURNS int LANGUAGE sql SET search_path = acme, public AS 'SELECT 1'`,
		`CREATE FUNCTION public.g() RETURNS int LANGUAGE sql SET search_path TO pg_catalog, globex AS 'SELECT 1'`,
		`CREATE FUNCTION acme.fine() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1'`,
		`CREATE FUNCTION acme.definer() RETURNS int LANGUAGE sql SECURITY DEFINER SET work_mem = '4MB' AS 'SELECT 1'`,
		`CREATE FUNCTION globex.definer() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'`,
	)
	report := c.examine(t)
	noticed(t, report, "extension-in-tenant", doctor.Warning, `extension "hstore"`, `"acme"`, "SET SCHEMA public")
	found := of(report, "function-names-schema")
	if len(found) != 2 || !slices.Equal(found[0].Schemas, []string{"Big-Co", "acme"}) || !strings.Contains(found[0].Message, "of its tenant") ||
		found[1].Subject != `function "g"` || !strings.Contains(found[1].Message, "of another tenant") {
		t.Errorf("%+v", found)
	}
	f := noticed(t, report, "function-security-definer", doctor.Warning, `function "definer"`)
	if !slices.Equal(f.Schemas, []string{"acme", "globex"}) {
		t.Errorf("%q", f.Schemas)
	}
	nothingElse(t, report, "extension-in-tenant", "function-names-schema", "function-security-definer")
}

// What is wrong in many ways is told in a bounded number of findings.
func TestManyGroups(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme")
	c.execute(t, "DO $$ BEGIN FOR i IN 1..50 LOOP EXECUTE format('CREATE TABLE public.log%s (line text)', i); END LOOP; END $$")
	found := of(c.examine(t), "table-without-primary-key")
	if len(found) != 21 || found[20].Subject != "30 others" || found[20].Count != 30 {
		t.Errorf("%d findings, the last %+v", len(found), found[len(found)-1])
	}
}
