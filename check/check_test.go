package check_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cotenant/cotenant/check"
	"github.com/cotenant/cotenant/migrate"
)

// Each archive has the files of apps, in shared/ and tenant/, and says above them what is
// found, a line "want: " for each finding; nothing in those of good. With UPDATE_ARCHIVES set, the
// lines are written anew.
func TestArchives(t *testing.T) {
	t.Parallel()

	for _, kind := range []string{"bad", "good"} {
		names, err := filepath.Glob("testdata/" + kind + "/*.txtar")
		if err != nil || len(names) < 30 {
			t.Fatalf("%s: %d archives: %v", kind, len(names), err)
		}
		for _, name := range names {
			t.Run(kind+"/"+strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
				t.Parallel()
				testArchive(t, name, kind == "bad")
			})
		}
	}
}

func testArchive(t *testing.T, name string, bad bool) {
	t.Helper()
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var about, want, got []string
	for line := range strings.Lines(string(archive.Comment)) {
		if finding, ok := strings.CutPrefix(line, "want: "); ok {
			want = append(want, strings.TrimSpace(finding))
		} else if strings.TrimSpace(line) != "" {
			about = append(about, line)
		}
	}
	report, err := check.Run(t.Context(), &check.Config{Migrate: apps(archive)})
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]bool{}
	for _, f := range report.Findings {
		rules[f.Rule] = true
		got = append(got, fmt.Sprintf("%s:%d: %s: %s: %s", f.File, f.Line, f.Severity, f.Rule, f.Message))
		if f.Reason == "" || f.Cure == "" || f.App == "" {
			t.Errorf("%s has no reason, cure or app", f.Rule)
		}
	}
	if os.Getenv("UPDATE_ARCHIVES") != "" && bad {
		archive.Comment = []byte(strings.Join(about, "") + "want: " + strings.Join(got, "\nwant: ") + "\n\n")
		if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	if bad == (len(want) == 0) || bad && len(rules) != 1 {
		t.Errorf("findings of %d rules", len(rules))
	}
}

// apps are those of an archive.
func apps(archive *txtar.Archive) *migrate.Config {
	fsys := fstest.MapFS{}
	for _, f := range archive.Files {
		fsys[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return &migrate.Config{SharedApps: appsIn(fsys, "shared"), TenantApps: appsIn(fsys, "tenant")}
}

// appsIn are those in the folders of dir.
func appsIn(fsys fs.FS, dir string) []migrate.App {
	entries, _ := fs.ReadDir(fsys, dir) // there need be none
	var apps []migrate.App
	for _, e := range entries {
		apps = append(apps, migrate.Dirs(fsys, dir+"/"+e.Name())...)
	}
	return apps
}
