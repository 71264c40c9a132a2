package migrate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// SourceFile is statements of an app that run together, as they were read: the whole of a
// file, or the section of one that has both ways in it.
type SourceFile struct {
	// App is the name of the app, and Name that of the file in the history of a schema:
	// schema.sql, 0001_initial.
	App, Name string
	// Path is where it stands, from the folder of the apps:
	// shop/migrations/0001_initial.sql. A migration in the program says of which app it is.
	Path string
	// Kind tells the state of an app from the ways to and from it.
	Kind FileKind
	// Tenant has it run in the schema of every tenant; else it runs in public.
	Tenant bool
	// Program has it stand in the program, and in no file.
	Program bool
	// Transaction has all statements run in one transaction; else each runs for itself.
	Transaction bool
	// Statements are the file's, in order; there are none where it is a Go function.
	Statements []FileStatement
	// Allows are the comments that silence checks in the whole file: those above its
	// first statement, apart from it by an empty line. Unused are those behind the last
	// statement, where they silence nothing.
	Allows, Unused []Allow
}

// FileStatement is a statement of a SourceFile.
type FileStatement struct {
	// Line is where it begins, from 1.
	Line int
	// SQL is its text, without the semicolon.
	SQL string
	// Allows are the comments that silence checks for it: those in front of it, within
	// it, and behind it on its last line.
	Allows []Allow
}

// Allow is a comment -- cotenant:allow, with what stands behind that word. It is no part
// of a migration's checksum, so that it can be added to one that ran.
type Allow struct {
	Line int // from 1
	Text string
}

// FileKind is what a SourceFile is to its app.
type FileKind string

// The kinds.
const (
	KindSchema FileKind = "schema" // schema.sql, which new schemas get
	KindUp     FileKind = "up"     // a migration
	KindDown   FileKind = "down"   // the way back from one
)

// FileFault is something for which New refuses an app.
type FileFault struct {
	// App is the app, empty where it is about none alone.
	App string
	// Path is that of the file, as SourceFile has it. Empty where it is about no single one;
	// Text then names what it is about.
	Path string
	// Line is from 1; 0 where it is about no single line.
	Line int
	// Text is the fault and its cure.
	Text string
}

// ReadFiles reads the files of the apps in config, for tools that look at them. It goes on
// where New would stop, and returns what New has against the apps. A statement that New
// refuses is in its file; a file that cannot be read is left out.
//
// The files of shared apps come first. Of each list those of schema.sql come first, in
// the order of the apps; then the migrations, each followed by its way back, in the order
// in which a new schema would get them.
func ReadFiles(config *Config) (files []SourceFile, faults []FileFault) {
	if config == nil {
		config = &Config{}
	}
	r := filesReader{}
	shared, tenant := r.read(config.SharedApps, false), r.read(config.TenantApps, true)
	if len(r.faults) == 0 {
		if err := resolve(shared, tenant); err != nil {
			r.fault("", err)
		}
	}
	return append(listFiles(shared, false), listFiles(tenant, true)...), r.faults
}

// filesReader collects faults.
type filesReader struct{ faults []FileFault }

func (r *filesReader) fault(app string, err error) {
	fault := FileFault{App: app, Text: err.Error()}
	if at, ok := errors.AsType[*sqlfile.FaultError](err); ok {
		fault.Path, fault.Line, fault.Text = at.File, at.Line, at.Text
	}
	r.faults = append(r.faults, fault)
}

// read loads the apps of one list, but for what cannot be read of them.
func (r *filesReader) read(apps []App, tenant bool) []loadedApp {
	var loaded []loadedApp
	for _, app := range apps {
		if slices.ContainsFunc(loaded, func(l loadedApp) bool { return l.name == app.Name }) {
			r.fault(app.Name, fmt.Errorf("app %q: it is listed twice (remove one)", app.Name))
			continue
		}
		before := len(r.faults)
		l, err := app.load(tenant, func(err error) { r.fault(app.Name, err) })
		if err != nil && len(r.faults) == before { // else it may come of those
			r.fault(app.Name, fmt.Errorf("app %q: %w", app.Name, err))
		}
		loaded = append(loaded, l)
	}
	return loaded
}

// listFiles lists what was loaded.
func listFiles(apps []loadedApp, tenant bool) []SourceFile {
	var files []SourceFile
	for _, app := range apps {
		if app.schema != nil {
			files = append(files, app.schema.asFile(KindSchema, tenant))
		}
	}
	for _, s := range order(apps) {
		files = append(files, s.asFile(KindUp, tenant))
		if s.down != nil {
			files = append(files, s.asFile(KindDown, tenant))
		}
	}
	return files
}

// asFile is one way of the script.
func (s *script) asFile(kind FileKind, tenant bool) SourceFile {
	way := s.up
	if kind == KindDown {
		way = *s.down
	}
	f := SourceFile{
		App: s.app, Name: s.name, Path: way.File, Kind: kind, Tenant: tenant, Program: s.inProgram,
		Transaction: !way.NoTransaction, Allows: allows(way.Allows.OfFile), Unused: allows(way.Allows.OfNothing),
	}
	for _, stmt := range way.Statements {
		f.Statements = append(f.Statements, FileStatement{Line: stmt.Line, SQL: stmt.Text, Allows: allows(stmt.Allows)})
	}
	return f
}

func allows(comments []sqlfile.Allow) []Allow {
	var all []Allow
	for _, a := range comments {
		all = append(all, Allow(a))
	}
	return all
}
