package adopt

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/cotenant/cotenant/drift"
	"github.com/cotenant/cotenant/migrate"
)

// AppState is how far a schema has come with an app.
type AppState struct {
	App string
	// Differences are how the schema differs from the state, if it is in none; the first
	// 1,000. Then the state is the one that it differs from in the fewest.
	Differences []drift.Difference
	// More is how many differences there are beyond Differences.
	More int
	// Name is the newest migration that the schema has, or schema.sql of an app without
	// migrations. It is empty where the schema has nothing of the app, which migrate, or
	// sync where it has no migrations, will make.
	Name string
	// Newest says that it is where the files lead to.
	Newest bool
	// Recorded says that the history of the schema has the app already; then nothing else
	// is known.
	Recorded bool
	// Unseen are the migrations up to Name of which the schema does not show whether they
	// have run: they change rows alone, say, or undo each other. They count as done. Without
	// a Name they are those of an app that leaves nothing in a schema to be seen.
	Unseen []string
	// Ungranted is the migration behind Name that grants or revokes what the schema does not
	// show, or creates an extension that the database does not have, though the schema has all
	// else of it. It and those behind it are left to migrate.
	Ungranted string
}

// String is as "shop 0002_more", and has what is special behind it.
func (s AppState) String() string {
	switch {
	case s.Recorded:
		return s.App + " (recorded before)"
	case s.Name == "" && len(s.Unseen) > 0:
		return s.App + " (it leaves nothing in a schema that can be seen; migrate will run it, unless migrate " + s.App + " --fake records it first)"
	case s.Name == "":
		return s.App + " (nothing of it is there; migrate or sync will make it)"
	case len(s.Differences) > 0:
		return fmt.Sprintf("%s differs, and is nearest to %s", s.App, s.Name)
	case s.Ungranted != "":
		return s.App + " " + s.Name + " (what " + s.Ungranted + " grants, revokes or installs is not so; migrate will run it, and those behind it)"
	case !s.Newest:
		return s.App + " " + s.Name + " (migrate will do the rest)"
	}
	return s.App + " " + s.Name
}

// differs reports whether one of the states is none.
func differs(states []AppState) bool {
	return slices.ContainsFunc(states, func(s AppState) bool { return len(s.Differences) > 0 })
}

// verdict is what is known of schemas that have the same.
type verdict struct {
	states []AppState
	key    string   // tells groups apart
	extra  []string // roots that are of no app
	match  []state  // of the apps that have one, for the registry's statements
}

const (
	maxDifferences = 1000 // of an app
	maxVerdicts    = 1000 // that are remembered
)

// matcher compares schemas with a reference. It is safe for concurrent use.
type matcher struct {
	*reference
	grants bool // a migration grants or revokes

	mu       sync.Mutex
	verdicts map[string]*verdict
}

func newMatcher(r *reference) *matcher {
	grants := slices.ContainsFunc(r.apps, func(a *app) bool { return len(a.granted) > 0 })
	return &matcher{reference: r, grants: grants, verdicts: map[string]*verdict{}}
}

// match says how far a schema is, of which some apps are recorded.
func (m *matcher) match(s *drift.Snapshot, recorded []string) *verdict {
	key := s.Fingerprint().String() + " " + strings.Join(recorded, " ")
	if m.grants {
		key += fmt.Sprintf(" %q", s.Access(m.granted)) // by the names of the objects
	}
	m.mu.Lock()
	v := m.verdicts[key]
	m.mu.Unlock()
	if v != nil {
		return v
	}
	v = m.compare(s, recorded)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.verdicts) < maxVerdicts {
		m.verdicts[key] = v
	}
	return v
}

// granted reports whether a migration grants or revokes on an object.
func (m *matcher) granted(object string) bool {
	return slices.ContainsFunc(m.apps, func(a *app) bool { return a.granted[object] })
}

func (m *matcher) compare(s *drift.Snapshot, recorded []string) *verdict {
	v := &verdict{}
	var keys []string
	for _, a := range m.apps {
		if slices.Contains(recorded, a.name) {
			v.states = append(v.states, AppState{App: a.name, Recorded: true})
			keys = append(keys, a.name+" recorded")
			continue
		}
		part := s.Only(a.rootsIn(s, m.roots))
		is, at := a.stateOf(part)
		v.states = append(v.states, is)
		if at != nil {
			v.match = append(v.match, *at)
		}
		key := fmt.Sprintf("%s %q %q %s", a.name, is.Name, is.Unseen, is.Ungranted)
		if len(is.Differences) > 0 {
			key += " " + part.Fingerprint().String()
		}
		keys = append(keys, key)
	}
	v.key = strings.Join(keys, "\n")
	for _, root := range s.Roots() {
		if !m.roots[root] {
			v.extra = append(v.extra, root)
		}
	}
	return v
}

// rootsIn returns the app's roots, and those of a schema that are no app's and have the name
// of something of the app's newest state, as a view may have that of a table; where the app
// has nothing there, that of something of any state. With them the schema is in none of the
// app's states: what makes the app's would fail.
func (a *app) rootsIn(s *drift.Snapshot, known map[string]bool) map[string]bool {
	taken := map[string]bool{}
	if s.Only(a.roots).Empty() {
		for root := range a.roots {
			take(taken, root)
		}
	} else {
		for _, root := range a.states[len(a.states)-1].part.Roots() {
			take(taken, root)
		}
	}
	roots := maps.Clone(a.roots)
	for _, root := range s.Roots() {
		if !known[root] && slices.ContainsFunc(namesOf(root), func(name string) bool { return taken[name] }) {
			roots[root] = true
		}
	}
	return roots
}

func take(taken map[string]bool, root string) {
	for _, name := range namesOf(root) {
		taken[name] = true
	}
}

// namesOf are the names that a root takes from others: relations have theirs in common, and
// types theirs, which tables and views are, too (PostgreSQL manual, CREATE TABLE, "Notes").
func namesOf(root string) []string {
	for _, kind := range []string{"table ", "view ", "materialized view ", "foreign table "} {
		if name, ok := strings.CutPrefix(root, kind); ok {
			return []string{"relation " + name, "type " + name}
		}
	}
	if name, ok := strings.CutPrefix(root, "sequence "); ok {
		return []string{"relation " + name}
	}
	if name, ok := strings.CutPrefix(root, "domain "); ok {
		return []string{"type " + name}
	}
	return []string{root} // of a type, and what has names of its own
}

// stateOf finds the newest state that is as part, which the schema has of the app; or else
// the nearest.
func (a *app) stateOf(part *drift.Snapshot) (AppState, *state) {
	is := AppState{App: a.name}
	if part.Empty() {
		last := &a.states[len(a.states)-1]
		switch {
		case a.known():
		case len(last.registry) > 0:
			// An app that has nothing but what it did to the registry is taken for done where
			// that can be made up for.
			is.Name, is.Newest, is.Unseen = last.name, true, a.unseen(last.name, last.name)
			return is, last
		default:
			is.Unseen = slices.Clone(a.names)
		}
		return is, nil
	}
	var same []*state
	for i := range a.states {
		if at := &a.states[i]; at.part.Fingerprint() == part.Fingerprint() {
			same = append(same, at)
		}
	}
	if len(same) > 0 {
		first, at := a.asGranted(same, part.Access(func(object string) bool { return a.granted[object] }))
		found := same[at]
		is.Name, is.Newest, is.Unseen = found.name, found.name == a.newest(), a.unseen(same[first].name, found.name)
		if at+1 < len(same) && !is.Newest {
			is.Ungranted = same[at+1].name
		}
		return is, found
	}
	var nearest *state
	for i := range slices.Backward(a.states) {
		at := &a.states[i]
		if all := drift.Compare(at.part, part); nearest == nil || len(all) < len(is.Differences) {
			nearest, is.Differences = at, all
		}
	}
	is.Name, is.Newest, is.Unseen = nearest.name, nearest.name == a.newest(), a.unseen(nearest.name, nearest.name)
	if n := len(is.Differences); n > maxDifferences {
		is.Differences, is.More = is.Differences[:maxDifferences], n-maxDifferences
	}
	return is, nearest
}

// asGranted chooses among states that have the same objects by what is granted on them: the
// newest that is as a schema in all that one of them grants or revokes, and whose extensions
// are there, or else the first.
// Other privileges do not matter, and neither do owners: they are those of the other system.
// The first of which the same can be said is returned, too.
func (a *app) asGranted(same []*state, access map[string]drift.Access) (first, newest int) {
	grants := map[string]map[string]bool{} // of an object: those that some of the states have
	for object := range a.granted {
		grants[object] = map[string]bool{}
		for _, at := range same {
			for _, grant := range at.access[object].Grants {
				grants[object][grant] = true
			}
		}
		for _, grant := range same[0].access[object].Grants {
			if !slices.ContainsFunc(same, func(at *state) bool { return !slices.Contains(at.access[object].Grants, grant) }) {
				delete(grants[object], grant) // all have it
			}
		}
	}
	for i, at := range slices.Backward(same) {
		if at.grantsAs(access, grants) && (!at.lacks || same[0].lacks) {
			newest = i
			break
		}
	}
	first = slices.IndexFunc(same, func(at *state) bool { return at.grantsAs(same[newest].access, grants) })
	return first, newest
}

// grantsAs reports whether a schema has the grants that the state has, and no others of some.
func (at *state) grantsAs(access map[string]drift.Access, grants map[string]map[string]bool) bool {
	for object, some := range grants {
		has := access[object]
		for grant := range some {
			role := grant[:strings.LastIndexByte(grant, '=')]
			if role != "" && role == has.Owner { // who has it in any case
				continue
			}
			if slices.Contains(has.Grants, grant) != slices.Contains(at.access[object].Grants, grant) {
				return false
			}
		}
	}
	return true
}

// unseen are the migrations up to a newest one that a schema does not show: those that leave
// nothing to be seen, and those behind the first that looks the same.
func (a *app) unseen(first, newest string) []string {
	var list []string
	behind := false
	for _, name := range a.names {
		if behind && !a.replayed[name] && !a.installed[name] || a.quiet[name] {
			list = append(list, name)
		}
		behind = behind || name == first
		if name == newest {
			break
		}
	}
	return list
}

// recordable are the states to record.
func recordable(states []AppState) []migrate.AppState {
	var all []migrate.AppState
	for _, s := range states {
		if s.Name != "" && !s.Recorded {
			all = append(all, migrate.AppState{App: s.App, Name: s.Name})
		}
	}
	return all
}
