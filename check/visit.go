package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/check/internal/syntax"
	"github.com/cotenant/cotenant/migrate"
)

// visit is a rule at a statement.
type visit struct {
	*checker
	rule *rule
	file *file
	stmt *statement
	at   int         // of stmt in file
	node syntax.Node // the statement, or one within it
	here *state      // of the schema that the file is for, before the statement
}

// report adds a finding. What it returns can be changed until the rule is done.
func (v *visit) report(format string, args ...any) *Finding {
	f := v.finding(v.rule.Rule, v.file, v.stmt.Line, fmt.Sprintf(format, args...))
	v.found = append(v.found, found{f, v.file, v.stmt})
	return &v.found[len(v.found)-1].Finding
}

// isOld reports whether a table has programs that use it: it was not made by this file.
// What is not known was made somewhere else.
func (v *visit) isOld(table syntax.Node) bool {
	if table.Text("relpersistence") == "t" || table.Text("schemaname") == "pg_temp" {
		return false
	}
	o := v.here.relation(table.Relation())
	return o == nil || o.file != v.file
}

// isFull reports whether a table that is old may have rows.
func (v *visit) isFull(table syntax.Node) bool {
	o := v.here.relation(table.Relation())
	return v.isOld(table) && (o == nil || o.emptied != v.file)
}

// isShared reports whether a name without a schema, in a tenant's file, means something of
// public: the tenant has none of that name.
func (v *visit) isShared(name syntax.Name) bool {
	return v.file.Tenant && name.Schema == "" && v.here.relation(name) == nil && v.public.relation(name) != nil
}

// isSharedOther is isShared for a type or a function.
func (v *visit) isSharedOther(what string, name syntax.Name) bool {
	if !v.file.Tenant || name.Schema != "" {
		return false
	}
	switch what {
	case "type":
		return v.here.types[name] == nil && v.here.relation(name) == nil && v.public.types[name] != nil
	case "function":
		return v.here.function(name) == nil && v.public.function(name) != nil
	}
	return false
}

// isTenants reports whether a name in a shared file means something that only tenants have.
func (v *visit) isTenants(name syntax.Name) bool {
	if v.file.Tenant {
		return false
	}
	name = v.public.own(name)
	return name.Schema == "" && v.here.relation(name) == nil && v.public.relation(name) == nil && v.tenant.relation(name) != nil
}

// commands returns those of an ALTER TABLE on a table, nothing for other statements.
func (v *visit) commands() (table syntax.Node, commands []syntax.Node) {
	if !v.node.Is("AlterTableStmt") || v.node.Text("objtype") != "OBJECT_TABLE" {
		return syntax.Node{}, nil
	}
	return v.node.Node("relation"), v.node.Nodes("cmds")
}

// added is a constraint that a statement adds to a table, or to a new column of it.
type added struct {
	syntax.Node
	table  syntax.Node
	column syntax.Node // zero if the constraint stands for itself
}

// added returns the constraints that the statement adds to tables with rows.
func (v *visit) added() []added {
	table, commands := v.commands()
	if commands == nil || !v.isFull(table) {
		return nil
	}
	var all []added
	for _, cmd := range commands {
		def := cmd.Node("def")
		switch cmd.Text("subtype") {
		case "AT_AddConstraint":
			all = append(all, added{Node: def, table: table})
		case "AT_AddColumn":
			for _, k := range def.Nodes("constraints") {
				all = append(all, added{Node: k, table: table, column: def})
			}
		}
	}
	return all
}

// hasDefault reports whether a column's definition fills the rows that there are.
func hasDefault(column syntax.Node) bool {
	return slices.ContainsFunc(column.Nodes("constraints"), func(k syntax.Node) bool {
		null := k.Node("raw_expr").Is("A_Const") && k.Node("raw_expr").True("isnull")
		return is(k, "CONSTR_DEFAULT") && !null || is(k, "CONSTR_GENERATED", "CONSTR_IDENTITY")
	}) || newColumnType(column.Node("typeName")).serial
}

// named is a constraint in a message: its name, or else what it is.
func (a added) named(kind string) string {
	if name := a.Text("conname"); name != "" {
		return fmt.Sprintf("%s %q", kind, name)
	}
	return "a " + kind
}

// quotedNames is a list of names in a message.
func quotedNames[S ~[]E, E fmt.Stringer](names S) string {
	var texts []string
	for _, n := range names {
		texts = append(texts, fmt.Sprintf("%q", n.String()))
	}
	return strings.Join(texts, ", ")
}

// finding makes one of a rule.
func (c *checker) finding(r Rule, f *file, line int, message string) Finding {
	made := Finding{Rule: r.Name, Severity: r.Severity, App: f.App, File: f.Path, Line: line, Message: message, Reason: r.Reason, Cure: r.Cure}
	if f.Program {
		made.File, made.Message = "", f.Path+": "+message
	}
	return made
}

// inTransaction reports whether the statements of the file share one.
func (v *visit) inTransaction() bool { return v.file.Transaction && v.file.Kind != migrate.KindSchema }
