package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/check/internal/syntax"
)

// unnamed begins the name of what PostgreSQL names, in the maps of a table.
const unnamed = " "

// addIndex notes which columns an index of the table has in their own collation.
func (o *object) addIndex(name string, elements []syntax.Node) {
	var columns []string
	for _, e := range elements {
		if len(e.Strings("collation")) == 0 && e.Text("name") != "" {
			columns = append(columns, e.Text("name"))
		}
	}
	o.addIndexOf(name, columns)
}

func (o *object) addIndexOf(name string, columns []string) {
	if name == "" {
		name = unnamed + strings.Join(columns, " ")
	}
	if _, there := o.indexed[name]; !there && len(columns) > 0 {
		o.indexed[name] = columns
	}
}

// addIndexFor notes the index of a constraint. One that it takes over has its name from
// then on.
func (o *object) addIndexFor(k syntax.Node) {
	switch index := k.Text("indexname"); {
	case index != "" && k.Text("conname") != "":
		o.renameIndex(index, k.Text("conname"))
	case is(k, "CONSTR_PRIMARY", "CONSTR_UNIQUE"):
		o.addIndexOf(k.Text("conname"), k.Strings("keys"))
	}
}

func (o *object) renameIndex(from, to string) {
	if columns, ok := o.indexed[from]; ok {
		delete(o.indexed, from)
		o.indexed[to] = columns
	}
}

// dropIndex takes an index out. A name that is not known can be that of any index that
// PostgreSQL has named.
func (o *object) dropIndex(name string) {
	if _, known := o.indexed[name]; known {
		delete(o.indexed, name)
		return
	}
	maps.DeleteFunc(o.indexed, func(name string, _ []string) bool { return strings.HasPrefix(name, unnamed) })
}

// dropIndex takes an index out, whichever table's it is.
func (s *state) dropIndex(name string) {
	for _, o := range s.relations {
		if _, known := o.indexed[name]; known {
			delete(o.indexed, name)
			return
		}
	}
	for _, o := range s.relations {
		o.dropIndex(name)
	}
}

// dropColumn takes a column out, and with it the indexes that have it.
func (o *object) dropColumn(name string) {
	delete(o.columns, name)
	maps.DeleteFunc(o.indexed, func(_ string, columns []string) bool { return slices.Contains(columns, name) })
}

// renameColumn gives a column another name.
func (o *object) renameColumn(from, to string) {
	o.columns[to] = o.columns[from]
	delete(o.columns, from)
	for index, columns := range o.indexed {
		if i := slices.Index(columns, from); i >= 0 {
			o.indexed[index] = slices.Replace(slices.Clone(columns), i, i+1, to)
		}
	}
}

// isIndexed reports whether an index has a column in the column's own collation.
func (o *object) isIndexed(column string) bool {
	for _, columns := range o.indexed {
		if slices.Contains(columns, column) {
			return true
		}
	}
	return false
}
