package migrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// App is a named set of tables. It is shared, tenant or both, by the list in
// Config that it stands in.
type App struct {
	// FS holds schema.sql and migrations/ of the app at its root. Nil for an
	// app that has neither.
	FS fs.FS
	// Migrations are those that stand in the program, beside the files of FS. The
	// numbers of all of them order them.
	Migrations []Migration
	// Name identifies the app in the history of every schema: lower-case
	// ASCII letters, digits, '_' and '-'. Renaming an app makes it a new one.
	Name string
}

// Migration is one step of an app, from the state before to the state after it, that
// stands in the program: as SQL or as functions.
type Migration struct {
	// Name begins with the number that orders the app's migrations, such as
	// 0001_initial.
	Name string
	// SQL is the statements of the migration, in any form that a file of its own can
	// have. It excludes Up.
	SQL string
	// Up does the step in place of SQL, within tx, which it leaves open and on the
	// search path that it is on. Whether it changed since it ran is not known.
	Up func(ctx context.Context, tx pgx.Tx) error
	// Down is the way back from Up. Nil where there is none.
	Down func(ctx context.Context, tx pgx.Tx) error
	// Requires are the migrations, as app/name, that must have run before: of the same
	// list of apps, or for a tenant app also of shared ones.
	Requires []string
	// Replaces are migrations of the app, by name, that this one stands for: all that
	// were squashed into it. Where all of them ran it is recorded in their place, where
	// none did it runs. Nothing else may lie between them and it, and what replaced others
	// is listed without those, when all schemas have it. A file has a line
	// -- cotenant:replaces 0001_initial 0002_prices.
	Replaces []string
}

// Dirs returns an app for each of the folders dirs of fsys, named after the last
// element of its path:
//
//	//go:embed apps
//	var apps embed.FS
//
//	migrate.Dirs(apps, "apps/customers", "apps/shop")
//
// New reads the folders and reports those that are missing.
func Dirs(fsys fs.FS, dirs ...string) []App {
	apps := make([]App, len(dirs))
	for i, dir := range dirs {
		apps[i] = App{FS: subFS{fsys, dir}, Name: path.Base(dir)}
	}
	return apps
}

// subFS is a folder of an FS. Unlike fs.Sub it needs no check before its first
// use, and its errors name the path as the user knows it.
type subFS struct {
	fs  fs.FS
	dir string
}

func (s subFS) Open(name string) (fs.File, error) { return s.fs.Open(path.Join(s.dir, name)) }

// schemaFile is the name of the file that holds the current state of an app,
// and of its record in the history.
const schemaFile = "schema.sql"

// goChecksum stands in the history where there is no text to compare.
const goChecksum = "go"

// script is a step of an app, ready to run.
type script struct {
	app      string
	name     string   // as in the history: schema.sql, 0001_initial
	file     string   // for messages: shop/migrations/0001_initial.sql
	checksum string   // SHA-256 of the way up with LF line ends, in hex; or goChecksum
	requires []string // app/name of those that must have run before
	replaces []string // names of those of the app that it stands for
	up       way
	down     *way // nil where there is no way back
	// inProgram has it stand in no file.
	inProgram bool
}

// way is what a script does, one way: statements, or a function.
type way struct {
	sqlfile.Script
	run func(ctx context.Context, tx pgx.Tx) error
}

// loadedApp is an app whose files were read and found to be in order.
type loadedApp struct {
	name       string
	schema     *script // nil without schema.sql
	migrations []script
	inProgram  bool // none of its migrations are files
}

var appName = regexp.MustCompile(`^[a-z0-9_-]{1,63}$`)

// loadApps reads the apps of one list: those of tenants, or the shared ones.
func loadApps(apps []App, tenant bool) ([]loadedApp, error) {
	loaded := make([]loadedApp, 0, len(apps))
	for _, app := range apps {
		if slices.ContainsFunc(loaded, func(l loadedApp) bool { return l.name == app.Name }) {
			return nil, fmt.Errorf("app %q: it is listed twice (remove one)", app.Name)
		}
		l, err := app.load(tenant, nil)
		if err != nil {
			return nil, fmt.Errorf("app %q: %w", app.Name, err)
		}
		loaded = append(loaded, l)
	}
	return loaded, nil
}

// load reads the app. Where onFault is not nil, it is told of what is wrong with single
// files, and the rest is read.
func (a App) load(tenant bool, onFault func(error)) (loadedApp, error) {
	l := loadedApp{name: a.Name, inProgram: a.FS == nil}
	if !appName.MatchString(a.Name) {
		return l, errors.New("not a name for an app (use lower-case ASCII letters, digits, '_' and '-')")
	}
	r := &sqlfile.Reader{App: a.Name, FS: a.FS, OnFault: onFault, Tenant: tenant}
	for _, m := range a.Migrations {
		s, err := m.load(r)
		if err != nil {
			if err := r.Refuse(err); err != nil {
				return l, err
			}
			continue
		}
		r.InProgram = append(r.InProgram, m.Name)
		l.migrations = append(l.migrations, s)
	}
	if a.FS != nil {
		schema, migrations, err := readFiles(r)
		if err != nil {
			return l, err
		}
		l.schema = schema
		l.migrations = append(l.migrations, migrations...)
	}
	if l.schema == nil && len(l.migrations) == 0 {
		return l, errors.New("it has neither schema.sql nor migrations (add one, or take the app off the list)")
	}
	if err := l.order(); err != nil {
		return l, err
	}
	return l, l.checkReplaces()
}

// order sorts the migrations by number and refuses two of one number.
func (l *loadedApp) order() error {
	slices.SortStableFunc(l.migrations, func(a, b script) int { return sqlfile.CompareNames(a.name, b.name) })
	for i := 1; i < len(l.migrations); i++ {
		if a, b := l.migrations[i-1], l.migrations[i]; sqlfile.CompareNames(a.name, b.name) == 0 {
			return fmt.Errorf("%s and %s have the same number (renumber one of them)", a.file, b.file)
		}
	}
	return nil
}

// readFiles reads schema.sql, nil if there is none, and the files of the migrations.
func readFiles(r *sqlfile.Reader) (schema *script, migrations []script, err error) {
	if _, err := fs.Stat(r.FS, "."); err != nil {
		return nil, nil, fmt.Errorf("its folder cannot be read: %w (make it, or take the app off the list)", err)
	}
	entries, err := fs.ReadDir(r.FS, ".")
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range entries {
		if sqlfile.IsSQL(entry) && entry.Name() != schemaFile {
			err := &sqlfile.FaultError{File: r.App + "/" + entry.Name(), Text: fmt.Sprintf("only %s is looked for there (move it to %s/migrations, or give it another ending)", schemaFile, r.App)}
			if err := r.Refuse(err); err != nil {
				return nil, nil, err
			}
		}
	}
	state, err := r.Schema()
	if err != nil {
		if err := r.Refuse(err); err != nil {
			return nil, nil, err
		}
		state = nil
	}
	if state != nil {
		schema = &script{app: r.App, name: schemaFile, file: state.File, checksum: state.Checksum, up: way{Script: state.Script}}
	}
	files, err := r.Migrations()
	for _, m := range files {
		migrations = append(migrations, newScript(r.App, m))
	}
	return schema, migrations, err
}

func newScript(app string, m sqlfile.Migration) script {
	s := script{app: app, name: m.Name, file: m.Up.File, checksum: m.Checksum, requires: m.Requires, replaces: m.Replaces, up: way{Script: m.Up}}
	if m.Down != nil {
		s.down = &way{Script: *m.Down}
	}
	return s
}

// load makes a script of a migration in the program.
func (m Migration) load(r *sqlfile.Reader) (script, error) {
	place := "migration " + m.Name + " of app " + r.App // there is no file to look for
	if err := sqlfile.CheckName(m.Name); err != nil {
		return script{}, fmt.Errorf("migration %q: %w", m.Name, err)
	}
	for _, name := range m.Replaces {
		if err := sqlfile.CheckName(name); err != nil {
			return script{}, fmt.Errorf("%s: Replaces %q: %w", place, name, err)
		}
	}
	switch {
	case m.SQL != "" && m.Up != nil:
		return script{}, fmt.Errorf("%s: it has both SQL and Up (give one)", place)
	case m.SQL == "" && m.Up == nil:
		return script{}, fmt.Errorf("%s: it has neither SQL nor Up (give one)", place)
	case m.Up == nil && m.Down != nil:
		return script{}, fmt.Errorf("%s: it has Down without Up (give both, or write the way back into SQL)", place)
	case m.Up != nil:
		file := sqlfile.Script{File: place}
		s := script{app: r.App, name: m.Name, file: place, checksum: goChecksum, requires: m.Requires, replaces: m.Replaces, up: way{file, m.Up}, inProgram: true}
		if m.Down != nil {
			s.down = &way{file, m.Down}
		}
		return s, nil
	}
	parsed, err := r.Parse(m.Name, m.SQL)
	if err != nil {
		return script{}, err
	}
	s := newScript(r.App, parsed)
	s.inProgram = true
	s.requires = append(slices.Clone(m.Requires), s.requires...)
	s.replaces = append(slices.Clone(m.Replaces), s.replaces...)
	return s, nil
}
