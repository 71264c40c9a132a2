package migrate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// resolve checks what the migrations of all apps require: that it is there, that no
// shared app requires a tenant app, and that nothing requires itself in a circle.
func resolve(shared, tenant []loadedApp) error {
	rewire(shared, shared)
	rewire(tenant, tenant)
	rewire(tenant, onlyOf(shared, tenant))
	for _, app := range shared {
		if err := app.checkRequires(shared, tenant, false); err != nil {
			return fmt.Errorf("shared apps: %w", err)
		}
	}
	for _, app := range tenant {
		if err := app.checkRequires(tenant, shared, true); err != nil {
			return fmt.Errorf("tenant apps: %w", err)
		}
	}
	for _, apps := range [][]loadedApp{shared, tenant, fresh(shared), fresh(tenant)} {
		if err := circle(apps); err != nil {
			return err
		}
	}
	return nil
}

// checkRequires looks for what the app requires in its own list, and then in the
// other, which only counts if it may.
func (l *loadedApp) checkRequires(own, others []loadedApp, may bool) error {
	for _, s := range l.migrations {
		for _, required := range s.requires {
			app, name, _ := strings.Cut(required, "/")
			if l, ok := find(own, app); ok {
				if err := l.has(name); err != nil {
					return fmt.Errorf("%s: it requires %s: %w", s.file, required, err)
				}
				continue
			}
			l, ok := find(others, app)
			switch {
			case ok && may:
				if err := l.has(name); err != nil {
					return fmt.Errorf("%s: it requires %s: %w", s.file, required, err)
				}
			case ok:
				return fmt.Errorf("%s: it requires %s, which is a tenant app's: shared apps run before any tenant (make %q a shared app as well, or take the line out)", s.file, required, app)
			default:
				return fmt.Errorf("%s: it requires %s: there is no app %q%s", s.file, required, app, nearest(app, names(append(slices.Clone(own), others...))))
			}
		}
	}
	return nil
}

// onlyOf are the apps that are in none of the others.
func onlyOf(apps, others []loadedApp) []loadedApp {
	return slices.DeleteFunc(slices.Clone(apps), func(l loadedApp) bool { return slices.Contains(names(others), l.name) })
}

func find(apps []loadedApp, name string) (loadedApp, bool) {
	i := slices.IndexFunc(apps, func(l loadedApp) bool { return l.name == name })
	if i < 0 {
		return loadedApp{}, false
	}
	return apps[i], true
}

func names(apps []loadedApp) []string {
	var names []string
	for _, l := range apps {
		names = append(names, l.name)
	}
	return names
}

// has returns an error if the app has no such migration. One that has schema.sql alone
// has that.
func (l *loadedApp) has(name string) error {
	if name == schemaFile && l.schema != nil && len(l.migrations) == 0 {
		return nil
	}
	var names []string
	for _, m := range l.migrations {
		if m.name == name {
			return nil
		}
		names = append(names, m.name)
	}
	switch {
	case name == schemaFile && l.schema != nil:
		return fmt.Errorf("schemas can have come to the state of app %q by its migrations (name the one that is needed)", l.name)
	case names == nil:
		return fmt.Errorf("app %q has no migrations (require %s/%s)", l.name, l.name, schemaFile)
	}
	return fmt.Errorf("app %q has no such migration%s", l.name, nearest(name, names))
}

// nearest asks for the name that was meant, among those that there are. It is empty if
// none is like it.
func nearest(name string, all []string) string {
	if len(all) == 0 {
		return ""
	}
	distance := func(other string) int {
		return levenshtein.Distance(strings.ToLower(name), strings.ToLower(other), nil)
	}
	best := slices.MinFunc(all, func(a, b string) int { return distance(a) - distance(b) })
	if distance(best) > max(len(name), len(best))/2 && !strings.HasPrefix(best, name) {
		const most = 5
		list := strings.Join(all[:min(len(all), most)], ", ")
		if more := len(all) - most; more > 0 {
			list += fmt.Sprintf(" and %d more", more)
		}
		return fmt.Sprintf(" (there is %s)", list)
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// graph is the scripts of apps with what each needs before it: indexes of scripts.
type graph struct {
	scripts []*script
	before  [][]int
}

// newGraph has every migration of the apps, in their order. What is in none of them is
// not in the graph.
func newGraph(apps []loadedApp) *graph {
	g := &graph{}
	index := make(map[string]int)
	for _, app := range apps {
		for i := range app.migrations {
			s := &app.migrations[i]
			index[s.id()] = len(g.scripts)
			g.scripts = append(g.scripts, s)
		}
	}
	for i, s := range g.scripts {
		var before []int
		for _, required := range s.requires {
			if r, ok := index[required]; ok {
				before = append(before, r)
			}
		}
		if i > 0 && g.scripts[i-1].app == s.app {
			before = append(before, i-1)
		}
		g.before = append(g.before, before)
	}
	return g
}

// id is how others require the script.
func (s *script) id() string { return s.app + "/" + s.name }

// sorted returns the scripts so that what each needs comes before it, else in their
// order: always the first that has all it needs. What stands in a circle comes in its
// order, too.
func (g *graph) sorted() []*script {
	sorted := make([]*script, 0, len(g.scripts))
	done := make([]bool, len(g.scripts))
	left := make([]int, len(g.scripts))
	for i := range left {
		left[i] = i
	}
	for len(left) > 0 {
		first := max(0, slices.IndexFunc(left, func(i int) bool {
			return !slices.ContainsFunc(g.before[i], func(b int) bool { return !done[b] })
		}))
		i := left[first]
		left = slices.Delete(left, first, first+1)
		done[i] = true
		sorted = append(sorted, g.scripts[i])
	}
	return sorted
}

// order returns the migrations of the apps as they are to run: by app in the order of
// the list, each app's by number, but what is required before what requires it.
func order(apps []loadedApp) []*script { return newGraph(apps).sorted() }

// arrange returns what makes the apps in a schema, in order: of each app its migrations,
// or schema.sql where that stands for all of them. The state of an app requires what its
// migrations require of others.
func arrange(apps []loadedApp, build func(l *loadedApp) bool) []*script {
	g := &graph{}
	index := make(map[string]int) // of all migrations, those that schema.sql stands for as well
	whole := make([]bool, len(apps))
	for i := range apps {
		app := &apps[i]
		if whole[i] = app.schema != nil && (len(app.migrations) == 0 || build(app)); whole[i] {
			g.scripts = append(g.scripts, app.schema)
			index[app.schema.id()] = len(g.scripts) - 1
		}
		for j := range app.migrations {
			if !whole[i] {
				g.scripts = append(g.scripts, &app.migrations[j])
			}
			index[app.migrations[j].id()] = len(g.scripts) - 1
		}
	}
	g.before = make([][]int, len(g.scripts))
	for i, app := range apps {
		for j := range app.migrations {
			s := &app.migrations[j]
			at := index[s.id()]
			for _, required := range s.requires {
				if r, ok := index[required]; ok && r != at {
					g.before[at] = append(g.before[at], r)
				}
			}
			if !whole[i] && j > 0 {
				g.before[at] = append(g.before[at], at-1)
			}
		}
	}
	return g.sorted()
}

// circle returns an error that shows a circle of migrations, if there is one.
func circle(apps []loadedApp) error {
	g := newGraph(apps)
	const (
		open = iota + 1
		done
	)
	state := make([]int, len(g.scripts))
	var path []int
	var visit func(i int) []int
	visit = func(i int) []int {
		switch state[i] {
		case done:
			return nil
		case open:
			return append(path[slices.Index(path, i):], i)
		}
		state[i] = open
		path = append(path, i)
		for _, b := range g.before[i] {
			if found := visit(b); found != nil {
				return found
			}
		}
		path = path[:len(path)-1]
		state[i] = done
		return nil
	}
	for i := range g.scripts {
		if found := visit(i); found != nil {
			return errors.New(g.describe(found))
		}
	}
	return nil
}

// describe says in one line how a circle of scripts goes.
func (g *graph) describe(circle []int) string {
	ring := circle[:len(circle)-1]
	edge := func(i int) (from, to *script) { return g.scripts[ring[i]], g.scripts[ring[(i+1)%len(ring)]] }
	for i := range ring { // begin with a requirement: there is one
		if from, to := edge(i); slices.Contains(from.requires, to.id()) {
			ring = append(slices.Clone(ring[i:]), ring[:i]...)
			break
		}
	}
	const after = "comes after "
	var steps []string
	for i := range ring {
		from, to := edge(i)
		switch {
		case slices.Contains(from.requires, to.id()):
			steps = append(steps, "requires "+to.id())
		case strings.HasPrefix(steps[len(steps)-1], after): // what comes after that comes after this
			steps[len(steps)-1] = after + to.id()
		default:
			steps = append(steps, after+to.id())
		}
	}
	return fmt.Sprintf("the migrations require each other in a circle: %s %s (take out one of the requirements)",
		g.scripts[ring[0]].id(), strings.Join(steps, ", which "))
}
