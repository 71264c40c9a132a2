package drift_test

import (
	"strings"
	"testing"

	"github.com/cotenant/cotenant/drift"
)

// What was switched off is told, and a repair switches it on again, and nothing else.
func TestFiring(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.execute(t, taxes)
	const sql = `CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
		CREATE TABLE a (id integer PRIMARY KEY);
		CREATE TABLE "B b" (a integer REFERENCES a, tax integer REFERENCES public.taxes, n integer UNIQUE DEFERRABLE);
		CREATE TRIGGER "On" BEFORE INSERT ON "B b" FOR EACH ROW EXECUTE FUNCTION touch();
		CREATE TRIGGER off BEFORE INSERT ON "B b" FOR EACH ROW EXECUTE FUNCTION touch();
		ALTER TABLE "B b" DISABLE TRIGGER off;
		CREATE TABLE p (id integer REFERENCES a, k integer PRIMARY KEY) PARTITION BY RANGE (k);
		CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2);
		CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2) TO (3);
		CREATE TABLE q (k integer REFERENCES p);
		CREATE TRIGGER touch BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION touch();
		ALTER TABLE p2 DISABLE TRIGGER touch;
		CREATE RULE quiet AS ON DELETE TO a DO INSTEAD NOTHING`
	changes := map[string]string{
		"child":     `ALTER TABLE "B b" DISABLE TRIGGER ALL`,
		"parent":    `ALTER TABLE a DISABLE TRIGGER ALL`,
		"always":    `ALTER TABLE "B b" ENABLE ALWAYS TRIGGER "On"; ALTER TABLE a DISABLE RULE quiet`,
		"mine":      `ALTER TABLE "B b" DISABLE TRIGGER "On"; ALTER TABLE "B b" ENABLE TRIGGER off`,
		"part":      `ALTER TABLE p1 DISABLE TRIGGER touch`,
		"parts":     `ALTER TABLE p DISABLE TRIGGER touch`,
		"partition": `ALTER TABLE p1 DISABLE TRIGGER ALL; ALTER TABLE p2 DISABLE TRIGGER ALL; ALTER TABLE p2 ENABLE TRIGGER touch`,
		"nothing":   `DROP TRIGGER touch ON p; DROP TRIGGER off ON "B b"`,
	}
	var names []string
	for name, change := range changes {
		d.build(t, sql, name)
		d.in(t, name, change)
		names = append(names, name)
	}
	report := d.find(t, sql, drift.Options{Repair: true}, names...)
	if report.Differ != len(names) {
		t.Error(describe(report))
	}
	want := map[string]string{
		"child": `~ constraint "B b"."B b_a_fkey": FOREIGN KEY (a) REFERENCES a(id) → FOREIGN KEY (a) REFERENCES a(id) DISABLE TRIGGER ON "B b"`,
		"part":  "+ trigger p1.touch DISABLE",
	}
	repairs := map[string]string{}
	for _, g := range report.Groups {
		name := g.Schemas[0].String()
		if !strings.Contains(text(&g), want[name]) || strings.Contains(g.Script(), "not repaired") {
			t.Errorf("%s\n%s\n%s", name, text(&g), g.Script())
		}
		d.repair(t, name, &g)
		repairs[name] = g.Repair
	}
	report = d.find(t, sql, drift.Options{}, names...)
	for _, g := range report.Groups {
		name := g.Schemas[0].String()
		t.Errorf("%s: %s\nthere is still\n%s\nafter\n%s", name, changes[name], text(&g), repairs[name])
	}

	d.execute(t, "ALTER TABLE public.taxes DISABLE TRIGGER ALL")
	g := d.find(t, sql, drift.Options{Repair: true}, "child").Groups[0]
	if !strings.Contains(text(&g), "FOREIGN KEY (tax) REFERENCES public.taxes(id) DISABLE TRIGGER ON public.taxes") {
		t.Error(text(&g))
	}
	d.repair(t, "child", &g)
	if report = d.find(t, sql, drift.Options{}, names...); report.Drifted() {
		t.Error(describe(report))
	}
}
