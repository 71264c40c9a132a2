package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// App is a named set of tables. It is shared, tenant or both, by the list in
// Config that it stands in.
type App struct {
	// FS holds schema.sql and migrations/ of the app at its root. Nil for an
	// app whose Migrations are given.
	FS fs.FS
	// Migrations are those of an app that keeps them in its program. They
	// cannot be combined with FS.
	Migrations []Migration
	// Name identifies the app in the history of every schema: lower-case
	// ASCII letters, digits, '_' and '-'. Renaming an app makes it a new one.
	Name string
}

// Migration is one step of an app, from the state before to the state after it.
type Migration struct {
	// Name begins with the number that orders the app's migrations, such as
	// 0001_initial.
	Name string
	// SQL is the statements of the migration.
	SQL string
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

// script is a file of an app, ready to run.
type script struct {
	app      string
	name     string   // as in the history: schema.sql, 0001_initial
	file     string   // for messages: shop/migrations/0001_initial.sql
	checksum string   // SHA-256 of the content with LF line ends, in hex
	requires []string // app/name of those that must have run before
	up       way
	down     *way // nil where there is no way back
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
	inProgram  bool // its migrations are not files
}

var appName = regexp.MustCompile(`^[a-z0-9_-]{1,63}$`)

func loadApps(apps []App) ([]loadedApp, error) {
	loaded := make([]loadedApp, 0, len(apps))
	for _, app := range apps {
		if slices.ContainsFunc(loaded, func(l loadedApp) bool { return l.name == app.Name }) {
			return nil, fmt.Errorf("app %q: it is listed twice (remove one)", app.Name)
		}
		l, err := app.load()
		if err != nil {
			return nil, fmt.Errorf("app %q: %w", app.Name, err)
		}
		loaded = append(loaded, l)
	}
	return loaded, nil
}

func (a App) load() (loadedApp, error) {
	l := loadedApp{name: a.Name, inProgram: a.FS == nil}
	if !appName.MatchString(a.Name) {
		return l, errors.New("not a name for an app (use lower-case ASCII letters, digits, '_' and '-')")
	}
	if a.FS != nil && a.Migrations != nil {
		return l, errors.New("it has both FS and Migrations (give one)")
	}
	migrations := a.Migrations
	if a.FS != nil {
		schema, files, err := a.readFS()
		if err != nil {
			return l, err
		}
		migrations = files
		if schema != nil {
			s, err := newScript(a.Name, schemaFile, a.Name+"/"+schemaFile, *schema)
			if err != nil {
				return l, err
			}
			l.schema = &s
		}
	}
	for _, m := range migrations {
		file := a.Name + "/migrations/" + m.Name + ".sql"
		if a.FS == nil {
			file = "migration " + m.Name + " of app " + a.Name // there is no file to look for
		}
		s, err := newScript(a.Name, m.Name, file, m.SQL)
		if err != nil {
			return l, err
		}
		l.migrations = append(l.migrations, s)
	}
	if l.schema == nil && len(l.migrations) == 0 {
		return l, errors.New("it has neither schema.sql nor migrations (add one, or take the app off the list)")
	}
	return l, l.order()
}

// order sorts the migrations by number and refuses two of one number.
func (l loadedApp) order() error {
	for _, m := range l.migrations {
		if !migrationName.MatchString(m.name) {
			return fmt.Errorf("%s: not a name for a migration (use a number and a name, such as 0001_initial.sql)", m.file)
		}
	}
	slices.SortFunc(l.migrations, func(a, b script) int { return compareNumbers(number(a.name), number(b.name)) })
	for i := 1; i < len(l.migrations); i++ {
		if a, b := l.migrations[i-1], l.migrations[i]; compareNumbers(number(a.name), number(b.name)) == 0 {
			return fmt.Errorf("%s and %s have the same number (renumber one of them)", a.file, b.file)
		}
	}
	return nil
}

var migrationName = regexp.MustCompile(`^[0-9]{1,20}_[A-Za-z0-9_-]+$`)

// number is the digits that a migration's name begins with, without zeros in
// front. It can be a time stamp of any length, so it stays text.
func number(name string) string {
	digits, _, _ := strings.Cut(name, "_")
	return strings.TrimLeft(digits, "0")
}

func compareNumbers(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// readFS reads the files of the app: schema.sql, nil if there is none, and the
// migrations.
func (a App) readFS() (schema *string, migrations []Migration, err error) {
	if _, err := fs.Stat(a.FS, "."); err != nil {
		return nil, nil, fmt.Errorf("its folder cannot be read: %w (make it, or take the app off the list)", err)
	}
	text, err := fs.ReadFile(a.FS, schemaFile)
	if err == nil {
		schema = new(string(text))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	entries, err := fs.ReadDir(a.FS, ".")
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range entries {
		if isSQL(entry) && entry.Name() != schemaFile {
			return nil, nil, fmt.Errorf("%s/%s: only %s is looked for there (move it to %s/migrations, or give it another ending)", a.Name, entry.Name(), schemaFile, a.Name)
		}
	}
	entries, err = fs.ReadDir(a.FS, "migrations")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	for _, entry := range entries {
		if !isSQL(entry) {
			continue
		}
		if path.Ext(entry.Name()) != ".sql" {
			return nil, nil, fmt.Errorf("%s/migrations/%s: not a name for a migration (end it in .sql, in lower case)", a.Name, entry.Name())
		}
		text, err := fs.ReadFile(a.FS, "migrations/"+entry.Name())
		if err != nil {
			return nil, nil, err
		}
		migrations = append(migrations, Migration{Name: strings.TrimSuffix(entry.Name(), ".sql"), SQL: string(text)})
	}
	return schema, migrations, nil
}

// isSQL reports whether a folder's entry looks like a file that is to be run.
func isSQL(entry fs.DirEntry) bool {
	return !entry.IsDir() && strings.EqualFold(path.Ext(entry.Name()), ".sql") && !strings.HasPrefix(entry.Name(), ".")
}

// foreign are the marks of other tools' files (goose, sql-migrate, dbmate, tern),
// which hold the way back as well: run as a whole they would undo themselves.
var foreign = regexp.MustCompile(`(?mi)^[ \t]*--[ \t]*(\+goose|\+migrate|migrate:(up|down)|-+\s*create above)\b`)

func newScript(app, name, file, text string) (script, error) {
	s := script{app: app, name: name, file: file}
	// Git writes line ends as the machine likes them; the file is the same.
	sum := sha256.Sum256([]byte(strings.ReplaceAll(text, "\r\n", "\n")))
	s.checksum = hex.EncodeToString(sum[:])
	text = strings.TrimPrefix(text, "\ufeff")
	switch {
	case !utf8.ValidString(text):
		return s, fmt.Errorf("%s: it is not UTF-8 (convert it)", file)
	case strings.Contains(text, "\x00"):
		return s, fmt.Errorf("%s: it contains a NUL byte (remove it)", file)
	}
	if mark := foreign.FindStringIndex(text); mark != nil {
		return s, fmt.Errorf("%s:%d: annotations of goose, sql-migrate, dbmate and tern are not read yet (keep the Up part alone, without them)", file, sqlfile.LineAt(text, mark[0]))
	}
	if strings.HasSuffix(name, ".up") || strings.HasSuffix(name, ".down") {
		return s, fmt.Errorf("%s: pairs of golang-migrate are not read yet (keep the up file alone, without .up in its name)", file)
	}
	stmts, err := sqlfile.Split(text)
	if err != nil {
		return s, fmt.Errorf("%s:%w", file, err)
	}
	if len(stmts) == 0 {
		return s, fmt.Errorf("%s: it has no statements (write some, or remove it)", file)
	}
	for _, stmt := range stmts {
		if fault := stmt.Fault(); fault != "" {
			return s, fmt.Errorf("%s:%d: %s", file, stmt.Line, fault)
		}
	}
	s.up.Script = sqlfile.Script{File: file, Statements: stmts}
	return s, nil
}
