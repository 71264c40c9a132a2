package check

import (
	"maps"
	"slices"

	"github.com/cotenant/cotenant/check/internal/syntax"
)

// state is what files have made so far of one schema: public's by shared apps, or a
// tenant's. What Go migrations, functions and dynamic SQL make is not in it.
type state struct {
	// schema is what it is called when it is named: public, or nothing for a tenant's,
	// which has another name for each.
	schema string
	// relations are tables, views, sequences and indexes, which share their names; types
	// those that are no table's.
	relations, types map[syntax.Name]*object
	functions        map[syntax.Name]*routine
	// schemas are others that the files make.
	schemas map[string]bool
	// extensions is whether they make one, which can bring a schema of its own.
	extensions bool
}

// object is a relation or a type.
type object struct {
	kind        string // table, view, materialized view, sequence, index, type
	app         string
	file        *file // that made it
	emptied     *file // that last took all rows out
	columns     map[string]column
	constraints map[string]constraint
	partitioned bool
	// indexed are the columns that an index has in their own collation, by the index's name.
	indexed map[string][]string
	// byDefault is the DEFAULT partition, nothing without one that is known.
	byDefault syntax.Name
	domain    *domain // of a type that is one
}

type column struct {
	typ     columnType
	notNull bool
}

// constraint is one of a table.
type constraint struct {
	file    *file // that added it
	valid   bool
	notNull []string // the columns that it has be not null, for certain
	check   bool
}

// routine is a function.
type routine struct {
	app      string
	volatile bool
	// names are those that its body has in no schema, and looks for when it runs, on the
	// path of whoever calls it.
	names []syntax.Name
}

func newState(schema string) *state {
	return &state{
		schema: schema, relations: map[syntax.Name]*object{}, types: map[syntax.Name]*object{},
		functions: map[syntax.Name]*routine{}, schemas: map[string]bool{},
	}
}

// clone is a state that can go another way.
func (s *state) clone() *state {
	c := *s
	c.relations, c.types = cloneObjects(s.relations), cloneObjects(s.types)
	c.functions, c.schemas = maps.Clone(s.functions), maps.Clone(s.schemas)
	return &c
}

func cloneObjects(objects map[syntax.Name]*object) map[syntax.Name]*object {
	c := make(map[syntax.Name]*object, len(objects))
	for name, o := range objects {
		one := *o
		one.columns, one.constraints, one.indexed = maps.Clone(o.columns), maps.Clone(o.constraints), maps.Clone(o.indexed)
		if o.domain != nil {
			d := *o.domain
			d.checks = maps.Clone(d.checks)
			one.domain = &d
		}
		c[name] = &one
	}
	return c
}

// own is how a name of this schema stands in the maps.
func (s *state) own(name syntax.Name) syntax.Name {
	if name.Schema == s.schema {
		name.Schema = ""
	}
	return name
}

// relation finds a table, a view, a sequence or an index, nil if it is not known.
func (s *state) relation(name syntax.Name) *object { return s.relations[s.own(name)] }

// temporary is the kind of tables that are gone when a file ends.
const temporary = "temporary table"

// end is the end of a file.
func (s *state) end() {
	maps.DeleteFunc(s.relations, func(_ syntax.Name, o *object) bool { return o.kind == temporary })
}

// table finds a table.
func (s *state) table(name syntax.Name) *object {
	if o := s.relation(name); o != nil && o.kind == "table" {
		return o
	}
	return nil
}

// function finds one by its name, whatever its arguments.
func (s *state) function(name syntax.Name) *routine { return s.functions[s.own(name)] }

// isNotNull reports whether a column has no nulls for certain, and does not need to be
// looked at: by itself or by a constraint.
func (o *object) isNotNull(name string) bool {
	if o.columns[name].notNull {
		return true
	}
	for _, c := range o.constraints {
		if c.valid && slices.Contains(c.notNull, name) {
			return true
		}
	}
	return false
}
