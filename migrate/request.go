package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// request is what a run is asked to do.
type request struct {
	migrate, sync     bool // apps with migrations, apps without
	app, target       string
	fake, fakeInitial bool
	compare           bool // what was synced before, too
}

// resolve checks what a request names, before anything is touched, and completes it.
func (m *Migrator) resolve(r *request) error {
	if r.app == "" {
		if r.target != "" {
			return fmt.Errorf("migration %q: it is not said of which app (name the app)", r.target)
		}
		return nil
	}
	var found []*loadedApp
	var names []string
	for _, apps := range [][]loadedApp{m.shared, m.tenant} {
		for i := range apps {
			names = append(names, apps[i].name)
			if apps[i].name == r.app {
				found = append(found, &apps[i])
			}
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == ownApp })
	switch {
	case len(found) == 0:
		return fmt.Errorf("app %q: there is none of that name%s", r.app, nearest(r.app, names))
	case r.app == ownApp && r.target != "":
		return fmt.Errorf("app %q has what all others stand on, and goes where the program has it (leave the migration out)", ownApp)
	}
	app := found[0]
	switch {
	case len(app.migrations) == 0 && !r.sync:
		return fmt.Errorf("app %q: it has no migrations (use sync, or write some)", r.app)
	case r.target == "" || r.target == "zero":
		return nil
	}
	name, err := app.named(r.target)
	if err == nil {
		r.target = name
	}
	return err
}

// named returns the name of the migration that a user means: by its name, by what only its
// name begins with, or by its number, with or without zeros in front.
func (l *loadedApp) named(text string) (string, error) {
	var names, begin []string
	var numbered string
	for i := range l.migrations {
		name := l.migrations[i].name
		names = append(names, name)
		if name == text {
			return name, nil
		}
		if strings.HasPrefix(name, text) {
			begin = append(begin, name)
		}
		if strings.Trim(text, "0123456789") == "" && sqlfile.CompareNames(name, text) == 0 {
			numbered = name
		}
	}
	switch {
	case numbered != "" && (len(begin) == 0 || slices.Contains(begin, numbered)):
		return numbered, nil
	case numbered != "":
		return "", fmt.Errorf("migration %q: app %q has %s of that number, and others that begin so: %s (name one)", text, l.name, numbered, strings.Join(begin, ", "))
	case len(begin) == 1:
		return begin[0], nil
	case len(begin) > 1:
		return "", fmt.Errorf("migration %q: app %q has several that begin so: %s (name one)", text, l.name, strings.Join(begin, ", "))
	}
	return "", fmt.Errorf("migration %q: app %q has none of that name%s", text, l.name, nearest(text, names))
}
