package adopt

import (
	"fmt"
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
	// migrations. It is empty where the schema has nothing of the app, which migrate will
	// make.
	Name string
	// Newest says that it is where the files lead to.
	Newest bool
	// Recorded says that the history of the schema has the app already; then nothing else
	// is known.
	Recorded bool
}

// String is as "shop 0002_more", and has what is special behind it.
func (s AppState) String() string {
	switch {
	case s.Recorded:
		return s.App + " (recorded before)"
	case s.Name == "":
		return s.App + " (nothing of it is there; migrate will make it)"
	case len(s.Differences) > 0:
		return fmt.Sprintf("%s differs, and is nearest to %s", s.App, s.Name)
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

	mu       sync.Mutex
	verdicts map[string]*verdict
}

func newMatcher(r *reference) *matcher {
	return &matcher{reference: r, verdicts: map[string]*verdict{}}
}

// match says how far a schema is, of which some apps are recorded.
func (m *matcher) match(s *drift.Snapshot, recorded []string) *verdict {
	key := s.Fingerprint().String() + " " + strings.Join(recorded, " ")
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

func (m *matcher) compare(s *drift.Snapshot, recorded []string) *verdict {
	v := &verdict{}
	var keys []string
	for _, a := range m.apps {
		if slices.Contains(recorded, a.name) {
			v.states = append(v.states, AppState{App: a.name, Recorded: true})
			keys = append(keys, a.name+" recorded")
			continue
		}
		part := s.Only(a.roots)
		is, at := a.stateOf(part)
		v.states = append(v.states, is)
		if at != nil {
			v.match = append(v.match, *at)
		}
		key := fmt.Sprintf("%s %q", a.name, is.Name)
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

// stateOf finds the newest state that is as part, which the schema has of the app; or else
// the nearest.
func (a *app) stateOf(part *drift.Snapshot) (AppState, *state) {
	is := AppState{App: a.name}
	if part.Empty() {
		// An app that has nothing but what it did to the registry is taken for done where
		// that can be made up for.
		if last := &a.states[len(a.states)-1]; !a.known() && len(last.registry) > 0 {
			is.Name, is.Newest = last.name, true
			return is, last
		}
		return is, nil
	}
	for i := range slices.Backward(a.states) {
		if at := &a.states[i]; at.part.Fingerprint() == part.Fingerprint() {
			is.Name, is.Newest = at.name, at.name == a.newest()
			return is, at
		}
	}
	var nearest *state
	for i := range slices.Backward(a.states) {
		at := &a.states[i]
		if all := drift.Compare(at.part, part); nearest == nil || len(all) < len(is.Differences) {
			nearest, is.Differences = at, all
		}
	}
	is.Name, is.Newest = nearest.name, nearest.name == a.newest()
	if n := len(is.Differences); n > maxDifferences {
		is.Differences, is.More = is.Differences[:maxDifferences], n-maxDifferences
	}
	return is, nearest
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
