package schemasync

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// Result is what a schema needs to be as a schema.sql has it.
type Result struct {
	// Missing are the statements to run, in the order of the file.
	Missing []sqlfile.Statement
	// Differs says what the schema has otherwise, or cannot get without a migration:
	// one sentence each.
	Differs []string
	// NotRun are the statements that do not run since what they are for was there before:
	// those that change rows, which are not compared, and those that change privileges or
	// owners, where these are not as they would be in a new schema.
	NotRun []sqlfile.Statement
	// Makes are the objects that Missing makes.
	Makes []catalog.Object
}

// Compare says what a schema that has objects lacks of the app. Apps that build on
// others come after them, once the schema has what those lacked: objects are those
// that the schema has when the app's turn comes. After the statements ran, another
// Compare has nothing missing unless a statement of the file did not do what it did
// in the scratch schema.
func (d *Definition) Compare(objects []catalog.Object) Result {
	c := d.comparison(objects)
	if c.isNew() {
		all := make([]sqlfile.Statement, len(d.steps))
		for i, s := range d.steps {
			all[i] = s.statement
		}
		return Result{Missing: all, Makes: c.makes(func(string) bool { return true })}
	}
	for i := range d.steps {
		s := &d.steps[i]
		if s.unit == i && len(d.units[i]) > 0 {
			c.decide(i)
		}
		c.run[i] = c.runs[s.unit] || len(d.units[s.unit]) == 0 && c.follows(s)
	}
	c.settings()
	for _, e := range d.objects {
		c.check(e)
	}
	c.surplus(objects)
	result := Result{Differs: c.differs, Makes: c.makes(func(key string) bool { return c.made[key] })}
	for i := range d.steps {
		switch s := &d.steps[i]; {
		case c.run[i]:
			result.Missing = append(result.Missing, s.statement)
		case s.rowsOnly(), s.accessOnly() && !c.granted(s):
			result.NotRun = append(result.NotRun, s.statement)
		}
	}
	return result
}

// comparison is one Compare in progress.
type comparison struct {
	*Definition

	has     map[string]catalog.Object // by the key that the app has for it
	kinds   map[string]catalog.Object // by what no two objects of a schema share, see space
	made    map[string]bool           // keys of objects that come to be in this sync
	runs    []bool                    // by unit
	run     []bool                    // by statement
	differs []string
}

func (d *Definition) comparison(objects []catalog.Object) *comparison {
	c := &comparison{
		Definition: d, made: map[string]bool{}, kinds: map[string]catalog.Object{},
		runs: make([]bool, len(d.steps)), run: make([]bool, len(d.steps)),
	}
	c.match(objects)
	for _, o := range objects {
		for _, s := range spaces(o) {
			c.kinds[s] = o
		}
	}
	return c
}

// makes are the objects of those keys, as they are in the end.
func (c *comparison) makes(made func(key string) bool) (objects []catalog.Object) {
	for _, e := range c.objects {
		if made(e.Key()) {
			objects = append(objects, e.Object)
		}
	}
	return objects
}

// isNew reports whether the schema has nothing of the app.
func (c *comparison) isNew() bool {
	makes := false
	for _, unit := range c.units {
		makes = makes || len(unit) > 0
		if slices.ContainsFunc(unit, c.there) {
			return false
		}
	}
	return makes
}

func (c *comparison) there(key string) bool {
	_, ok := c.has[key]
	return ok
}

func (c *comparison) differ(format string, args ...any) {
	c.differs = append(c.differs, fmt.Sprintf(format, args...))
}

// decide runs a unit if the schema lacks all that it makes and has what that needs.
func (c *comparison) decide(unit int) {
	var missing []expected
	for _, key := range c.units[unit] {
		if !c.there(key) {
			missing = append(missing, c.objects[c.index[key]])
		}
	}
	part := len(missing) < len(c.units[unit])
	missing = topmost(missing)
	if !part {
		c.create(unit, missing)
		return
	}
	for _, e := range missing {
		// What belongs to an object that is made now comes with it: a column that the
		// parent of a new partition has.
		if !c.made[e.Of] {
			c.differ("%s is in schema.sql and not in the schema", describe(e.Object))
		}
	}
}

// create runs a unit unless it would fail.
func (c *comparison) create(unit int, missing []expected) {
	for _, e := range missing {
		for _, s := range spaces(e.Object) {
			if other, ok := c.kinds[s]; ok && other.Key() != e.Key() && !e.unnamed {
				c.differ("%s is in schema.sql, and the schema has %s instead", describe(e.Object), describe(other))
				return
			}
		}
	}
	for _, key := range c.units[unit] {
		for _, need := range append([]string{c.objects[c.index[key]].Of}, c.needs[key]...) {
			if need != "" && !c.there(need) && !c.made[need] && c.makers[need].before(place{c.app, unit}) {
				c.differ("%s is in schema.sql and not in the schema, and needs %s, which the schema lacks", describe(missing[0].Object), need)
				return
			}
		}
	}
	c.runs[unit] = true
	for i, s := range c.steps {
		if c.steps[i].unit == unit {
			for _, key := range s.creates {
				c.made[key] = true
			}
		}
	}
}

// follows reports whether a statement that creates nothing runs because of what was
// created in this sync.
func (c *comparison) follows(s *step) bool {
	isMade := func(key string) bool { return c.made[key] }
	all := func(keys []string) bool {
		return len(keys) > 0 && !slices.ContainsFunc(keys, func(key string) bool { return !c.made[key] })
	}
	switch {
	case len(s.drops) > 0:
		return false // with what it drops, or not at all
	case len(s.changes) > 0:
		if !all(s.changes) && slices.ContainsFunc(s.changes, isMade) {
			c.differ("the statement in line %d of schema.sql changes %s, which is there, and what is new: it does not run", s.statement.Line,
				s.changes[slices.IndexFunc(s.changes, func(key string) bool { return !c.made[key] })])
		}
		return all(s.changes)
	case len(s.access) > 0:
		return slices.ContainsFunc(s.access, isMade)
	}
	return all(s.writes)
}

// settings runs SET where a later statement runs.
func (c *comparison) settings() {
	later := false
	for i := len(c.steps) - 1; i >= 0; i-- {
		if c.steps[i].setting() {
			c.run[i] = later
		} else {
			later = later || c.run[i]
		}
	}
}

// check compares an object that the schema has.
func (c *comparison) check(e expected) {
	o, ok := c.has[e.Key()]
	if !ok || c.made[e.Key()] || slices.Contains(e.accepted, o.Definition) {
		return
	}
	c.differs = append(c.differs, difference(e.Object, o))
}

// surplus names the columns of the app's tables that no app has.
func (c *comparison) surplus(objects []catalog.Object) {
	for _, o := range objects {
		if o.Kind == catalog.Column && c.tables[o.Of] && !c.names[o.Key()] {
			c.differ("%s is in the schema and not in schema.sql", describe(o))
		}
	}
}

// topmost leaves out what belongs to others of the list.
func topmost(objects []expected) []expected {
	keys := map[string]bool{}
	for _, e := range objects {
		keys[e.Key()] = true
	}
	return slices.DeleteFunc(objects, func(e expected) bool { return keys[e.Of] })
}

// spaces are the names that an object takes, of which a schema has each once: a view
// cannot be created where a table has its name, nor an index where a constraint's has.
func spaces(o catalog.Object) []string {
	switch o.Kind {
	case catalog.Table, catalog.ForeignTable, catalog.View, catalog.MaterializedView:
		return []string{"relation " + o.Name, "type " + o.Name}
	case catalog.Sequence, catalog.Index:
		return []string{"relation " + o.Name}
	case catalog.Type, catalog.Domain:
		return []string{"type " + o.Name}
	case catalog.Function, catalog.Procedure, catalog.Aggregate:
		return []string{"function " + o.Name}
	case catalog.Constraint:
		if _, table, ok := strings.Cut(o.Of, "table "); ok && hasIndex(o.Definition) {
			return []string{"relation " + strings.TrimPrefix(o.Name, table+".")}
		}
	default:
	}
	return nil
}

// hasIndex reports whether a constraint of that definition has an index of its name.
func hasIndex(definition string) bool {
	return slices.ContainsFunc([]string{"PRIMARY KEY", "UNIQUE", "EXCLUDE"}, func(word string) bool {
		return strings.HasPrefix(definition, word)
	})
}
