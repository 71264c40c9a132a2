package drift

import (
	"slices"
	"strings"

	"github.com/cotenant/cotenant/internal/catalog"
)

// repair writes into g the statements that create what s lacks of the reference, in an
// order that runs, and have triggers fire as they do there; and the other differences as
// comments.
func (f *finder) repair(reference, s *Snapshot, g *Group) {
	r := repairer{wants: reference.byKey(), haves: s.byKey(), needs: reference.needs, state: map[string]int{}}
	missing := make([]catalog.Object, 0, len(r.wants))
	for _, o := range r.wants {
		if r.lacks(o.Key()) {
			missing = append(missing, o)
		}
	}
	slices.SortFunc(missing, inOrder)
	for _, o := range missing {
		r.create(o.Key())
	}
	var statements, notes strings.Builder
	for _, d := range g.Differences {
		if d.Change != Missing && !r.switches(d) {
			notes.WriteString(commented("not repaired: " + d.String()))
		}
	}
	for _, statement := range slices.Concat(r.statements, r.last, r.check()) {
		text := terminated(statement)
		statements.WriteString(text)
		g.frame.creates = g.frame.creates || text != statement
	}
	g.Repair, g.frame.notes = statements.String(), notes.String()
	g.frame.extra, g.frame.role = f.ExtraSchemas, f.MigratorRole
}

// terminated is a statement, or a comment, as it stands in a script.
func terminated(statement string) string {
	if strings.HasPrefix(statement, "-- ") {
		return statement
	}
	return strings.TrimRight(statement, "; \n") + ";\n"
}

// commented is text as comment lines.
func commented(text string) string {
	// PostgreSQL ends such a comment at a carriage return as well.
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	return "-- " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n-- ") + "\n"
}

// repairer orders the statements that create what a schema lacks.
type repairer struct {
	wants, haves map[string]catalog.Object
	needs        map[string][]string
	state        map[string]int // see create
	statements   []string
	last         []string // what needs both sides of a circle to be there
	unchecked    []string // tables, see check
}

func (r *repairer) lacks(key string) bool {
	_, wanted := r.wants[key]
	_, there := r.haves[key]
	return wanted && !there
}

// create appends the statements that create an object, after those of what it needs.
func (r *repairer) create(key string) {
	const begun, done = 1, 2
	if r.state[key] != 0 || !r.lacks(key) {
		return
	}
	r.state[key] = begun
	o := r.wants[key]
	if top := r.with(o); top != key {
		r.create(top)
		if r.wants[top].Kind == catalog.Column && r.wants[top].Of != o.Of && !r.inherited(o) {
			r.statements = append(r.statements, r.ownPart(o)...)
		}
		r.state[key] = done
		return
	}
	if o.Kind != catalog.Sequence { // it belongs to its column in the end: see sequence
		r.create(o.Of)
		for _, part := range append(r.partsOf(key), key) {
			for _, need := range r.sorted(r.needs[part]) {
				r.create(need)
			}
		}
	}
	r.statements = append(r.statements, r.statementsOf(o)...)
	r.state[key] = done
}

// with is the key of what an object comes with: a column with its table, where that is
// missing, too, or with that of the table's parent, the sequence of an identity column
// with that.
func (r *repairer) with(o catalog.Object) string {
	switch {
	case o.Kind == catalog.Column && r.lacks(o.Of):
		return o.Of
	case o.Kind == catalog.Column:
		for _, parent := range r.parents(o.Of) {
			if key := string(catalog.Column) + " " + parent + "." + own(o); r.lacks(key) {
				return r.with(r.wants[key])
			}
		}
	case o.Kind == catalog.Sequence && isIdentity(r.wants[o.Of]) && r.lacks(o.Of):
		return r.with(r.wants[o.Of])
	}
	return o.Key()
}

// parents are the names of the tables that a table inherits from, or is a partition of.
func (r *repairer) parents(table string) []string {
	for _, part := range r.wants[table].Parts() {
		for _, how := range []string{"INHERITS ", "PARTITION OF "} {
			if names, ok := strings.CutPrefix(part, how); ok {
				return strings.Split(names, ", ")
			}
		}
	}
	return nil
}

// partsOf are the objects that come with one.
func (r *repairer) partsOf(key string) []string {
	var parts []string
	for _, o := range r.wants {
		if o.Kind == catalog.Column && o.Of == key {
			parts = append(parts, o.Key())
		}
	}
	slices.Sort(parts)
	return parts
}

// sorted returns keys in the order in which they are created if nothing else matters.
func (r *repairer) sorted(keys []string) []string {
	sorted := slices.Clone(keys)
	slices.SortFunc(sorted, func(a, b string) int { return inOrder(r.wants[a], r.wants[b]) })
	return sorted
}

// inOrder compares what comes first if neither needs the other.
func inOrder(a, b catalog.Object) int {
	rank := func(o catalog.Object) int {
		kinds := []catalog.Kind{
			catalog.Extension, catalog.Collation, catalog.Type, catalog.Domain, catalog.Sequence, catalog.Function, catalog.Procedure, catalog.Aggregate,
			catalog.Table, catalog.ForeignTable, catalog.Column, catalog.Constraint, catalog.Index, catalog.View, catalog.MaterializedView,
			catalog.Statistics, catalog.Trigger, catalog.Rule, catalog.Policy,
		}
		at := slices.Index(kinds, o.Kind)
		switch {
		case at < 0:
			at = len(kinds) // among them comments and privileges
		case o.Kind == catalog.Constraint && strings.HasPrefix(o.Definition, "FOREIGN KEY"):
			at = len(kinds) - 1
		}
		return at
	}
	if c := rank(a) - rank(b); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}
