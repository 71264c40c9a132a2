package drift_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/drift"
)

// Schemas that were built alike do not differ, whatever they are called, and whatever
// has happened to them since and was undone.
func TestAlike(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.execute(t, taxes)
	long := strings.Repeat("x", 63)
	schemas := []string{"acme", "Big-Corp", "a", "A", "things", "select", long, "renamed", "there_and_back"}
	d.build(t, shop, "acme", "Big-Corp", "a", "A", "things", "select", long, "first", "there_and_back")
	// A function that names the schema is left behind by a rename: see TestRenamed.
	d.execute(t, "DROP FUNCTION first.safe(text); ALTER SCHEMA first RENAME TO renamed")
	d.in(t, "renamed", "CREATE FUNCTION safe(k text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS 'SELECT name FROM things WHERE name = k'")
	d.in(t, "there_and_back", `
		ALTER TABLE things ADD COLUMN extra text; ALTER TABLE things DROP COLUMN extra;
		ALTER TABLE things ALTER note SET NOT NULL; ALTER TABLE things ALTER note DROP NOT NULL;
		ALTER TABLE things ALTER note SET DEFAULT 'x'; ALTER TABLE things ALTER note DROP DEFAULT;
		ALTER TABLE things ALTER note TYPE varchar(10); ALTER TABLE things ALTER note TYPE text;
		ALTER TABLE things ALTER note SET STORAGE PLAIN; ALTER TABLE things ALTER note SET STORAGE EXTENDED;
		ALTER TABLE things ALTER note SET STATISTICS 5; ALTER TABLE things ALTER note SET STATISTICS -1;
		ALTER TABLE things SET (fillfactor = 70); ALTER TABLE things SET (fillfactor = 90);
		ALTER TABLE cache SET (fillfactor = 70); ALTER TABLE cache RESET (fillfactor);
		ALTER TABLE things RENAME COLUMN note TO notes; ALTER TABLE things RENAME COLUMN notes TO note;
		ALTER TABLE things RENAME TO stuff; ALTER TABLE stuff RENAME TO things;
		ALTER TABLE cache SET UNLOGGED; ALTER TABLE cache SET LOGGED;
		ALTER TABLE lines FORCE ROW LEVEL SECURITY; ALTER TABLE lines NO FORCE ROW LEVEL SECURITY;
		ALTER TABLE lines REPLICA IDENTITY FULL; ALTER TABLE lines REPLICA IDENTITY DEFAULT;
		ALTER TABLE things DISABLE TRIGGER touch; ALTER TABLE things ENABLE TRIGGER touch;
		CREATE INDEX more ON things (n); DROP INDEX more; REINDEX TABLE things;
		DROP INDEX things_note_key; CREATE UNIQUE INDEX things_note_key ON things (note);
		DROP VIEW few_things; CREATE VIEW few_things AS SELECT * FROM open_things LIMIT 10;
		COMMENT ON TABLE lines IS 'x'; COMMENT ON TABLE lines IS NULL;
		GRANT SELECT ON things TO PUBLIC; REVOKE SELECT ON things FROM PUBLIC;
		GRANT SELECT (name) ON things TO PUBLIC; REVOKE SELECT (name) ON things FROM PUBLIC;
		REVOKE EXECUTE ON FUNCTION price FROM PUBLIC; GRANT EXECUTE ON FUNCTION price TO PUBLIC;
		INSERT INTO things (name) VALUES ('a'); DELETE FROM things; REFRESH MATERIALIZED VIEW summary; ANALYZE things;`)
	for name, options := range map[string]drift.Options{"default": {}, "all": all(), "majority": {Majority: true}, "like": {Like: schema("A"), Access: true}} {
		report := d.find(t, shop, options, schemas...)
		if report.Same != len(schemas) || report.Drifted() || len(report.Groups) > 0 {
			t.Errorf("%s: %d of %d are the same: %+v\n%s", name, report.Same, len(schemas), report, describe(report))
		}
	}
}

// The name of the schema that a function has in its settings stays behind when the schema
// gets another: that is a difference, and a danger.
func TestRenamed(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.execute(t, taxes)
	d.build(t, shop, "acme")
	d.execute(t, "ALTER SCHEMA acme RENAME TO acme_old")
	got := describe(d.find(t, shop, all(), "acme_old"))
	if strings.Count(got, "~") != 1 || !strings.Contains(got, "~ function safe(text):") || !strings.Contains(got, `-SET search_path=<schema>, `) {
		t.Error(got)
	}
}

// A schema that was dumped and restored is as it was.
func TestRestored(t *testing.T) {
	t.Parallel()
	from, to := newDatabase(t), newDatabase(t)
	dump, err := exec.LookPath("pg_dump")
	if err != nil {
		t.Skip("there is no pg_dump")
	}
	changed := shop + `; ALTER TABLE things DROP COLUMN at CASCADE; ALTER TABLE things ADD COLUMN "select" text; GRANT SELECT ON things TO PUBLIC;
		ALTER TABLE lines CLUSTER ON lines_pkey; ALTER TABLE cache ALTER v SET COMPRESSION pglz; ALTER TABLE things ALTER name SET (n_distinct = 3)`
	for _, d := range []*database{from, to} {
		d.execute(t, taxes)
	}
	from.build(t, changed, "acme", "Big-Corp")
	for _, name := range []string{"acme", "Big-Corp"} {
		from.execute(t, `ALTER DEFAULT PRIVILEGES IN SCHEMA "`+name+`" GRANT SELECT ON TABLES TO PUBLIC; GRANT USAGE ON SCHEMA "`+name+`" TO PUBLIC`)
		sql, err := exec.CommandContext(t.Context(), dump, "--schema-only", `--schema="`+name+`"`, from.url).Output()
		if err != nil {
			if exit, ok := err.(*exec.ExitError); ok && bytes.Contains(exit.Stderr, []byte("server version mismatch")) {
				t.Skipf("%s", exit.Stderr)
			}
			t.Fatal(err)
		}
		restore(t, to.url, sql)
	}
	for name, options := range map[string]drift.Options{"default": {}, "all": all()} {
		options.Majority = true
		report, want := to.find(t, "", options, "acme", "Big-Corp"), from.find(t, "", options, "acme", "Big-Corp")
		if report.Fingerprint != want.Fingerprint || report.Same != 2 {
			t.Errorf("%s: %v was restored as %v", name, want.Fingerprint, report.Fingerprint)
			options.Majority = false
			t.Log(describe(to.find(t, changed, options, "acme")))
		}
	}
}

// restore runs what pg_dump wrote.
func restore(t *testing.T, address string, sql []byte) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", address)
	cmd.Stdin = bytes.NewReader(sql)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("psql: %v: %s", err, output)
	}
}
