package manage

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/fixture"
	"github.com/cotenant/cotenant/migrate"
)

// fixturesDir is the folder of an app with its fixtures.
const fixturesDir = "fixtures"

// appFixture is a file in the folder fixtures of an app.
type appFixture struct {
	app    string
	tenant bool // of a tenant app; else of a shared one
	name   string
	source fixture.Source
}

// appFixtures returns those of all apps, or of those that are named, in the order of the
// apps, and of the names in each. An app that is in both lists has its files twice.
func appFixtures(config *cotenant.Config, only []string) (all []appFixture, err error) {
	for _, name := range only {
		if !hasApp(config, name) {
			var known []string
			for _, app := range slices.Concat(config.SharedApps, config.TenantApps) {
				known = append(known, app.Name)
			}
			return nil, usagef("--app: there is no app %q%s", name, cmp.Or(didYouMean("", name, slices.Values(known)), " (the apps are "+strings.Join(known, ", ")+")"))
		}
	}
	for i, apps := range [][]migrate.App{config.SharedApps, config.TenantApps} {
		for _, app := range apps {
			if app.FS == nil || len(only) > 0 && !slices.Contains(only, app.Name) {
				continue
			}
			entries, err := fs.ReadDir(app.FS, fixturesDir)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			for _, entry := range entries {
				if entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
					continue
				}
				file := path.Join(fixturesDir, entry.Name())
				all = append(all, appFixture{app.Name, i == 1, entry.Name(), fixture.Source{
					Name: path.Join(app.Name, file),
					Open: func() (io.ReadCloser, error) { return app.FS.Open(file) },
				}})
			}
		}
	}
	return all, nil
}

// has reports whether the fixture has the name, with what says its format or without.
func (a *appFixture) has(name string) bool {
	if a.name == name {
		return true
	}
	rest, ok := strings.CutPrefix(a.name, name+".")
	if !ok {
		return false
	}
	_, _, err := fixture.ParseFormat(rest)
	return err == nil
}

// fixtures are what a command line names, in its order.
type fixtures struct {
	list  []appFixture // those for all schemas have no app
	stdin bool         // standard input is one of them
}

// isPath reports whether a name on the command line can only be that of a file.
func isPath(name string) bool { return strings.ContainsAny(name, `/\`) }

// find finds what the arguments name: a fixture of the apps, by its name with or without
// its ending; else a file. Without arguments it is all that the apps have.
func (f *loadFlags) find(config *cotenant.Config, args []string, stdin io.Reader) (*fixtures, error) {
	known, err := appFixtures(config, f.apps)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		for flag, value := range map[string]string{"format": f.format, "table": f.table} {
			if value != "" {
				return nil, usagef("--%s is about fixtures that are named (name them, or leave it out)", flag)
			}
		}
		for _, a := range known {
			if _, _, ok := fixture.FormatOf(a.name); !ok {
				return nil, fmt.Errorf("%s: its name does not end in a format of fixtures (json, jsonl, csv or sql, each also with .gz behind it; move it out of the folder if it is none)", a.source.Name)
			}
		}
		return &fixtures{list: known}, nil
	}
	found := &fixtures{}
	for _, name := range args {
		if name == "-" {
			if f.format == "" {
				return nil, usagef("standard input has no name that says its format (give --format: json, jsonl, csv or sql)")
			}
			if format, _, _ := fixture.ParseFormat(f.format); format == fixture.CSV && f.table == "" {
				return nil, usagef("standard input has no name that says which table the CSV is for (give --table)")
			}
			if len(f.apps) > 0 {
				return nil, ofNoApp(name)
			}
			if found.stdin {
				return nil, usagef("- is given twice (standard input can be read once)")
			}
			found.stdin = true
			source, err := f.sourceOf("standard input", func() (io.ReadCloser, error) { return io.NopCloser(stdin), nil })
			if err != nil {
				return nil, err
			}
			found.list = append(found.list, appFixture{source: source})
			continue
		}
		of, err := f.named(known, name)
		if err != nil {
			return nil, err
		}
		found.list = append(found.list, of...)
	}
	return found, nil
}

// named returns the fixtures of one name.
func (f *loadFlags) named(known []appFixture, name string) ([]appFixture, error) {
	var of []appFixture
	if !isPath(name) {
		for _, a := range known {
			if !a.has(name) {
				continue
			}
			if i := len(of) - 1; i >= 0 && of[i].app == a.app && of[i].tenant == a.tenant {
				return nil, usagef("%q is %s and %s (write which)", name, of[i].source.Name, a.source.Name)
			}
			of = append(of, a)
		}
	}
	if len(of) > 0 {
		for i, a := range of {
			var err error
			if of[i].source, err = f.sourceOf(a.source.Name, a.source.Open); err != nil {
				return nil, err
			}
		}
		return of, nil
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, notFound(known, name, err)
	case info.IsDir():
		return nil, fmt.Errorf("fixture %q: it is a folder (name the files in it)", name)
	}
	if len(f.apps) > 0 {
		return nil, ofNoApp(name)
	}
	source, err := f.sourceOf(name, func() (io.ReadCloser, error) { return os.Open(name) })
	if err != nil {
		return nil, err
	}
	return []appFixture{{source: source}}, nil
}

// ofNoApp is the error about a file, or standard input, where --app is given.
func ofNoApp(name string) error {
	return usagef("--app is about the fixtures that apps have, and %q is none (leave it out; --schema says where it goes)", name)
}

// notFound is the error about a name that is that of no fixture.
func notFound(known []appFixture, name string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("fixture %q: it cannot be read: %w (give the user who loads it the right to)", name, err)
	}
	if isPath(name) {
		return fmt.Errorf("fixture %q: there is no such file (correct the path)", name)
	}
	cure := didYouMean("", name, func(yield func(string) bool) {
		for _, a := range known {
			plain, _, _ := strings.Cut(a.name, ".")
			if !yield(plain) || !yield(a.name) {
				return
			}
		}
	})
	switch n := len(known); {
	case cure != "":
	case n == 0:
		cure = " (the apps have no fixtures: name a file)"
	default:
		cure = fmt.Sprintf(" (the apps have %s", known[0].source.Name)
		if n > 1 {
			cure += fmt.Sprintf(" and %d more", n-1)
		}
		cure += ")"
	}
	return fmt.Errorf("fixture %q: it is in no app's folder %s, and there is no such file%s", name, fixturesDir, cure)
}

// sourceOf is a source with what its name, and the flags, say of it.
func (f *loadFlags) sourceOf(name string, open func() (io.ReadCloser, error)) (fixture.Source, error) {
	s := fixture.Source{Name: name, Open: open, Table: f.table}
	var ok bool
	if s.Format, s.Compressed, ok = fixture.FormatOf(name); f.format != "" {
		s.Format, s.Compressed, _ = fixture.ParseFormat(f.format)
		s.Compressed = s.Compressed || isZipped(name)
	} else if !ok {
		return s, usagef("fixture %q: its name does not end in a format of fixtures (give --format: json, jsonl, csv or sql)", name)
	}
	if f.table != "" && s.Format != fixture.CSV {
		return s, usagef("--table says which table CSV is for, and %s is %s, which names its tables itself (leave it out; --exclude-table leaves out those of a table)", name, s.Format)
	}
	return s, nil
}

// isZipped reports whether the name of a file says that it is compressed.
func isZipped(name string) bool { return strings.HasSuffix(strings.ToLower(name), ".gz") }

// shared reports whether some are of shared apps.
func (f *fixtures) shared() bool {
	return slices.ContainsFunc(f.list, func(a appFixture) bool { return a.app != "" && !a.tenant })
}

// of returns those that are for public, or for a tenant's schema.
func (f *fixtures) of(public bool) (sources []fixture.Source) {
	for _, a := range f.list {
		if a.app == "" || a.tenant != public {
			sources = append(sources, a.source)
		}
	}
	return sources
}
