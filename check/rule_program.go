package check

import (
	"fmt"
	"slices"

	"github.com/cotenant/cotenant/check/internal/syntax"
)

func programRules() []rule {
	return []rule{
		{
			Rule{
				Name: "drop-breaks-programs", Severity: Warning,
				About:  "DROP of a table or a column that is in use, or of its type with CASCADE",
				Reason: "programs that still run, and those of a roll-back, fail on it; with many schemas both states last for as long as the run",
				Cure:   "release a program that does not use it first, and allow this rule here when it has",
			}, inUp, dropBreaks,
		},
		{
			Rule{
				Name: "rename-breaks-programs", Severity: Warning,
				About:  "a new name for a table, a view, a column or a value of a type that is in use",
				Reason: "programs that know it by the old name fail; with many schemas both names last for as long as the run",
				Cure:   "add the new one beside the old one (for a table, a view of the old name), and drop the old one when no program uses it",
			}, inUp, renameBreaks,
		},
		{
			Rule{
				Name: "deletes-all-rows", Severity: Warning,
				About:  "a tenant app that empties a table that is in use: TRUNCATE, or DELETE without WHERE",
				Reason: "every tenant loses its rows, in every schema, and the way back does not bring them",
				Cure:   "say which rows with WHERE, or copy them first; allow this rule here where they are of no worth, such as a cache's",
			}, inUp, deletesAll,
		},
	}
}

func dropBreaks(v *visit) {
	if v.node.Is("DropStmt") && v.node.Text("removeType") == "OBJECT_TABLE" {
		for _, name := range dropped(v.node) {
			if o := v.here.relation(name); o != nil && o.file != v.file || o == nil && !v.node.True("missing_ok") && !v.isShared(name) {
				v.report("table %q is dropped", name)
			}
		}
		return
	}
	if v.node.Is("DropStmt") && otherKind(v.node.Text("removeType")) == "type" && v.node.Text("behavior") == "DROP_CASCADE" {
		v.dropsColumns()
		return
	}
	table, commands := v.commands()
	if commands == nil || !v.isOld(table) {
		return
	}
	o := v.here.table(table.Relation())
	for _, cmd := range commands {
		name := cmd.Text("name")
		if cmd.Text("subtype") != "AT_DropColumn" {
			continue
		}
		if o != nil && cmd.True("missing_ok") {
			if _, there := o.columns[name]; !there {
				continue
			}
		}
		v.report("column %q of %q is dropped", name, table.Relation())
	}
}

// dropsColumns tells of the columns that go with their type.
func (v *visit) dropsColumns() {
	for _, name := range dropped(v.node) {
		uses, known := v.usesOfOld(name)
		for _, u := range uses {
			f := v.report("column %q of %q is dropped, with its type %q", u.column, u.table, name)
			f.Reason = "what it has is lost; " + f.Reason
		}
		if !known && !v.node.True("missing_ok") {
			f := v.report("type %q is dropped, with all columns that have it", name)
			f.Reason = "what they have is lost; " + f.Reason
		}
	}
}

func renameBreaks(v *visit) {
	table := v.node.Node("relation")
	if v.node.Is("AlterEnumStmt") {
		if enum := syntax.NameOf(v.node.Strings("typeName")); v.node.Text("oldVal") != "" && !v.madeHere(enum) {
			v.report("value '%s' of type %q is renamed to '%s'", v.node.Text("oldVal"), enum, v.node.Text("newVal"))
		}
		return
	}
	if !v.node.Is("RenameStmt") {
		return
	}
	var what string
	switch v.node.Text("renameType") {
	case "OBJECT_TABLE":
		what = fmt.Sprintf("table %q", table.Relation())
	case "OBJECT_VIEW":
		what = fmt.Sprintf("view %q", table.Relation())
	case "OBJECT_COLUMN":
		what = fmt.Sprintf("column %q of %q", v.node.Text("subname"), table.Relation())
	default:
		return
	}
	if v.isOld(table) && v.here.kindOf(table) != "index" {
		v.report("%s is renamed to %q", what, v.node.Text("newname"))
	}
}

func deletesAll(v *visit) {
	var tables []syntax.Node
	switch {
	case !v.file.Tenant:
	case v.node.Is("TruncateStmt"):
		tables = v.node.Nodes("relations")
	case v.node.Is("DeleteStmt") && !v.node.Node("whereClause").Exists() && len(v.node.Nodes("usingClause")) == 0:
		tables = []syntax.Node{v.node.Node("relation")}
	}
	for _, table := range tables {
		name := table.Relation()
		if v.isFull(table) && !v.isShared(name) && !v.isCopied(name) {
			v.report("every row of %q is deleted, in every tenant's schema", name)
		}
	}
}

// isCopied reports whether the file has read a table's rows into another one before.
func (v *visit) isCopied(name syntax.Name) bool {
	for _, before := range v.file.statements[:v.at] {
		for _, n := range before.nodes {
			if n.Is("InsertStmt", "CreateTableAsStmt", "MergeStmt", "UpdateStmt") && slices.Contains(n.Relations(), name) && n.Node("relation").Relation() != name {
				return true
			}
		}
	}
	return false
}
