package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cotenant/cotenant/check/internal/syntax"
)

// columnType is the type of a column, as PostgreSQL calls it: int4, and not integer.
type columnType struct {
	name      string // empty where it is not known
	modifiers []int  // varchar(20), numeric(10, 2)
	array     bool
	serial    bool // int2, int4 or int8 with a sequence
	collation string
}

func newColumnType(n syntax.Node) columnType {
	parts := n.Strings("names")
	if len(parts) == 0 {
		return columnType{}
	}
	if len(parts) > 1 && (parts[0] == "pg_catalog" || parts[0] == "public") {
		parts = parts[1:]
	}
	t := columnType{name: strings.Join(parts, "."), array: len(n.Nodes("arrayBounds")) > 0}
	for _, m := range n.Nodes("typmods") {
		t.modifiers = append(t.modifiers, m.Node("ival").Int("ival"))
	}
	if integer, ok := map[string]string{
		"smallserial": "int2", "serial2": "int2", "serial": "int4", "serial4": "int4", "bigserial": "int8", "serial8": "int8",
	}[t.name]; ok {
		t.name, t.serial = integer, true
	}
	if alias, ok := map[string]string{
		"int": "int4", "integer": "int4", "bigint": "int8", "smallint": "int2", "boolean": "bool", "decimal": "numeric",
	}[t.name]; ok {
		t.name = alias
	}
	return t
}

// newTypeOf is the type that a column's definition has, with its collation.
func newTypeOf(definition syntax.Node) columnType {
	t := newColumnType(definition.Node("typeName"))
	if collation := syntax.NameOf(definition.Node("collClause").Strings("collname")).Name; collation != "default" {
		t.collation = collation
	}
	return t
}

// collationName is the collation in a message.
func (t columnType) collationName() string {
	if t.collation == "" {
		return "the default"
	}
	return strconv.Quote(t.collation)
}

// named is the type's name in the maps of a state.
func (t columnType) named() syntax.Name { return syntax.NameOf(strings.Split(t.name, ".")) }

func (t columnType) String() string {
	text := t.name
	if known, ok := map[string]string{
		"int2": "smallint", "int4": "integer", "int8": "bigint", "bool": "boolean", "bpchar": "char", "float4": "real", "float8": "double precision",
	}[t.name]; ok {
		text = known
	}
	if len(t.modifiers) > 0 {
		var m []string
		for _, n := range t.modifiers {
			m = append(m, fmt.Sprint(n))
		}
		text += "(" + strings.Join(m, ", ") + ")"
	}
	if t.array {
		text += "[]"
	}
	return text
}

// rewrites reports whether a table is rewritten when a column of type t becomes one of
// type to: where PostgreSQL has to convert the values, or to look at them. Where t is not
// known, it says so for types that hardly anything becomes without.
//
// The rules are those of ATColumnChangeRequiresRewrite, of the casts without a function,
// and of the length coercions that their support functions take out.
func (t columnType) rewrites(to columnType) bool {
	if t.name == "" {
		return !to.isText() || len(to.modifiers) > 0
	}
	if t.array != to.array {
		return true
	}
	if t.array { // its elements are converted one by one
		return t.name != to.name || len(to.modifiers) > 0 && !slices.Equal(t.modifiers, to.modifiers)
	}
	if t.name == to.name {
		return t.shrinks(to)
	}
	from := t.name
	switch to.name {
	case "text", "varchar", "citext":
		return !t.isText() || len(to.modifiers) > 0
	case "inet":
		return from != "cidr"
	case "varbit":
		return from != "bit"
	case "oid", "regclass", "regproc", "regtype":
		return !slices.Contains([]string{"oid", "int4", "regclass", "regproc", "regtype"}, from)
	}
	return true
}

func (t columnType) isText() bool {
	return slices.Contains([]string{"text", "varchar", "citext"}, t.name)
}

// shrinks reports whether values of a type may not fit the same type with other modifiers,
// or must be brought into its form.
func (t columnType) shrinks(to columnType) bool {
	switch {
	case slices.Equal(t.modifiers, to.modifiers):
		return false
	case len(to.modifiers) == 0:
		return t.name == "bpchar" || t.name == "bit"
	case t.name == "varchar" || t.name == "varbit":
		return len(t.modifiers) == 0 || to.modifiers[0] < t.modifiers[0]
	case t.name == "numeric":
		scale := func(m []int) int {
			if len(m) > 1 {
				return m[1]
			}
			return 0
		}
		return len(t.modifiers) == 0 || to.modifiers[0] < t.modifiers[0] || scale(to.modifiers) != scale(t.modifiers)
	case slices.Contains([]string{"time", "timetz", "timestamp", "timestamptz", "interval"}, t.name):
		precision := t.modifiers
		return len(precision) == 0 && to.modifiers[0] < 6 || len(precision) > 0 && to.modifiers[0] < precision[0]
	}
	return true
}
