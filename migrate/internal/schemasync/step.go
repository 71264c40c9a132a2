package schemasync

import (
	"slices"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// step is a statement and what it does, in keys of objects.
type step struct {
	statement sqlfile.Statement
	creates   []string
	changes   []string // their definition
	access    []string // owners and privileges only
	drops     []string
	writes    []string // tables with rows that it changed, sequences that it moved
	unit      int      // the first statement of those that run with it, or none
}

// note compares an object with the state before the step.
func (s *step) note(before map[string]catalog.Object, o catalog.Object) {
	switch old, ok := before[o.Key()]; {
	case !ok:
		s.creates = append(s.creates, o.Key())
	case old.Definition != o.Definition || old.Of != o.Of:
		s.changes = append(s.changes, o.Key())
	case old.Access != o.Access:
		s.access = append(s.access, o.Key())
	}
}

func (s *step) word(words ...string) bool {
	return len(s.statement.Words) > 0 && slices.Contains(words, s.statement.Words[0])
}

// setting reports whether the step is about the session and not the schema.
func (s *step) setting() bool { return s.word("SET", "RESET") }

// manipulation reports whether the step changes rows and no objects.
func (s *step) manipulation() bool { return s.word("INSERT", "UPDATE", "DELETE", "MERGE") }

// rowsOnly reports whether the step is for rows: it changes some, or is a statement that
// does, and no objects.
func (s *step) rowsOnly() bool {
	return len(s.creates)+len(s.changes)+len(s.access)+len(s.drops) == 0 && (s.manipulation() || len(s.writes) > 0)
}
