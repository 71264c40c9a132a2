package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cotenant/cotenant/check"
	"github.com/cotenant/cotenant/migrate"
)

// run checks one tenant app, of names and contents in pairs.
func run(t *testing.T, files ...string) *check.Report {
	t.Helper()
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys["shop/"+files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	report, err := check.Run(t.Context(), &check.Config{Migrate: &migrate.Config{TenantApps: migrate.Dirs(fsys, "shop")}})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func foundIn(r *check.Report) []string {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, fmt.Sprintf("%d %s %s", f.Line, f.Rule, f.Message))
	}
	return lines
}

func TestAllow(t *testing.T) {
	t.Parallel()

	const index = `CREATE INDEX i ON t (a)`
	found := "index-blocks-writes index \"i\" on \"t\" is built while nobody can write to the table"
	for _, tt := range []struct {
		name, sql string
		allowed   int
		want      []string
	}{
		{"nothing", index, 0, []string{"1 " + found}},
		{"the statement", "-- cotenant:allow index-blocks-writes\n" + index, 1, nil},
		{"with a reason", "-- cotenant:allow index-blocks-writes: t is small: 10 rows\n" + index, 1, nil},
		{"another statement", "SELECT 1; -- cotenant:allow index-blocks-writes\n" + index, 0, []string{"1 unused-allow -- cotenant:allow index-blocks-writes silences nothing", "2 " + found}},
		{"at the end of its line", index + "; -- cotenant:allow index-blocks-writes\n" + index, 1, []string{"2 " + found}},
		{"the file", "-- cotenant:allow index-blocks-writes\n\n" + index + ";\n" + index, 2, nil},
		{"two rules", "-- cotenant:allow index-blocks-writes, not-null-scans\n" + index, 1, []string{"1 unused-allow -- cotenant:allow not-null-scans silences nothing"}},
		{"a slip", "-- cotenant:allow index-block-writes\n" + index, 0, []string{`1 unknown-rule there is no rule "index-block-writes" (did you mean index-blocks-writes?)`, "2 " + found}},
		{"no name", "-- cotenant:allow : all of it is fine\n" + index, 0, []string{"1 unknown-rule -- cotenant:allow names no rule", "2 " + found}},
		{"what cannot be allowed", "-- cotenant:allow refused\nCREATE EXTENSION x", 0, []string{
			`1 unknown-rule rule "refused" cannot be allowed`, "2 refused CREATE EXTENSION: it is for the whole database, and a tenant's app runs once for each tenant (put it into a migration of a shared app)",
		}},
		{"behind everything", index + ";\n-- cotenant:allow index-blocks-writes\n", 0, []string{"1 " + found, "2 unused-allow -- cotenant:allow index-blocks-writes silences nothing"}},
		{"what cannot be parsed", "-- cotenant:allow unparsed: of version 18\nALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID", 1, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			report := run(t, "migrations/0001_a.sql", tt.sql)
			if got := foundIn(report); !slices.Equal(got, tt.want) {
				t.Errorf("found\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
			if report.Allowed != tt.allowed {
				t.Errorf("%d allowed, want %d", report.Allowed, tt.allowed)
			}
		})
	}
}

// What another check found is allowed as well.
func TestOthers(t *testing.T) {
	t.Parallel()

	fsys := fstest.MapFS{
		"shop/schema.sql":         {Data: []byte("-- cotenant:allow column-order\n\nCREATE TABLE t (id int);\nCREATE TABLE u (id int); -- cotenant:allow build-fails\n")},
		"shop/migrations/001.sql": {Data: []byte("-- +goose Up\n-- cotenant:allow rows-differ\n\nSELECT 1;\n-- +goose Down\n-- cotenant:allow down-differs: it is meant so\n\nSELECT 2;\n")},
	}
	finding := func(rule, file string, line int) check.Finding {
		return check.Finding{Rule: rule, Severity: check.Error, App: "shop", File: file, Line: line}
	}
	config := &check.Config{Migrate: &migrate.Config{TenantApps: migrate.Dirs(fsys, "shop")}}
	report, err := check.Run(t.Context(), config)
	if got := foundIn(report); err != nil || len(got) > 0 {
		t.Errorf("without another check: %q, %v", got, err)
	}
	config.Others = []check.Finding{
		finding("column-order", "shop/schema.sql", 0), finding("build-fails", "shop/schema.sql", 4), finding("build-fails", "shop/schema.sql", 3),
		finding("down-differs", "shop/migrations/001.sql", 0), finding("down-differs", "", 0),
	}
	report, err = check.Run(t.Context(), config)
	want := []string{"0 down-differs ", "3 build-fails ", "2 unused-allow -- cotenant:allow rows-differ silences nothing"}
	if got := foundIn(report); err != nil || !slices.Equal(got, want) || report.Allowed != 3 {
		t.Errorf("found %q, want %q; %d allowed, %v", got, want, report.Allowed, err)
	}
}

// What hides a shared name is told once: with its place, where that is known.
func TestHidesSharedOnce(t *testing.T) {
	t.Parallel()

	fsys := fstest.MapFS{
		"plans/schema.sql": {Data: []byte("CREATE TABLE plans (id int);")},
		"shop/schema.sql":  {Data: []byte("CREATE TABLE plans (id int);")},
	}
	other := func(name string) check.Finding {
		return check.Finding{Rule: "hides-shared", Severity: check.Warning, App: "shop", Message: "table " + name + ": public has a table " + name + ", too"}
	}
	report, err := check.Run(t.Context(), &check.Config{
		Migrate: &migrate.Config{SharedApps: migrate.Dirs(fsys, "plans"), TenantApps: migrate.Dirs(fsys, "shop")},
		Others:  []check.Finding{other("plans"), other("made_by_go")},
	})
	if got := foundIn(report); err != nil || len(got) != 2 || !strings.Contains(got[0], "made_by_go") || report.Findings[1].File != "shop/schema.sql" {
		t.Errorf("found %q, %v", got, err)
	}
}

// A file of many rows is read as fast as one of a few, and its table counts.
func TestManyRows(t *testing.T) {
	t.Parallel()

	rows := strings.Repeat("(1, 'a VALUES b', now()),\n", 1<<20/24)
	report := run(t, "migrations/0001_a.sql", "CREATE VIEW v AS SELECT 1;", "migrations/0002_b.sql", `INSERT INTO acme.t ("VALUES", b) VALUES `+rows+"(1, '', now()); CREATE INDEX i ON t (b);")
	if got := foundIn(report); len(got) != 2 || !strings.Contains(got[0], "acme") || !strings.Contains(got[1], "index-blocks-writes") {
		t.Errorf("found %q", got)
	}
}

// Whatever the comment, the names are words of it, and mean the same on their own.
func FuzzAllow(f *testing.F) {
	for _, text := range []string{"a", "a b", "a,b: why", " a , b\tc ", ": why", "", "a: b: c", "ä-b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		names := check.ParseAllow(text)
		for _, name := range names {
			if name == "" || strings.ContainsAny(name, " \t,:") || !strings.Contains(text, name) {
				t.Fatalf("%q: %q", text, names)
			}
		}
		if again := check.ParseAllow(strings.Join(names, " ") + ": " + text); !slices.Equal(again, names) {
			t.Fatalf("%q: %q, and again %q", text, names, again)
		}
	})
}
