package check

import (
	"slices"

	"github.com/cotenant/cotenant/check/internal/syntax"
)

func constraintRules() []rule {
	return []rule{
		{
			Rule{
				Name: "foreign-key-scans", Severity: Error,
				About:  "a foreign key added to a table that is in use, without NOT VALID",
				Reason: "every row is looked up while nobody can write to either table",
				Cure:   "add it NOT VALID, which holds for new rows, and VALIDATE CONSTRAINT in the next migration",
			}, inUp, foreignKeyScans,
		},
		{
			Rule{
				Name: "check-scans", Severity: Error,
				About:  "a check added to a table that is in use, or to its domain, without NOT VALID",
				Reason: "every row is looked at while nobody can use the table",
				Cure:   "add it NOT VALID, which holds for new rows, and VALIDATE CONSTRAINT in the next migration",
			}, inUp, checkScans,
		},
		{
			Rule{
				Name: "attach-scans", Severity: Warning,
				About:  "a partition that becomes one with rows and without a check, or beside a DEFAULT one",
				Reason: "every row of it is looked at while nobody can use it, unless a valid check says that they are within the bounds",
				Cure:   "give it a CHECK with the bounds first (NOT VALID, and VALIDATE CONSTRAINT in the next migration), and drop that when it is attached",
			}, inUp, attachScans,
		},
		{
			Rule{
				Name: "validates-in-same-transaction", Severity: Error,
				About:  "VALIDATE CONSTRAINT in the transaction that adds the constraint",
				Reason: "what ADD CONSTRAINT locks stays locked while the rows are looked at, as without NOT VALID",
				Cure:   "VALIDATE CONSTRAINT in the next migration",
			}, inUp, validatesAtOnce,
		},
		{
			Rule{
				Name: "constraint-builds-index", Severity: Error,
				About:  "UNIQUE, PRIMARY KEY or EXCLUDE added to a table that is in use",
				Reason: "its index is built while nobody can use the table",
				Cure:   "CREATE UNIQUE INDEX CONCURRENTLY, and in the next migration ADD CONSTRAINT … USING INDEX (for EXCLUDE there is no such way: make a new table)",
			}, inUp, constraintBuildsIndex,
		},
	}
}

func foreignKeyScans(v *visit) {
	for _, k := range v.added() {
		// A new column has nulls alone, which refer to nothing: PostgreSQL knows that.
		if !is(k.Node, "CONSTR_FOREIGN") || k.True("skip_validation") || k.column.Exists() && !hasDefault(k.column) {
			continue
		}
		f := v.report("%s of %q to %q is checked for every row", k.named("foreign key"), k.table.Relation(), k.Node.Node("pktable").Relation())
		if columns := k.Strings("fk_attrs"); len(columns) == 1 && v.addsColumn(columns[0]) {
			f.Cure = "write REFERENCES at the new column, in ADD COLUMN: PostgreSQL then knows that there is nothing to check; or add it NOT VALID, and VALIDATE CONSTRAINT in the next migration"
		}
	}
}

// addsColumn reports whether the statement adds a column, which it does not fill.
func (v *visit) addsColumn(name string) bool {
	_, commands := v.commands()
	return slices.ContainsFunc(commands, func(cmd syntax.Node) bool {
		column := cmd.Node("def")
		return cmd.Text("subtype") == "AT_AddColumn" && column.Text("colname") == name && !hasDefault(column)
	})
}

func checkScans(v *visit) {
	if k := v.node.Node("def"); v.node.Is("AlterDomainStmt") && is(k, "CONSTR_CHECK") && !k.True("skip_validation") {
		name := syntax.NameOf(v.node.Strings("typeName"))
		if tables := v.scansOf(name); tables != "" {
			f := v.report("%s of domain %q is checked for every row of %s", added{Node: k}.named("check"), name, tables)
			f.Reason = "every row is looked at while nobody can write to the tables"
			f.Cure = "add it NOT VALID, which holds for new values, and VALIDATE CONSTRAINT in the next migration (before PostgreSQL 18 that keeps writers out, too)"
		}
		return
	}
	for _, k := range v.added() {
		if is(k.Node, "CONSTR_CHECK") && !k.True("skip_validation") {
			v.report("%s of %q is checked for every row", k.named("check"), k.table.Relation())
		}
	}
}

func attachScans(v *visit) {
	table, commands := v.commands()
	if v.node.Is("CreateStmt") && v.node.Node("partbound").Exists() {
		for _, parent := range v.node.Nodes("inhRelations") {
			v.scansDefault(parent, v.node.Node("relation"), v.node.Node("partbound"))
		}
	}
	for _, cmd := range commands {
		if cmd.Text("subtype") == "AT_AttachPartition" {
			v.scansDefault(table, cmd.Node("def").Node("name"), cmd.Node("def").Node("bound"))
		}
		child := cmd.Node("def").Node("name")
		if cmd.Text("subtype") != "AT_AttachPartition" || !v.isFull(child) {
			continue
		}
		if o := v.here.table(child.Relation()); o != nil && !hasValidCheck(o) {
			v.report("every row of %q is looked at when it becomes a partition", child.Relation())
		}
	}
}

// scansDefault tells of a DEFAULT partition in which there may be rows for a new one.
func (v *visit) scansDefault(parent, child, bound syntax.Node) {
	o := v.here.table(parent.Relation())
	if o == nil || bound.True("is_default") || v.here.table(child.Relation()) != nil && v.node.Is("CreateStmt") {
		return
	}
	d := v.here.table(o.byDefault)
	if d == nil || d.file == v.file || d.emptied == v.file || hasValidCheck(d) {
		return
	}
	f := v.report("every row of %q, the DEFAULT partition of %q, is looked at when %q becomes one", o.byDefault, parent.Relation(), child.Relation())
	f.Reason = "nobody can use the DEFAULT partition meanwhile, unless a valid check says that its rows are not within the bounds"
	f.Cure = "give it a CHECK that leaves the bounds out first (NOT VALID, and VALIDATE CONSTRAINT in the next migration), and drop that afterwards; or allow this rule where the DEFAULT partition is always empty"
}

// hasValidCheck reports whether a table has a check that all its rows are known to meet.
// Whether that says what a partition's bounds do is not looked at.
func hasValidCheck(o *object) bool {
	for _, c := range o.constraints {
		if c.check && c.valid {
			return true
		}
	}
	return false
}

func validatesAtOnce(v *visit) {
	table, commands := v.commands()
	if !v.inTransaction() || commands == nil || !v.isFull(table) {
		return
	}
	var added []string // by this statement
	for _, cmd := range commands {
		if cmd.Text("subtype") == "AT_AddConstraint" {
			added = append(added, cmd.Node("def").Text("conname"))
		}
	}
	o := v.here.table(table.Relation())
	for _, cmd := range commands {
		name := cmd.Text("name")
		here := slices.Contains(added, name) || o != nil && o.constraints[name].file == v.file
		if cmd.Text("subtype") == "AT_ValidateConstraint" && here {
			v.report("constraint %q of %q is validated in the transaction that adds it", name, table.Relation())
		}
	}
}

func constraintBuildsIndex(v *visit) {
	for _, k := range v.added() {
		kind := ""
		switch k.Text("contype") {
		case "CONSTR_UNIQUE":
			kind = "unique constraint"
		case "CONSTR_PRIMARY":
			kind = "primary key"
		case "CONSTR_EXCLUSION":
			kind = "exclusion constraint"
		}
		if kind != "" && k.Text("indexname") == "" {
			v.report("the index of %s of %q is built while nobody can use the table", k.named(kind), k.table.Relation())
		}
	}
}
