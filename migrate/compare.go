package migrate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// compare refuses a history that the files of the apps do not lead to: one that has what
// the program does not know, or what has changed since it ran.
func compare(apps []loadedApp, h history) error {
	if err := unknownOf(apps, h); err != nil {
		return err
	}
	for i := range apps {
		if err := apps[i].changed(h[apps[i].name]); err != nil {
			return err
		}
	}
	return nil
}

// unknownOf refuses a history with migrations of the apps that the program does not know.
func unknownOf(apps []loadedApp, h history) error {
	for i := range apps {
		if err := apps[i].unknown(h[apps[i].name]); err != nil {
			return err
		}
	}
	return nil
}

// unknown tells what is recorded and not among the program's migrations: a file that has
// another name now, what only a newer program has, or a file that is gone.
func (l *loadedApp) unknown(records map[string]record) error {
	var unknown []record
	for _, name := range slices.SortedFunc(maps.Keys(records), sqlfile.CompareNames) {
		if name != schemaFile && l.script(name) == nil && l.replacement(name) == nil {
			unknown = append(unknown, records[name])
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	for _, r := range unknown {
		if cure := l.inPlaceOf(r, records); cure != "" {
			return fmt.Errorf("%w: its migration %s/%s ran, and %s", ErrGone, l.name, r.name, cure)
		}
	}
	newest := unknown[len(unknown)-1]
	if len(l.migrations) == 0 || sqlfile.CompareNames(newest.name, l.migrations[len(l.migrations)-1].name) > 0 {
		return fmt.Errorf("%w: its migration %s/%s is not among the program's files (run the newer program, or restore the file)", ErrNewer, l.name, newest.name)
	}
	return fmt.Errorf("%w: its migration %s/%s ran, and is not among the program's files, which go on to %s (restore the file, or run the program that has it; a file that takes its place says -- cotenant:replaces %[3]s)",
		ErrGone, l.name, unknown[0].name, l.migrations[len(l.migrations)-1].name)
}

// inPlaceOf says which migration, of those that have not run, seems to be in the place of
// one that is gone, with the cure; it is empty if none is. One of the same text is the same
// under another name. One that only has its number may be another's work, of a branch that
// was merged: that it replaces the other must not be suggested, since it would never run.
func (l *loadedApp) inPlaceOf(r record, records map[string]record) string {
	find := func(is func(s *script) bool) *script {
		for i := range l.migrations {
			if _, ran := records[l.migrations[i].name]; !ran && is(&l.migrations[i]) {
				return &l.migrations[i]
			}
		}
		return nil
	}
	if s := find(func(s *script) bool { return s.checksum == r.checksum && s.checksum != goChecksum }); s != nil {
		return fmt.Sprintf("the program has it as %s (name it %s again; or %s)", s.name, r.name, s.toReplace(r.name))
	}
	s := find(func(s *script) bool { return sqlfile.CompareNames(s.name, r.name) == 0 })
	switch {
	case s == nil:
		return ""
	case s.checksum == goChecksum && r.checksum == goChecksum:
		return fmt.Sprintf("the program has %s of the same number (if that is the same, name it %s again, or %s; if not, restore %[2]s, and renumber %[1]s)", s.name, r.name, s.toReplace(r.name))
	}
	return fmt.Sprintf("the program has another of the same number, %s (restore %s, and renumber %[1]s)", s.name, r.name)
}

// toReplace is how the script is made to replace another.
func (s *script) toReplace(name string) string {
	if s.inProgram {
		return fmt.Sprintf("list %q in its Replaces", name)
	}
	return "write -- cotenant:replaces " + name + " into it"
}

// changed tells what is not as it was when it ran.
func (l *loadedApp) changed(records map[string]record) error {
	for i := range l.migrations {
		m := &l.migrations[i]
		switch r, ran := records[m.name]; {
		case !ran || m.checksum == r.checksum:
		case m.inProgram:
			return fmt.Errorf("%s changed since it ran (was a setting changed that it depends on, such as the name of a table?)", m.file)
		default:
			return fmt.Errorf("%s changed since it ran (restore it, and write the change as a new migration)", m.file)
		}
	}
	return nil
}

// script returns the app's migration of that name, nil if there is none.
func (l *loadedApp) script(name string) *script {
	i := slices.IndexFunc(l.migrations, func(s script) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return &l.migrations[i]
}
