package sqlfile_test

import (
	"strings"
	"testing"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// Whatever the text, it is read or refused; the statements of a migration are pieces of
// it, in order, each in its line. What is a dump is changed, and left out.
func FuzzMigration(f *testing.F) {
	for _, text := range []string{
		"SELECT 1; SELECT 2", "-- +goose Up\nSELECT 1;\n-- +goose StatementBegin\nSELECT ';';\n-- +goose StatementEnd\n-- +goose Down\nSELECT 2;",
		"-- migrate:up transaction:false\nSELECT 1;\r\n-- migrate:down\nSELECT 2", "-- +migrate Up notransaction\nSELECT 1;\n-- +migrate Down\n",
		"SELECT 1;\n---- create above / drop below ----\nSELECT 2", "-- cotenant:requires a/b\n-- cotenant:no-transaction\nBEGIN; SELECT 1; COMMIT;", "-- cotenant:replaces 1_a 2_b\nSELECT 1",
		"CREATE UNIQUE INDEX CONCURRENTLY i ON public.t (a)", "DROP INDEX CONCURRENTLY a, b.c", "ALTER TABLE t DETACH PARTITION U&\"x\" CONCURRENTLY",
		"SELECT set_config('search_path', '', false); CREATE TABLE public.a (b text DEFAULT 'public.x'::regclass)", "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql SET search_path TO 'public' AS $$public.f$$",
		"COMMENT ON COLUMN a.b.c IS 'x'", "WITH x AS (SELECT) SELECT INTO public.y", "CREATE OPERATOR public.+ (", "SET client_encoding TO ;",
		"COPY public.a (b) FROM 'x'", "EXPLAIN (ANALYZE) UPDATE ONLY (public.a) SET", "GRANT SELECT (a) ON schema TO", "REVOKE ALL ON FUNCTION f(), public.g(", "LOCK TABLE a, public.b IN ACCESS SHARE",
		"ALTER TABLE a ATTACH PARTITION U&\"x\".b", "CREATE TABLE a (b int) INHERITS (c, public.d", "REINDEX (VERBOSE) TABLE", "TRUNCATE ONLY (a), *", "SELECT 1 \\gexec",
	} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, tenant bool) {
		r := &sqlfile.Reader{App: "a", FS: files("schema.sql", text), Tenant: tenant}
		if s, err := r.Schema(); err == nil && len(s.Statements) == 0 && !strings.Contains(strings.ToLower(text), "set") && !strings.Contains(strings.ToLower(text), "begin") && !strings.Contains(strings.ToLower(text), "start") {
			t.Fatalf("%q: a schema of no statements", text)
		}
		m, err := r.Parse("1", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "migration 1 of app a:") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if strings.Contains(text, "search_path") || strings.Contains(strings.ToLower(text), "dump") {
			return
		}
		text = strings.TrimPrefix(text, "\ufeff")
		pieces(t, text, m.Up.Statements)
		if m.Down != nil {
			pieces(t, text, m.Down.Statements)
		}
	})
}

// pieces proves that the statements are pieces of the text, in order and in the lines
// that they say.
func pieces(t *testing.T, text string, stmts []sqlfile.Statement) {
	t.Helper()
	lines := strings.SplitAfter(text, "\n")
	done := 0
	for _, s := range stmts {
		if s.Text == "" || s.Line < 1 || s.Line > len(lines) {
			t.Fatalf("%q: %q is said to be in line %d", text, s.Text, s.Line)
		}
		at := len(strings.Join(lines[:s.Line-1], ""))
		i := strings.Index(text[max(at, done):], s.Text)
		if i < 0 || strings.Contains(text[max(at, done):max(at, done)+i], "\n") {
			t.Fatalf("%q: %q is not in line %d, behind what came before", text, s.Text, s.Line)
		}
		done = max(at, done) + i + len(s.Text)
		s.InTransaction()
		s.ConcurrentIndexes()
		s.Touches()
	}
}
