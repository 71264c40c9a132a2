package check_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/check"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
)

// project is files of apps, and the server that they are built on.
type project struct {
	url     string
	options check.BuildOptions
}

// newProject makes a project of lists of apps, with blanks in between, and of names and
// contents of files, in pairs.
func newProject(t *testing.T, shared, tenants string, pairs ...string) *project {
	t.Helper()
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	url := testdb.New(t)
	return &project{url: url, options: check.BuildOptions{Migrate: &migrate.Config{
		SharedApps: migrate.Dirs(fsys, strings.Fields(shared)...), TenantApps: migrate.Dirs(fsys, strings.Fields(tenants)...),
		MigratorRole: testdb.RoleName(t, url),
	}}}
}

// pool returns a pool that leads to the server.
func pool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	p, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// told are findings, a line each.
func told(findings []check.Finding) []string {
	all := make([]string, 0, len(findings))
	for _, f := range findings {
		place := f.File
		if f.Line > 0 {
			place += fmt.Sprintf(":%d", f.Line)
		}
		all = append(all, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s %s", f.Severity, f.Rule, f.App, place, f.Message)), " "))
	}
	return all
}

// finds wants these findings, in order.
func (p *project) finds(t *testing.T, want ...string) {
	t.Helper()
	findings, err := check.Builds(t.Context(), pool(t, p.url), &p.options)
	if err != nil {
		t.Fatal(err)
	}
	if got := told(findings); !slices.Equal(got, want) {
		t.Errorf("findings:\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	for _, f := range findings {
		if f.Rule == "" || f.Reason == "" || f.Cure == "" {
			t.Errorf("%+v lacks something", f)
		}
	}
}

// column returns the first column of all rows as text.
func column(t *testing.T, db interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, sql string, args ...any,
) []string {
	t.Helper()
	rows, err := db.Query(context.WithoutCancel(t.Context()), sql, args...)
	if err != nil {
		t.Fatalf("%.300s: %v", sql, err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%.300s: %v", sql, err)
	}
	return got
}

// goose is a migration with a way back.
func goose(up, down string) string {
	return "-- +goose Up\n" + up + ";\n-- +goose Down\n" + down + ";\n"
}

// appCase is an app of a project of many, which saves the making of databases. In its files
// and findings @ stands for what tells its names from those of the others, and shop for its
// own name.
type appCase struct {
	shared bool
	files  []string // names in the folder of the app and contents, in pairs
	want   []string
}

// finds builds all apps at once, and wants of each its findings.
func finds(t *testing.T, cases map[string]appCase) {
	t.Helper()
	var lists [2][]string
	var pairs []string
	names := slices.Sorted(maps.Keys(cases))
	fill := func(i int, text string) string {
		return strings.NewReplacer("@", fmt.Sprintf("_%02d", i), "shop", fmt.Sprintf("shop%02d", i)).Replace(text)
	}
	for i, name := range names {
		list := 1
		if cases[name].shared {
			list = 0
		}
		lists[list] = append(lists[list], fill(i, "shop"))
		for j, text := range cases[name].files {
			if j%2 == 0 {
				text = "shop/" + text
			}
			pairs = append(pairs, fill(i, text))
		}
	}
	p := newProject(t, strings.Join(lists[0], " "), strings.Join(lists[1], " "), pairs...)
	findings, err := check.Builds(t.Context(), pool(t, p.url), &p.options)
	if err != nil {
		t.Fatal(err)
	}
	byApp := map[string][]check.Finding{}
	for _, f := range findings {
		byApp[f.App] = append(byApp[f.App], f)
		if f.Rule == "" || f.Reason == "" || f.Cure == "" {
			t.Errorf("%+v lacks something", f)
		}
	}
	owner := column(t, pool(t, p.url), "SELECT current_user::text")[0]
	for i, name := range names {
		got := told(byApp[fill(i, "shop")])
		delete(byApp, fill(i, "shop"))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want []string
			for _, line := range cases[name].want {
				role := p.options.Migrate.MigratorRole
				if cases[name].shared {
					role = owner
				}
				want = append(want, strings.ReplaceAll(fill(i, line), "ROLE", role))
			}
			if !slices.Equal(got, want) {
				t.Errorf("findings:\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
		})
	}
	for app, more := range byApp {
		t.Errorf("findings about app %q: %q", app, told(more))
	}
}

// What schema.sql and the migrations make differently is named, object by object.
func TestBuildsDiffer(t *testing.T) {
	t.Parallel()

	const differs = "error schema-differs shop shop/schema.sql:1 "
	cases := map[string]appCase{}
	for name, tt := range map[string]struct {
		schema, migration string // the second migration
		want              []string
	}{
		"nothing":  {"CREATE TABLE a@ (id int, b text); CREATE INDEX i@ ON a@ (b)", "ALTER TABLE a@ ADD COLUMN b text; CREATE INDEX i@ ON a@ (b)", nil},
		"a column": {"CREATE TABLE a@ (id int)", "ALTER TABLE a@ ADD COLUMN b text", []string{differs + "column a@.b: the migrations make it, and schema.sql does not"}},
		"an index": {"CREATE TABLE a@ (id int)", "CREATE INDEX i@ ON a@ (id)", []string{differs + "index i@: the migrations make it, and schema.sql does not"}},
		"a table":  {"CREATE TABLE a@ (id int);\nCREATE TABLE b@ (id serial PRIMARY KEY)", "SELECT 1", []string{strings.Replace(differs, ":1", ":2", 1) + "table b@: schema.sql makes it, and the migrations do not"}},
		"a type":   {"CREATE TABLE a@ (id bigint)", "SELECT 1", []string{differs + `column a@.id: it is "bigint" by schema.sql, and "integer" by the migrations`}},
		"a kind of table": {"CREATE UNLOGGED TABLE a@ (id int)", "SELECT 1", []string{
			differs + `table a@: it is "UNLOGGED" by schema.sql, and an ordinary one by the migrations`,
		}},
		"a privilege": {"CREATE TABLE a@ (id int); GRANT SELECT ON a@ TO pg_monitor", "SELECT 1", []string{
			differs + `table a@: its owner and privileges are "ROLE pg_monitor=r" by schema.sql, and "ROLE" by the migrations`,
		}},
		"privileges in another order": {
			"CREATE TABLE a@ (id int); GRANT SELECT ON a@ TO pg_monitor, PUBLIC",
			"GRANT SELECT ON a@ TO PUBLIC; GRANT SELECT ON a@ TO pg_monitor", nil,
		},
		"a comment": {"CREATE TABLE a@ (id int)", "COMMENT ON TABLE a@ IS 'x'", []string{
			"warning schema-differs shop shop/schema.sql:1 comment table a@: the migrations make it, and schema.sql does not",
		}},
		"the order of columns": {"CREATE TABLE a@ (b text, id int)", "ALTER TABLE a@ ADD COLUMN b text", []string{
			"warning column-order shop shop/schema.sql:1 table a@: its columns are (b, id) by schema.sql, and (id, b) by the migrations",
		}},
		"a column of partitions": {
			"CREATE TABLE a@ (id int); CREATE TABLE p@ (n int) PARTITION BY LIST (n); CREATE TABLE q@ PARTITION OF p@ FOR VALUES IN (1)",
			"CREATE TABLE p@ (n int, m int) PARTITION BY LIST (n); CREATE TABLE q@ PARTITION OF p@ FOR VALUES IN (1); ALTER TABLE q@ ALTER m SET DEFAULT 1",
			[]string{
				differs + "column p@.m: the migrations make it, and schema.sql does not",
			},
		},
		"white space": {
			"CREATE TABLE a@ (id int); CREATE FUNCTION f@() RETURNS int LANGUAGE sql AS $$ SELECT 1 -- one\n$$",
			"CREATE FUNCTION f@() RETURNS int LANGUAGE sql AS $$\n\tSELECT /* two */ 1\n$$", nil,
		},
		"a text in a function": {
			"CREATE TABLE a@ (id int); CREATE FUNCTION f@() RETURNS text LANGUAGE sql AS $$SELECT 'a,  b'$$",
			"CREATE FUNCTION f@() RETURNS text LANGUAGE sql AS $$SELECT 'a, b'$$",
			[]string{
				differs + `function f@(): it is "() RETURNS text LANGUAGE sql COST 100\nSELECT 'a, b'" by schema.sql, and "() RETURNS text LANGUAGE sql COST 100\nSELECT 'a, b'" by the migrations`,
			},
		},
		"a partition without a default that was dumped": {
			"CREATE TABLE a@ (id int); CREATE TABLE p@ (n int, m timestamp(3) DEFAULT now()) PARTITION BY LIST (n); CREATE TABLE q@ PARTITION OF p@ (m DEFAULT NULL) FOR VALUES IN (1)",
			"CREATE TABLE p@ (n int, m timestamp(3) DEFAULT now()) PARTITION BY LIST (n); CREATE TABLE q@ (n int, m timestamp(3)); ALTER TABLE p@ ATTACH PARTITION q@ FOR VALUES IN (1)", nil,
		},
		"a list that was dumped": {
			"CREATE TABLE a@ (id int, b varchar(9) CONSTRAINT c CHECK ((b)::text = ANY (ARRAY[('x'::character varying)::text, ('y'::character varying)::text])))",
			"ALTER TABLE a@ ADD COLUMN b varchar(9) CONSTRAINT c CHECK (b IN ('x', 'y'))", nil,
		},
		"a constraint that is not valid": {
			"CREATE TABLE a@ (id int CONSTRAINT c CHECK (id > 0))", "ALTER TABLE a@ ADD CONSTRAINT c CHECK (id > 0) NOT VALID", []string{
				`warning schema-differs shop shop/schema.sql:1 constraint a@.c: it is "CHECK (id > 0)" by schema.sql, and "CHECK (id > 0) NOT VALID" by the migrations`,
			},
		},
	} {
		for _, shared := range []bool{true, false} {
			cases[fmt.Sprintf("%s, shared=%t", name, shared)] = appCase{shared, []string{
				"schema.sql", tt.schema, "migrations/1_a.sql", "CREATE TABLE a@ (id int)", "migrations/2_b.sql", tt.migration,
			}, tt.want}
		}
	}
	finds(t, cases)
}

// The examples have nothing to be found.
func TestBuildsExamples(t *testing.T) {
	t.Parallel()

	p := newProject(t, "", "")
	p.options.Migrate.SharedApps = migrate.Dirs(os.DirFS("../examples/shop/apps"), "customers")
	p.options.Migrate.TenantApps = slices.Concat(migrate.Dirs(os.DirFS("../examples/shop/apps"), "shop"),
		migrate.Dirs(os.DirFS("../examples/quickstart/apps"), "notes"), migrate.Dirs(os.DirFS("../examples/libraries/gorm/apps"), "library"))
	p.finds(t)
	p.options.Migrate.SharedApps = nil
	p.options.Migrate.TenantApps = migrate.Dirs(os.DirFS("../examples/libraries"), "goose")
	p.finds(t)
}

// A schema.sql alone refers to apps before it, whatever files these have.
func TestSchemaRefersToAppsBefore(t *testing.T) {
	t.Parallel()

	base, dep := "CREATE TABLE base (id bigint PRIMARY KEY)", "CREATE TABLE dep (id bigint PRIMARY KEY, b bigint NOT NULL REFERENCES base)"
	newProject(t, "", "one two", "one/schema.sql", base, "two/schema.sql", dep).finds(t)
	newProject(t, "", "one two", "one/migrations/0001_base.sql", base, "two/schema.sql", dep).finds(t)
	newProject(t, "", "one two", "one/schema.sql", base, "one/migrations/0001_base.sql", base, "two/schema.sql", dep).finds(t)
	newProject(t, "one two", "", "one/migrations/0001_base.sql", base, "two/schema.sql", dep).finds(t)
	newProject(t, "one", "two", "one/schema.sql", base, "two/schema.sql", dep).finds(t)
}
