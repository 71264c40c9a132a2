package check

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/cotenant/cotenant/migrate"
)

// ErrNoFile says that Config.Only names a file that the app does not have.
var ErrNoFile = errors.New("the app has no such file")

// wants reports whether a finding is told.
func (c *Config) wants(f Finding) bool {
	if len(c.Only) == 0 || f.App == "" {
		return true
	}
	return slices.ContainsFunc(c.Only, func(only string) bool {
		app, name, isFile := strings.Cut(only, "/")
		return app == f.App && (!isFile || isNamed(f.File, name))
	})
}

// isNamed reports whether the file of a path has a name, which may lack what stands behind
// a point.
func isNamed(file, name string) bool {
	base := path.Base(file)
	return base == name || strings.HasPrefix(base, strings.TrimSuffix(name, ".sql")+".")
}

// validateFiles refuses files in Only that there are not: nothing would be found in them.
func (c *Config) validateFiles(files []migrate.SourceFile, faults []migrate.FileFault) error {
	for _, only := range c.Only {
		app, name, isFile := strings.Cut(only, "/")
		faulty := func(f migrate.FileFault) bool { return f.App == app && isNamed(f.Path, name) }
		if !isFile || slices.ContainsFunc(faults, faulty) {
			continue
		}
		isMeant := func(f migrate.SourceFile) bool { return f.App == app && (f.Name == name || isNamed(f.Path, name)) }
		if slices.ContainsFunc(files, isMeant) {
			continue
		}
		var known []string
		for _, f := range files {
			if f.App == app {
				known = append(known, f.Name)
			}
		}
		if len(known) == 0 {
			return fmt.Errorf("check: %s: %w: it has none", only, ErrNoFile)
		}
		nearest := slices.MinFunc(known, func(a, b string) int {
			return levenshtein.Distance(a, name, nil) - levenshtein.Distance(b, name, nil)
		})
		return fmt.Errorf("check: %s: %w (did you mean %s/%s?)", only, ErrNoFile, app, nearest)
	}
	return nil
}
