package drift_test

import (
	"os"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/drift"
)

// A schema that has nothing gets all of the reference, in an order that runs.
func TestRepairNothing(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.execute(t, taxes)
	d.build(t, "", "acme", "Big-Corp")
	options := drift.Options{ColumnOrder: true, Comments: true, Repair: true}
	report := d.find(t, shop, options, "acme", "Big-Corp")
	if len(report.Groups) != 1 || report.Groups[0].Count != 2 {
		t.Fatalf("%+v", report)
	}
	d.execute(t, report.Groups[0].Script())
	if report = d.find(t, shop, options, "acme", "Big-Corp"); report.Drifted() {
		t.Error(describe(report))
	}
}

// What cannot be written says so, and the rest runs.
func TestRepairRare(t *testing.T) {
	t.Parallel()
	rare, err := os.ReadFile("../internal/catalog/testdata/everything.sql")
	if err != nil {
		t.Fatal(err)
	}
	d := newDatabase(t)
	d.execute(t, "CREATE TABLE public.taxes (id integer PRIMARY KEY)")
	const some = `CREATE COLLATION german FROM "C"; CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s fine');
		CREATE FUNCTION same(mood, mood) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
		CREATE OPERATOR === (LEFTARG = mood, RIGHTARG = mood, FUNCTION = same, COMMUTATOR = ===, HASHES);`
	d.build(t, some, "acme")
	options := drift.Options{Comments: true, Repair: true}
	g := d.find(t, string(rare), options, "acme").Groups[0]
	d.repair(t, "acme", &g)
	report := d.find(t, string(rare), options, "acme")
	for _, difference := range report.Groups[0].Differences {
		if key := difference.Object; !strings.Contains(g.Repair, "-- to be written by hand: "+key) {
			t.Errorf("%v\nis not in\n%s", difference, g.Repair)
		}
	}
	for _, kind := range []string{"aggregate", "conversion", "operator family", "operator class", "text search configuration", "text search dictionary"} {
		if !strings.Contains(g.Repair, "-- to be written by hand: "+kind+" ") {
			t.Errorf("no %s in\n%s", kind, g.Repair)
		}
	}
}

// What is otherwise, or there in addition, is told and left alone.
func TestRepairLeavesAlone(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.execute(t, taxes)
	d.build(t, shop, "acme", "globex")
	for _, name := range []string{"acme", "globex"} {
		d.in(t, name, `CREATE TABLE extra (a int); ALTER TABLE things ALTER price SET DEFAULT 7; ALTER FUNCTION total() VOLATILE; DROP TABLE cache`)
	}
	g := d.find(t, shop, drift.Options{Repair: true}, "acme", "globex").Groups[0]
	script := g.Script()
	for _, want := range []string{
		"-- for acme, globex\nBEGIN;\nSET LOCAL search_path = \"acme\", \"public\", pg_temp;\n",
		"COMMIT;\nBEGIN;\nSET LOCAL search_path = \"globex\", \"public\", pg_temp;\n",
		"CREATE TABLE cache (\n\tk text NOT NULL,\n\tv jsonb\n);\n",
		"-- not repaired: + table extra (and 1 object of it)\n",
		"-- not repaired: ~ column things.price: numeric(10,2) DEFAULT 0 → numeric(10,2) DEFAULT 7\n",
		"-- not repaired: ~ function total():\n--     -() RETURNS bigint",
	} {
		if !strings.Contains(script, want) {
			t.Errorf("no %q in\n%s", want, script)
		}
	}
	if strings.Contains(script, "TABLE extra") || strings.Contains(script, "\nALTER TABLE things") {
		t.Error(script)
	}
}

// What a partition has of its own comes back with it, and an index as it was.
func TestRepairPartition(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	const sql = `CREATE TABLE p (k integer PRIMARY KEY, a integer DEFAULT 1, b text, c text DEFAULT 'x', d text) PARTITION BY RANGE (k);
		CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2);
		ALTER TABLE p1 ALTER a SET DEFAULT 2, ALTER b SET NOT NULL, ALTER b SET DEFAULT 'ON ONLY x', ALTER b SET STATISTICS 7, ALTER c DROP DEFAULT;
		CREATE INDEX of_all ON p (a) WHERE d <> 'ON ONLY x';
		CREATE TABLE "ONLY t" (a text);
		CREATE INDEX of_one ON "ONLY t" (a) WHERE a <> 'ON ONLY x';
		CREATE INDEX of_many ON "ONLY t" (lower(a), a, upper(a));
		ALTER INDEX of_many ALTER COLUMN 1 SET STATISTICS 5, ALTER COLUMN 3 SET STATISTICS 0`
	for name, change := range map[string]string{
		"tables":    `DROP TABLE p, "ONLY t"`,
		"partition": "DROP TABLE p1",
		"columns":   "ALTER TABLE p DROP COLUMN a, DROP COLUMN b, DROP COLUMN c",
		"indexes":   "DROP INDEX of_all, of_one, of_many",
	} {
		d.build(t, sql, name)
		d.in(t, name, change)
		g := d.find(t, sql, drift.Options{Repair: true}, name).Groups[0]
		d.repair(t, name, &g)
		if r := d.find(t, sql, drift.Options{}, name); r.Drifted() {
			t.Errorf("%s: there is still\n%s\nafter\n%s", change, describe(r), g.Repair)
		}
	}
}
