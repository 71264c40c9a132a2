package check

import "github.com/cotenant/cotenant/check/internal/syntax"

// attach notes which partition is a table's DEFAULT one.
func (s *state) attach(parent, partition syntax.Name, bound syntax.Node) {
	if o := s.table(parent); o != nil && bound.True("is_default") {
		o.byDefault = s.own(partition)
	}
}

// detach notes that a table is no DEFAULT partition any more.
func (s *state) detach(partition syntax.Name) { s.moveDefault(s.own(partition), syntax.Name{}) }

// moveDefault notes the new name of a DEFAULT partition.
func (s *state) moveDefault(from, to syntax.Name) {
	for _, o := range s.relations {
		if o.byDefault == from {
			o.byDefault = to
		}
	}
}
