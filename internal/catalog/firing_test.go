package catalog_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// A trigger that does not fire as usual is seen, also where PostgreSQL made it to check a
// constraint, on either side of a foreign key, and in a partition.
func TestReadFiring(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	execute(t, conn, shared)
	const sql = `CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
		CREATE TABLE a (id integer PRIMARY KEY);
		CREATE TABLE b (a integer REFERENCES a, tax integer REFERENCES public.taxes, n integer UNIQUE DEFERRABLE);
		CREATE TABLE p (id integer REFERENCES a, k integer PRIMARY KEY) PARTITION BY RANGE (k);
		CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2);
		CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2) TO (3);
		CREATE TABLE q (k integer REFERENCES p);
		CREATE TRIGGER touch BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION touch()`
	build(t, conn, "usual", sql)
	want := read(t, conn, "usual")
	for i, tt := range []struct {
		sql, undo string
		differ    []string // objects and the end of their definitions
	}{
		{"ALTER TABLE b DISABLE TRIGGER ALL", "ALTER TABLE b ENABLE TRIGGER ALL", []string{
			"constraint b.b_a_fkey: FOREIGN KEY (a) REFERENCES a(id) DISABLE TRIGGER ON b",
			"constraint b.b_n_key: UNIQUE (n) DEFERRABLE DISABLE TRIGGER ON b",
			"constraint b.b_tax_fkey: FOREIGN KEY (tax) REFERENCES public.taxes(id) DISABLE TRIGGER ON b",
		}},
		{"ALTER TABLE a DISABLE TRIGGER ALL; ALTER TABLE b DISABLE TRIGGER ALL; ALTER TABLE b ENABLE TRIGGER USER", "ALTER TABLE a ENABLE TRIGGER ALL; ALTER TABLE b ENABLE TRIGGER ALL", []string{
			"constraint b.b_a_fkey: FOREIGN KEY (a) REFERENCES a(id) DISABLE TRIGGER ON a DISABLE TRIGGER ON b",
			"constraint b.b_n_key: UNIQUE (n) DEFERRABLE DISABLE TRIGGER ON b",
			"constraint b.b_tax_fkey: FOREIGN KEY (tax) REFERENCES public.taxes(id) DISABLE TRIGGER ON b",
			"constraint p.p_id_fkey: FOREIGN KEY (id) REFERENCES a(id) DISABLE TRIGGER ON a",
		}},
		{"ALTER TABLE p1 DISABLE TRIGGER touch", "ALTER TABLE p1 ENABLE TRIGGER touch", []string{"trigger p1.touch: DISABLE"}},
		{"ALTER TABLE p DISABLE TRIGGER touch", "ALTER TABLE p ENABLE TRIGGER touch", []string{
			"trigger p.touch: CREATE TRIGGER touch BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION touch() DISABLE",
		}},
		{"ALTER TABLE p DISABLE TRIGGER touch; ALTER TABLE p2 ENABLE TRIGGER touch", "ALTER TABLE p ENABLE TRIGGER touch", []string{
			"trigger p.touch: CREATE TRIGGER touch BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION touch() DISABLE",
			"trigger p2.touch: ENABLE",
		}},
		{"ALTER TABLE p1 DISABLE TRIGGER ALL", "ALTER TABLE p1 ENABLE TRIGGER ALL", []string{
			"constraint p1.p_id_fkey: DISABLE TRIGGER ON p1", "constraint q.", "trigger p1.touch: DISABLE",
		}},
	} {
		build(t, conn, "usual", tt.sql)
		got := read(t, conn, "usual")
		var differ []string
		for _, key := range slices.Sorted(maps.Keys(got)) {
			if got[key] != want[key] {
				differ = append(differ, key+": "+got[key].Definition)
			}
		}
		if !slices.EqualFunc(differ, tt.differ, func(got, want string) bool { return strings.HasPrefix(got, want) }) {
			t.Errorf("%d: %s\ngot\n%s\nwant\n%s", i, tt.sql, strings.Join(differ, "\n"), strings.Join(tt.differ, "\n"))
		}
		build(t, conn, "usual", tt.undo)
		if got := read(t, conn, "usual"); !maps.Equal(got, want) {
			t.Errorf("%s: there is still a difference", tt.undo)
		}
	}
}
