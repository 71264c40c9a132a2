package drift

import (
	"slices"
	"strings"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/searchpath"
)

// isFiring reports whether a part is a way in which a trigger or a rule fires, as ALTER
// TABLE takes it. The last is the usual one, of which the catalog says nothing.
func isFiring(part string) bool {
	return slices.Contains([]string{"DISABLE", "ENABLE REPLICA", "ENABLE ALWAYS", "ENABLE"}, part)
}

// firing takes from the parts of a trigger, or a rule, how it fires. rest is empty for one
// that a partition has from its parent.
func firing(o catalog.Object) (how, rest string) {
	parts := o.Parts()
	if last := len(parts) - 1; last >= 0 && isFiring(parts[last]) {
		return parts[last], strings.Join(parts[:last], " ")
	}
	return "ENABLE", strings.Join(parts, " ")
}

// fire has a trigger or a rule fire in a way.
func fire(o catalog.Object, how string) string {
	return "ALTER TABLE " + tableOf(o) + " " + how + " " + strings.ToUpper(string(o.Kind)) + " " + own(o)
}

// unchecked takes from the parts of a constraint the tables on which triggers that check it
// do not fire as usual.
func unchecked(o catalog.Object) (tables []string, rest string) {
	var others []string
	for _, part := range o.Parts() {
		if how, table, ok := strings.Cut(part, " TRIGGER ON "); ok && isFiring(how) {
			tables = append(tables, table)
		} else {
			others = append(others, part)
		}
	}
	return tables, strings.Join(others, " ")
}

// switches writes the statements that have a trigger, a rule or a constraint fire as in
// the reference, if that is all that is otherwise.
func (r *repairer) switches(d Difference) bool {
	want, have := r.wants[d.Object], r.haves[d.Object]
	switch have.Kind {
	case catalog.Trigger, catalog.Rule:
		how, rest := firing(want)
		_, had := firing(have)
		switch {
		case catalog.Normal(rest) != catalog.Normal(had):
			return false
		case had != "":
			r.statements = append(r.statements, fire(have, how))
			return true
		}
		if d.Change == Extra {
			how = r.inheritedFiring(have)
		}
		// What changes the parent's changes it, too.
		r.last = append(r.last, fire(have, how))
		return true
	case catalog.Constraint:
		wanted, rest := unchecked(want)
		tables, had := unchecked(have)
		if len(wanted) > 0 || len(tables) == 0 || catalog.Normal(rest) != catalog.Normal(had) {
			return false
		}
		for _, table := range tables {
			if !slices.Contains(r.unchecked, table) {
				r.unchecked = append(r.unchecked, table)
			}
		}
		return true
	default:
		return false
	}
}

// inheritedFiring is how the trigger fires that a partition's comes from.
func (r *repairer) inheritedFiring(o catalog.Object) string {
	for table := o.Of; ; {
		parents := r.parents(table)
		if len(parents) == 0 {
			return "ENABLE"
		}
		if parent, ok := r.wants[string(catalog.Trigger)+" "+parents[0]+"."+own(o)]; ok {
			how, _ := firing(parent)
			return how
		}
		table = string(catalog.Table) + " " + parents[0]
	}
}

// check has constraints checked again. The names of their triggers are PostgreSQL's, and
// with ALL in their place others would fire that are off in the reference, too.
func (r *repairer) check() []string {
	if len(r.unchecked) == 0 {
		return nil
	}
	statements := []string{
		commented("Rows that came while a constraint was off stay as they are. This takes a superuser."),
		"SET LOCAL ROLE NONE",
	}
	for _, table := range r.unchecked {
		class := searchpath.Literal(table) + "::pg_catalog.regclass"
		statements = append(statements, "DO "+dollars("DECLARE\n\tname pg_catalog.name;\nBEGIN"+
			"\n\tFOR name IN SELECT g.tgname FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = "+class+" AND g.tgisinternal AND g.tgenabled <> 'O' LOOP"+
			"\n\t\tEXECUTE pg_catalog.format('ALTER TABLE ONLY %s ENABLE TRIGGER %I', "+class+", name);"+
			"\n\tEND LOOP;\nEND"))
	}
	return statements
}
