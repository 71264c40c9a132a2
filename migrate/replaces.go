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
//
// A list has one generation: what replaced others can be replaced when all schemas have it,
// and then by its name alone. No list would be right for schemas of both generations.

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
				return fmt.Errorf("%s replaces %s, which replaces others (one generation at a time: when all schemas have %s, remove its file, and replace it without what it replaced)", s.file, other.file, name)
			case sqlfile.CompareNames(other.name, s.name) > 0:
				return fmt.Errorf("%s replaces %s, and comes before it (give it a higher number, or remove the files that it replaces)", s.file, other.file)
			}
			by[name] = s.file
		}
	}
	for i := range l.migrations {
		if err := l.checkOrder(&l.migrations[i]); err != nil {
			return err
		}
	}
	return nil
}

// checkOrder refuses a migration that replaces several others, and does not come where they
// came: a new schema would get another before it that may need them, or behind it that they
// may need. One that replaces one other is that one renumbered, which is for its author to
// judge.
func (l *loadedApp) checkOrder(s *script) error {
	if len(s.replaces) < 2 {
		return nil
	}
	first, last := slices.MinFunc(s.replaces, sqlfile.CompareNames), slices.MaxFunc(s.replaces, sqlfile.CompareNames)
	for i := range l.migrations {
		other := &l.migrations[i]
		if other.name == s.name || l.replacement(other.name) != nil {
			continue
		}
		came := []string{other.name}
		if len(other.replaces) > 1 {
			came = other.replaces
		}
		if sqlfile.CompareNames(other.name, s.name) > 0 {
			if sqlfile.CompareNames(slices.MinFunc(came, sqlfile.CompareNames), last) < 0 {
				return fmt.Errorf("%s replaces %s, and a new schema would get %s, which comes before that, behind it (replace that, too)", s.file, last, other.file)
			}
		} else if sqlfile.CompareNames(slices.MaxFunc(came, sqlfile.CompareNames), first) > 0 {
			return fmt.Errorf("%s replaces %s, and a new schema would get %s, which comes behind that, before it (replace that, too; or remove the files that are replaced, and number it before that)", s.file, first, other.file)
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
		var lacking, gone, has []string
		for _, name := range s.replaces {
			if h.has(l.name, name) {
				has = append(has, name)
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
			return nil, fmt.Errorf("%s replaces %s, of which the schema lacks %s, and the program has no file (migrate it with the program that has the files, or restore them until all schemas are past them%s)",
				s.file, abridged(s.replaces), abridged(gone), elder(has, gone))
		}
	}
	return names, nil
}

// elder is the cure where a schema lacks what came before all that it has of a list: that
// may have replaced it.
func elder(has, lacks []string) string {
	by := slices.MinFunc(has, sqlfile.CompareNames)
	if sqlfile.CompareNames(by, slices.MaxFunc(lacks, sqlfile.CompareNames)) < 0 {
		return ""
	}
	return fmt.Sprintf("; if %s replaced them, take them out of the list, which has one generation", by)
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
