package check_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/check"
	"github.com/cotenant/cotenant/migrate"
)

// report is one with all that has to be escaped.
func report() *check.Report {
	return &check.Report{Files: 3, Statements: 5, Allowed: 1, Findings: []check.Finding{
		{Rule: "index-blocks-writes", Severity: check.Error, App: "shop", File: "my apps/shop,x/0001:a.sql", Line: 3, Message: "50% of <\"t\">", Reason: "r1\nr2", Cure: "c"},
		{Rule: "refused", Severity: check.Error, Message: "no file", Reason: "r", Cure: "c"},
		{Rule: "index-blocks-writes", Severity: check.Error, App: "shop", File: "b.sql", Line: 1, Message: "again", Reason: "r1\nr2", Cure: "c"},
		{Rule: "one-of-another-check", Severity: check.Warning, App: "shop", File: "c.sql", Message: "the whole file", Reason: "r", Cure: "c"},
	}}
}

func write(t *testing.T, write func(*check.Report, *bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(report(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteText(t *testing.T) {
	t.Parallel()

	got := write(t, func(r *check.Report, b *bytes.Buffer) error { return r.WriteText(b, nil) })
	want := `my apps/shop,x/0001:a.sql:3: error: index-blocks-writes: 50% of <"t">
b.sql:1: error: index-blocks-writes: again
    reason: r1
r2
    cure:   c
error: refused: no file
    reason: r
    cure:   c
c.sql: warning: one-of-another-check: the whole file
    reason: r
    cure:   c
3 errors, 1 warning in 3 files (1 allowed)
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var b bytes.Buffer
	if err := new(check.Report).WriteText(&b, nil); err != nil || b.String() != "nothing found in 0 files\n" {
		t.Errorf("an empty report: %q, %v", b.String(), err)
	}
}

// Nothing that a finding says ends its line or its property.
func TestWriteGitHub(t *testing.T) {
	t.Parallel()

	got := write(t, func(r *check.Report, b *bytes.Buffer) error { return r.WriteGitHub(b) })
	want := `::error file=my apps/shop%2Cx/0001%3Aa.sql,line=3,title=index-blocks-writes::50%25 of <"t">%0Areason: r1%0Ar2%0Acure: c
::error title=refused::no file%0Areason: r%0Acure: c
::error file=b.sql,line=1,title=index-blocks-writes::again%0Areason: r1%0Ar2%0Acure: c
::warning file=c.sql,title=one-of-another-check::the whole file%0Areason: r%0Acure: c
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWriteJSON(t *testing.T) {
	t.Parallel()

	got := write(t, func(r *check.Report, b *bytes.Buffer) error { return r.WriteJSON(b) })
	want := `{"type":"finding","rule":"index-blocks-writes","severity":"error","app":"shop","file":"my apps/shop,x/0001:a.sql","line":3,"message":"50% of <\"t\">","reason":"r1\nr2","cure":"c"}
{"type":"finding","rule":"refused","severity":"error","message":"no file","reason":"r","cure":"c"}
`
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, `{"type":"summary","errors":3,"warnings":1,"allowed":1,"files":3,"statements":5}`+"\n") {
		t.Errorf("got\n%s", got)
	}
}

// The log has what the standard requires (SARIF 2.1.0, 3.13 to 3.30 and 3.49), and what
// code scanning needs to show a finding.
func TestWriteSARIF(t *testing.T) {
	t.Parallel()

	text := write(t, func(r *check.Report, b *bytes.Buffer) error { return r.WriteSARIF(b) })
	var log map[string]any
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatal(err)
	}
	get := func(v any, path ...any) any {
		for _, key := range path {
			switch key := key.(type) {
			case string:
				m, _ := v.(map[string]any)
				v = m[key]
			case int:
				list, _ := v.([]any)
				if key >= len(list) {
					return nil
				}
				v = list[key]
			}
		}
		return v
	}
	for _, tt := range []struct {
		want any
		path []any
	}{
		{"2.1.0", []any{"version"}},
		{"https://json.schemastore.org/sarif-2.1.0.json", []any{"$schema"}},
		{"cotenant", []any{"runs", 0, "tool", "driver", "name"}},
		{"index-blocks-writes", []any{"runs", 0, "tool", "driver", "rules", 0, "id"}},
		{"error", []any{"runs", 0, "tool", "driver", "rules", 0, "defaultConfiguration", "level"}},
		{"index-blocks-writes", []any{"runs", 0, "results", 0, "ruleId"}},
		{0.0, []any{"runs", 0, "results", 0, "ruleIndex"}},
		{"error", []any{"runs", 0, "results", 0, "level"}},
		{"50% of <\"t\">\nReason: r1\nr2\nCure: c", []any{"runs", 0, "results", 0, "message", "text"}},
		{"my%20apps/shop,x/0001:a.sql", []any{"runs", 0, "results", 0, "locations", 0, "physicalLocation", "artifactLocation", "uri"}},
		{"%SRCROOT%", []any{"runs", 0, "results", 0, "locations", 0, "physicalLocation", "artifactLocation", "uriBaseId"}},
		{3.0, []any{"runs", 0, "results", 0, "locations", 0, "physicalLocation", "region", "startLine"}},
		{"in%20no%20file", []any{"runs", 0, "results", 1, "locations", 0, "physicalLocation", "artifactLocation", "uri"}},
		{nil, []any{"runs", 0, "results", 1, "locations", 0, "physicalLocation", "region"}},
		{nil, []any{"runs", 0, "results", 3, "ruleIndex"}},
		{nil, []any{"runs", 0, "results", 3, "locations", 0, "physicalLocation", "region"}},
		{"warning", []any{"runs", 0, "results", 3, "level"}},
	} {
		if got := get(log, tt.path...); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.path, got, tt.want)
		}
	}
	rules, _ := get(log, "runs", 0, "tool", "driver", "rules").([]any)
	for i, rule := range rules {
		for _, key := range []string{"shortDescription", "fullDescription", "help"} {
			if text, _ := get(rule, key, "text").(string); text == "" {
				t.Errorf("rule %d has no %s", i, key)
			}
		}
	}
	var empty bytes.Buffer
	if err := new(check.Report).WriteSARIF(&empty); err != nil || !strings.Contains(empty.String(), `"results": []`) {
		t.Errorf("a report without findings must have an empty list of results: %v", err)
	}
}

func TestFailed(t *testing.T) {
	t.Parallel()

	warning := &check.Report{Findings: []check.Finding{{Severity: check.Warning}}}
	if !report().Failed(false) || warning.Failed(false) || !warning.Failed(true) || new(check.Report).Failed(true) {
		t.Error("an error fails, a warning only where it is strict")
	}
}

// Every rule is known by one name, says all it has to, stands in the documentation, and
// has an archive that it is found in.
func TestRules(t *testing.T) {
	t.Parallel()

	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob("testdata/bad/*.txtar")
	var archives strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		archives.Write(text)
	}
	built := regexp.MustCompile(`^(build|creation|schema|column|rows|sequence|down)-(fails|differs?|order|numbered|behind)$`) // of Builds
	kebab := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	seen := map[string]bool{}
	for _, r := range check.Rules() {
		if seen[r.Name] || !kebab.MatchString(r.Name) || r.About == "" || r.Reason == "" || r.Cure == "" || r.Severity != check.Error && r.Severity != check.Warning {
			t.Errorf("rule %+v", r)
		}
		seen[r.Name] = true
		if !regexp.MustCompile(`(?m)^//	` + r.Name + ` `).Match(doc) {
			t.Errorf("rule %s is not in the table of doc.go", r.Name)
		}
		if !strings.Contains(archives.String(), ": "+r.Name+": ") && r.Name != "unknown-rule" && r.Name != "unused-allow" && !built.MatchString(r.Name) {
			t.Errorf("rule %s has no archive in testdata/bad", r.Name)
		}
	}
}

// Only limits what is told, not what is known.
func TestOnly(t *testing.T) {
	t.Parallel()

	fsys := fstest.MapFS{
		"a/migrations/0001_a.sql": {Data: []byte("CREATE TABLE a (id int);")},
		"a/migrations/0002_b.sql": {Data: []byte("ALTER TABLE a DROP COLUMN id;")},
		"b/migrations/0001_a.sql": {Data: []byte("DROP TABLE a;")},
		"c/migrations/0001_a.sql": {Data: []byte("CREATE EXTENSION x;")},
	}
	for only, want := range map[string]string{
		"":         "a/migrations/0002_b.sql b/migrations/0001_a.sql c/migrations/0001_a.sql",
		"a":        "a/migrations/0002_b.sql",
		"b":        "b/migrations/0001_a.sql",
		"a/0001_a": "", "a/0002_b": "a/migrations/0002_b.sql", "a/0002_b.sql": "a/migrations/0002_b.sql",
	} {
		config := &check.Config{Migrate: &migrate.Config{TenantApps: migrate.Dirs(fsys, "a", "b", "c")}}
		if only != "" {
			config.Only = []string{only}
		}
		report, err := check.Run(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, f := range report.Findings {
			files = append(files, f.File)
		}
		if got := strings.Join(files, " "); got != want {
			t.Errorf("only %q: %s, want %s", only, got, want)
		}
	}
	if _, err := check.Run(t.Context(), &check.Config{Only: []string{"nobody/1"}}); err == nil || !strings.Contains(err.Error(), `there is no app "nobody"`) {
		t.Errorf("an app that is not there: %v", err)
	}
	_, err := check.Run(t.Context(), &check.Config{Migrate: &migrate.Config{TenantApps: migrate.Dirs(fsys, "a")}, Only: []string{"a", "a/0002"}})
	if !errors.Is(err, check.ErrNoFile) || !strings.Contains(err.Error(), "a/0002: the app has no such file (did you mean a/0002_b?)") {
		t.Errorf("a file that is not there: %v", err)
	}
}

// A migration that stands in the program has no file to point to, and one in Go no
// statements.
func TestProgram(t *testing.T) {
	t.Parallel()

	report, err := check.Run(t.Context(), &check.Config{Migrate: &migrate.Config{TenantApps: []migrate.App{{Name: "shop", Migrations: []migrate.Migration{
		{Name: "1", Up: func(context.Context, pgx.Tx) error { return nil }},
		{Name: "2", SQL: "CREATE INDEX i ON t (a)", Requires: []string{"cotenant/0001_initial"}},
	}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Findings) != 1 || report.Findings[0].File != "" || !strings.HasPrefix(report.Findings[0].Message, "migration 2 of app shop: index") || report.Files != 2 {
		t.Errorf("%+v", report)
	}
}

func TestRunEnds(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	fsys := fstest.MapFS{"a/schema.sql": {Data: []byte("SELECT 1")}}
	if _, err := check.Run(ctx, &check.Config{Migrate: &migrate.Config{TenantApps: migrate.Dirs(fsys, "a")}}); !errors.Is(err, why) {
		t.Errorf("Run with a ctx that ended: %v", err)
	}
	if report, err := check.Run(t.Context(), nil); err != nil || report.Failed(true) {
		t.Errorf("Run of nothing: %v", err)
	}
}
