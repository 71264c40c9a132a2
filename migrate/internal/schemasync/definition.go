package schemasync

import (
	"slices"
	"strings"

	"github.com/cotenant/cotenant/internal/catalog"
)

// Definition is what the statements of an app make. It is not changed once it is
// made, so it is safe for concurrent use.
type Definition struct {
	app     int
	steps   []step
	units   [][]string          // by the first statement of a unit: what is there of it in the end
	objects []expected          // that the statements created or changed, in the order of the catalog
	index   map[string]int      // into objects
	names   map[string]bool     // keys of all objects of all apps
	tables  map[string]bool     // keys of the app's own tables
	needs   map[string][]string // of the app's objects
	makers  map[string]place    // who makes each object of all apps
}

// expected is an object as it should be in a schema.
type expected struct {
	catalog.Object

	// accepted are the definitions that are right: the app's, and those that later
	// apps made of it.
	accepted []string
	// unnamed: the statement does not name it, PostgreSQL did.
	unnamed bool
}

// define makes the Definition of an app out of what is there in the end.
func (l *learner) define(app int, objects []catalog.Object, needs map[string][]string) *Definition {
	d := &Definition{
		app: app, steps: l.apps[app], index: map[string]int{}, names: map[string]bool{}, tables: map[string]bool{},
		needs: needs, makers: l.creators,
	}
	d.unite()
	d.units = make([][]string, len(d.steps))
	changed := map[string]bool{}
	for _, s := range d.steps {
		for _, key := range s.changes {
			changed[key] = true
		}
	}
	for _, o := range objects {
		key := o.Key()
		d.names[key] = true
		maker := l.creators[key]
		own := maker.app == app
		if !own && !changed[key] {
			continue
		}
		e := expected{Object: o}
		for _, end := range l.ends[app:] {
			if state, ok := end[key]; ok && !slices.Contains(e.accepted, state.Definition) {
				e.accepted = append(e.accepted, state.Definition)
			}
		}
		if own {
			s := &d.steps[maker.statement]
			d.units[s.unit] = append(d.units[s.unit], key)
			d.tables[key] = o.Kind == catalog.Table
			e.unnamed = isUnnamed(o, s.statement.Text)
		}
		d.index[key] = len(d.objects)
		d.objects = append(d.objects, e)
	}
	return d
}

// unite puts a statement that drops something, or renames it, into the unit of the
// statement that made it.
func (d *Definition) unite() {
	makers := map[string]int{}
	for i := range d.steps {
		s := &d.steps[i]
		s.unit = i
		for _, key := range s.drops {
			if maker, ok := makers[key]; ok {
				d.join(d.steps[maker].unit, s.unit)
			}
		}
		for _, key := range s.creates {
			makers[key] = i
		}
	}
}

// join makes one unit of two; it goes by its first statement.
func (d *Definition) join(a, b int) {
	first := min(a, b)
	for i := range d.steps {
		if unit := &d.steps[i].unit; *unit == a || *unit == b {
			*unit = first
		}
	}
}

// isUnnamed reports whether PostgreSQL chose the name of o, which the statement with
// that text makes.
func isUnnamed(o catalog.Object, text string) bool {
	name := o.Name
	switch o.Kind {
	case catalog.Constraint:
		_, table, _ := strings.Cut(o.Of, " ") // of "table things"
		name = strings.TrimPrefix(name, table+".")
	case catalog.Sequence:
		if o.Of == "" {
			return false
		}
	case catalog.Index, catalog.Statistics:
	default:
		return false
	}
	name = strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`)
	return !strings.Contains(strings.ToLower(text), strings.ToLower(name))
}
