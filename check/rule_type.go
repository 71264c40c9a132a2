package check

import "github.com/cotenant/cotenant/check/internal/syntax"

func typeRules() []rule {
	return []rule{
		{
			Rule{
				Name: "enum-value-in-same-transaction", Severity: Error,
				About:  "a value that ALTER TYPE … ADD VALUE adds, and a use of it in the same transaction",
				Reason: `PostgreSQL refuses the use ("unsafe use of new value"), so that the migration fails in every schema`,
				Cure:   "use the value in the next migration (an app without a schema.sql then needs one: a new tenant gets all migrations in one transaction); a type that is new has it in CREATE TYPE",
			}, inUp, enumValue,
		},
	}
}

func enumValue(v *visit) {
	if !v.inTransaction() || v.node.Is("AlterEnumStmt") {
		return
	}
	for _, before := range v.file.statements[:v.at] {
		for _, n := range before.nodes {
			enum := syntax.NameOf(n.Strings("typeName"))
			if !n.Is("AlterEnumStmt") || n.Text("newVal") == "" || n.Text("oldVal") != "" {
				continue
			}
			if v.uses(enum, n.Text("newVal")) {
				v.report("value '%s' of type %q is used in the transaction that adds it, in line %d", n.Text("newVal"), enum, before.Line)
				return
			}
		}
	}
}

// madeHere reports whether this file makes a type.
func (v *visit) madeHere(name syntax.Name) bool {
	t := v.here.types[v.here.own(name)]
	return t != nil && t.file == v.file
}

// uses reports whether the statement has a constant that is, or can be, a value of the
// type: it is cast to it, or the statement is on a table with a column of it.
func (v *visit) uses(enum syntax.Name, value string) bool {
	found, column := false, v.hasColumnOf(enum)
	v.node.Walk(func(n syntax.Node) bool {
		text, ok := n.Constant()
		if !ok || text != value {
			return true
		}
		if n.Is("TypeCast") {
			found = found || syntax.NameOf(n.Node("typeName").Strings("names")).Name == enum.Name
			return false
		}
		found = found || column
		return true
	})
	return found
}

// hasColumnOf reports whether the statement is on a table with a column of the type, or
// adds one.
func (v *visit) hasColumnOf(enum syntax.Name) bool {
	found := false
	v.node.Walk(func(n syntax.Node) bool {
		found = found || n.Is("ColumnDef") && syntax.NameOf(n.Node("typeName").Strings("names")).Name == enum.Name
		return true
	})
	for _, name := range v.node.Relations() {
		if o := v.here.table(name); o != nil {
			for _, c := range o.columns {
				found = found || c.typ.name == enum.Name || c.typ.name == enum.String()
			}
		}
	}
	return found
}
