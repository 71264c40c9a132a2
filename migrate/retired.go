package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// RetiredApp is an app that schemas have, and that is not on the program's list of apps
// for them: of the shared apps for public, of the tenant apps for the others. It was
// retired, it is on the other list now, or the program is older than the app.
type RetiredApp struct {
	App     string
	Schemas int // how many have it
}

// String says so with the cure:
//
//	app "blog": 998 schemas have it, and it is on no list of apps for them (drop its tables and its records in cotenant_migrations; or list it, and undo it first where it has ways back: migrate blog zero)
func (a RetiredApp) String() string {
	have := "1 schema has it, and it is on no list of apps for it"
	if a.Schemas != 1 {
		have = fmt.Sprintf("%d schemas have it, and it is on no list of apps for them", a.Schemas)
	}
	return fmt.Sprintf("app %q: %s (drop its tables and its records in %s; or list it, and undo it first where it has ways back: migrate %s zero)", a.App, have, historyTable, a.App)
}

// strangers are the apps in a history that are not among apps.
func (h history) strangers(apps []loadedApp) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if _, known := find(apps, name); !known {
			names = append(names, name)
		}
	}
	return names
}

// retire counts n schemas that have apps which are not on their list: the first hundred of
// such apps.
func (r *Report) retire(apps []string, n int) {
	for _, app := range apps {
		i, found := slices.BinarySearchFunc(r.Retired, app, func(a RetiredApp, name string) int { return cmp.Compare(a.App, name) })
		switch {
		case found:
			r.Retired[i].Schemas += n
		case len(r.Retired) < maxShown:
			r.Retired = slices.Insert(r.Retired, i, RetiredApp{app, n})
		}
	}
}
