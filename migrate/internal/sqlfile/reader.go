package sqlfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Reader reads the files of an app.
type Reader struct {
	// App is its name, for messages.
	App string
	// FS has schema.sql and migrations/ at its root.
	FS fs.FS
	// InProgram are the names of the migrations that stand in the program, for which
	// there can be a Go file beside the SQL files.
	InProgram []string
	// OnFault is told of what is wrong with a file, as a *FaultError or another error.
	// The file is then left out; a statement that may not be there is left in. Nil has
	// the reader return the first fault.
	OnFault func(error)
	// Tenant has the files run in tenants' schemas, and not in public: what stands in
	// no schema, or in another one, is refused, and the dump of a public schema is read
	// as that of any schema.
	Tenant bool
}

// Schema is the current state of an app.
type Schema struct {
	Script
	// Checksum is the SHA-256 of the file's content with LF line ends, in hex.
	Checksum string
}

// Migration is one step of an app, from the state before to the state after it.
type Migration struct {
	// Name is the file's without what tells its form: 0001_initial.
	Name string
	// Checksum is the SHA-256, in hex, of the way up with LF line ends: the file's
	// whole content, or its section without the white space at its end where the file
	// has the way back, too.
	Checksum string
	// Replaces are the migrations of the app that this one stands for, by name.
	Replaces []string
	// Requires are the migrations, as app/name, that must have run before.
	Requires []string
	// Up leads there. It can be without statements.
	Up Script
	// Down leads back. It is nil where there is no way back.
	Down *Script
}

// Parse reads the SQL of a migration that stands in the program, in any form but
// pairs.
func (r *Reader) Parse(name, sql string) (Migration, error) {
	src, err := newSource("migration "+name+" of app "+r.App, sql)
	if err != nil {
		return Migration{}, err
	}
	f, err := src.form()
	if err != nil {
		return Migration{}, err
	}
	return r.parse(src, name, f)
}

// Schema reads schema.sql. It returns nil if there is none.
func (r *Reader) Schema() (*Schema, error) {
	const name = "schema.sql"
	text, err := fs.ReadFile(r.FS, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	src, err := newSource(r.App+"/"+name, string(text))
	if err != nil {
		return nil, err
	}
	if f, err := src.form(); err != nil || f != plain {
		return nil, cmp.Or(err, fmt.Errorf("%s: it has annotations of %v, and it is no migration (keep the current state alone, without them)", src.file, f))
	}
	s, err := r.script(src, []piece{{end: len(src.text)}}, false)
	switch {
	case err != nil:
		return nil, err
	case len(s.Statements) == 0:
		return nil, src.empty()
	case len(s.replaces) > 0:
		return nil, src.errorfLine(s.wayUp.line, "-- cotenant:replaces: the current state of an app replaces no migrations (remove the line; a migration can have it)")
	case len(s.requires) > 0:
		return nil, src.errorfLine(s.wayUp.line, "-- cotenant:requires: the current state follows the order of the apps in the configuration (remove the line, and order the apps)")
	case s.NoTransaction:
		line := 1
		if i := slices.IndexFunc(s.Statements, func(s Statement) bool { return s.Alone }); i >= 0 {
			line = s.Statements[i].Line
		}
		return nil, src.errorfLine(line, "the current state of an app is made in one transaction (write the statement so that it runs in one: CREATE INDEX without CONCURRENTLY)")
	}
	return &Schema{Script: s.Script, Checksum: src.sum}, nil
}

// Migrations reads the folder migrations/, which need not be there, and returns what it
// holds by number.
func (r *Reader) Migrations() ([]Migration, error) {
	files, err := r.list()
	if err != nil {
		return nil, err
	}
	if err := oneForm(r.dir(), files); err != nil {
		return nil, err
	}
	var migrations []Migration
	for i := 0; i < len(files); i++ {
		f := files[i]
		m, err := r.parse(f.source, f.name, f.form)
		if i+1 < len(files) && files[i+1].way == "down" {
			i++
			if err == nil {
				m.Down, err = r.down(files[i].source, []piece{{end: len(files[i].text)}}, false)
			}
		}
		if err == nil {
			migrations = append(migrations, m)
		} else if err := r.Refuse(err); err != nil {
			return nil, err
		}
	}
	return migrations, nil
}

func (r *Reader) dir() string { return r.App + "/migrations" }

// file is a file of the folder.
type file struct {
	source
	base string // 0001_initial.up.sql
	name string // 0001_initial
	way  string // up, down, or "" where the file has both
	form form
}

// list returns the files by number, each way back behind its way up.
func (r *Reader) list() ([]file, error) {
	names, err := r.names()
	if err != nil {
		return nil, err
	}
	var files []file
	for _, base := range names {
		f, err := r.read(base)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	slices.SortStableFunc(files, func(a, b file) int {
		return cmp.Or(CompareNames(a.name, b.name), -strings.Compare(a.way, b.way)) // up before down before both
	})
	for i, f := range files {
		same := i > 0 && CompareNames(files[i-1].name, f.name) == 0
		switch {
		case same && files[i-1].way == "up" && f.way == "down":
		case same && files[i-1].way == "down" && f.way == "" || f.way == "down" && slices.ContainsFunc(files, func(o file) bool { return o.way == "" && o.name == f.name }):
			return nil, fmt.Errorf("%s/%s.sql is a plain file beside the way back %s (rename it to %[2]s.up.sql)", r.dir(), f.name, f.base)
		case same:
			return nil, fmt.Errorf("%s/%s and %s/%s have the same number (renumber one of them)", r.dir(), files[i-1].base, r.dir(), f.base)
		case f.way == "down":
			return nil, fmt.Errorf("%s/%s is the way back of a migration that is not there (add %s.up.sql, or remove it)", r.dir(), f.base, f.name)
		}
	}
	return files, nil
}

// read reads one file and tells its form.
func (r *Reader) read(base string) (file, error) {
	f := file{base: base}
	path := r.dir() + "/" + base
	var err error
	if f.name, f.way, err = cutPair(strings.TrimSuffix(base, ".sql")); err == nil {
		err = CheckName(f.name)
	}
	if err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	text, err := fs.ReadFile(r.FS, "migrations/"+base)
	if err != nil {
		return f, err
	}
	if f.source, err = newSource(path, string(text)); err != nil {
		return f, err
	}
	if f.form, err = f.source.form(); err != nil {
		return f, err
	}
	if f.way != "" {
		if f.form != plain {
			return f, fmt.Errorf("%s: it has a name of golang-migrate and annotations of %v (rename it to %s.sql, or remove them)", path, f.form, f.name)
		}
		f.form = pair
	}
	return f, nil
}

// oneForm refuses two forms in one folder: the files of one of them would be read
// otherwise than they were meant. To tern, a file without the mark is one without a
// way back.
func oneForm(dir string, files []file) error {
	for _, f := range files {
		a, b := files[0].form, f.form
		if a == b || a == tern && b == plain || a == plain && b == tern {
			continue
		}
		return fmt.Errorf("%s: %s is of the form of %v, and %s of %v (bring them into one form)", dir, files[0].base, a, f.base, b)
	}
	return nil
}
