package sqlfile

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// names returns the SQL files of the folder migrations/. It refuses what was meant to
// run and would be passed over, and passes over the rest: documentation, checksums of
// other tools, hidden files.
func (r *Reader) names() ([]string, error) {
	entries, err := fs.ReadDir(r.FS, "migrations")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasPrefix(name, "."):
		case entry.IsDir():
			if err := r.checkFolder(name); err != nil {
				return nil, err
			}
		case path.Ext(name) == ".sql":
			names = append(names, name)
		case IsSQL(entry):
			return nil, fmt.Errorf("%s/%s: not a name for a migration (end it in .sql, in lower case)", r.dir(), name)
		case isNumbered.MatchString(name):
			if err := r.checkOther(name); err != nil {
				return nil, err
			}
		}
	}
	return names, nil
}

var isNumbered = regexp.MustCompile(`^V?[0-9]`)

// IsSQL reports whether a folder's entry looks like a file that is to be run.
func IsSQL(entry fs.DirEntry) bool {
	return !entry.IsDir() && strings.EqualFold(path.Ext(entry.Name()), ".sql") && !strings.HasPrefix(entry.Name(), ".")
}

// isProgram reports whether a file with this ending was meant to run, and is no SQL
// file.
func isProgram(ext string) bool {
	switch ext {
	case ".ddl", ".go", ".gotmpl", ".j2", ".js", ".pgsql", ".psql", ".py", ".rb", ".sh", ".tmpl", ".tpl", ".ts":
		return true
	}
	return false
}

// checkOther looks at a file with a number that does not end in .sql.
func (r *Reader) checkOther(name string) error {
	switch ext := path.Ext(name); {
	case !isProgram(ext), strings.HasSuffix(name, "_test.go"):
		return nil
	case ext != ".go":
		return fmt.Errorf("%s/%s: %s files are not read (write what it does as SQL in a .sql file, or as a Go function in App.Migrations)", r.dir(), name, ext)
	case slices.ContainsFunc(r.InProgram, func(m string) bool { return CompareNames(m, name) == 0 }):
		return nil
	default:
		return fmt.Errorf("%s/%s: a migration in Go does not run by itself (register its function in App.Migrations, with the number in its name)", r.dir(), name)
	}
}

// checkFolder looks for SQL files in a folder within migrations/, but for those that
// the go command, too, passes over.
func (r *Reader) checkFolder(name string) error {
	if name == "testdata" || strings.HasPrefix(name, "_") {
		return nil
	}
	return fs.WalkDir(r.FS, "migrations/"+name, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && IsSQL(entry) {
			return fmt.Errorf("%s/%s: files in folders within %s are not read (move it there, or out of %[3]s)", r.App, file, r.dir())
		}
		return err
	})
}
