package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// A migration that replaces others stands for all of them. In a schema that has none of
// them it runs in their place; one that has all of them gets its record in the place of
// theirs, so that its history is then that of a schema which began with it. One that has
// some of them gets the others first, as long as their files are there.

// checkReplaces refuses what cannot be meant, and what would run in the wrong order.
func (l *loadedApp) checkReplaces() error {
	by := make(map[string]string)
	for i := range l.migrations {
		s := &l.migrations[i]
		for _, name := range s.replaces {
			other := l.script(name)
			switch {
			case name == s.name:
				return fmt.Errorf("%s replaces itself (take %s out of its list)", s.file, name)
			case by[name] != "":
				return fmt.Errorf("%s and %s replace %s both, or one of them twice (take it out of one list)", by[name], s.file, name)
			case other == nil:
			case len(other.replaces) > 0:
				return fmt.Errorf("%s replaces %s, which replaces others (remove that file when all schemas have it)", s.file, other.file)
			case sqlfile.CompareNames(other.name, s.name) > 0:
				return fmt.Errorf("%s replaces %s, and comes before it (give it a higher number, or remove the files that it replaces)", s.file, other.file)
			}
			by[name] = s.file
		}
	}
	return nil
}

// replacement returns the migration that replaces the one of that name, nil if none does.
func (l *loadedApp) replacement(name string) *script {
	i := slices.IndexFunc(l.migrations, func(s script) bool { return slices.Contains(s.replaces, name) })
	if i < 0 {
		return nil
	}
	return &l.migrations[i]
}

// complete reports whether a history has all that the script replaces, so that recording
// it is enough.
func (s *script) complete(h history) bool {
	return len(s.replaces) > 0 && !slices.ContainsFunc(s.replaces, func(name string) bool { return !h.has(s.app, name) })
}

// provides reports whether a history has a migration, or what replaces it, or all that it
// replaces.
func provides(apps []loadedApp, h history, app, name string) bool {
	if h.has(app, name) {
		return true
	}
	l, ok := find(apps, app)
	if !ok {
		return false
	}
	if s := l.script(name); s != nil && s.complete(h) {
		return true
	}
	s := l.replacement(name)
	return s != nil && h.has(app, s.name)
}

// view returns the apps as they are for a schema with this history: without what is
// replaced, but for a schema that is on its way through it.
func view(apps []loadedApp, h history) ([]loadedApp, error) {
	if !anyReplaces(apps) {
		return apps, nil
	}
	apps = slices.Clone(apps)
	for i := range apps {
		gone, err := apps[i].passed(h)
		if err != nil {
			return nil, err
		}
		apps[i].migrations = slices.Clone(apps[i].migrations)
		apps[i].migrations = slices.DeleteFunc(apps[i].migrations, func(s script) bool { return slices.Contains(gone, s.name) })
	}
	rewire(apps, apps)
	return apps, nil
}

// fresh are the apps as they are for a schema that has nothing.
func fresh(apps []loadedApp) []loadedApp {
	apps, _ = view(apps, history{}) // which cannot fail: nothing is there in part
	return apps
}

func anyReplaces(apps []loadedApp) bool {
	return slices.ContainsFunc(apps, func(l loadedApp) bool {
		return slices.ContainsFunc(l.migrations, func(s script) bool { return len(s.replaces) > 0 })
	})
}

// passed are the names of what is replaced and does not run any more in a schema with this
// history. The error says that the schema has some of it, and the files of the rest are
// gone.
func (l *loadedApp) passed(h history) (names []string, err error) {
	for i := range l.migrations {
		s := &l.migrations[i]
		var lacking, gone []string
		for _, name := range s.replaces {
			if h.has(l.name, name) {
				continue
			}
			lacking = append(lacking, name)
			if l.script(name) == nil {
				gone = append(gone, name)
			}
		}
		switch some := len(lacking) > 0 && len(lacking) < len(s.replaces); {
		case !some || h.has(l.name, s.name):
			names = append(names, s.replaces...)
		case len(gone) > 0:
			return nil, fmt.Errorf("%s replaces %s, of which the schema lacks %s, and the program has no file (migrate it with the program that has the files, or restore them until all schemas are past them)",
				s.file, abridged(s.replaces), abridged(gone))
		}
	}
	return names, nil
}

// abridged lists names, of which there can be many.
func abridged(names []string) string {
	if len(names) <= 3 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s … %s (%d)", names[0], names[len(names)-1], len(names))
}

// rewire has what requires a migration that is not there, and is replaced, require what
// replaces it.
func rewire(apps, all []loadedApp) {
	for i := range apps {
		for j := range apps[i].migrations {
			s := &apps[i].migrations[j]
			for k, required := range s.requires {
				app, name, _ := strings.Cut(required, "/")
				l, ok := find(all, app)
				if !ok || l.script(name) != nil {
					continue
				}
				if by := l.replacement(name); by != nil {
					s.requires = slices.Clone(s.requires)
					s.requires[k] = by.id()
				}
			}
		}
	}
}
