package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/check/internal/syntax"
)

func columnRules() []rule {
	return []rule{
		{
			Rule{
				Name: "column-rewrites-table", Severity: Error,
				About:  "a new column whose values must be worked out: by a volatile default, GENERATED … STORED, serial, an identity, or a domain with constraints",
				Reason: "the table is written anew while nobody can read it (a constant, or now(), costs nothing)",
				Cure:   "add the column without, set the default for new rows, and fill the old ones in batches",
			}, inUp, columnRewrites,
		},
		{
			Rule{
				Name: "not-null-without-default", Severity: Error,
				About:  "a new column NOT NULL without a default",
				Reason: "it fails in every schema where the table has rows",
				Cure:   "give it a default, which costs nothing if it is a constant; or add it without NOT NULL, and fill it first",
			}, inUp, notNullWithoutDefault,
		},
		{
			Rule{
				Name: "not-null-scans", Severity: Error,
				About:  "SET NOT NULL without a constraint that proves it, also of a domain",
				Reason: "the whole table is read while nobody can use it",
				Cure:   "ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID; then, in the next migration, VALIDATE CONSTRAINT, SET NOT NULL and DROP CONSTRAINT",
			}, inUp, notNullScans,
		},
		{
			Rule{
				Name: "type-change-rewrites", Severity: Error,
				About:  "a change of a column's type that converts the values, or of its collation where an index has it",
				Reason: "the table and its indexes are written anew while nobody can use it",
				Cure:   "add a column of the new type, write to both, fill the old rows in batches, and change over; varchar to text or to more characters, and numeric to more digits, cost nothing",
			}, inUp, typeChangeRewrites,
		},
	}
}

func columnRewrites(v *visit) {
	table, commands := v.commands()
	if commands == nil || !v.isFull(table) {
		return
	}
	for _, cmd := range commands {
		if cmd.Text("subtype") != "AT_AddColumn" {
			continue
		}
		column := cmd.Node("def")
		if why := v.worksOut(column); why != "" {
			f := v.report("column %q of %q is worked out for every row: %s", column.Text("colname"), table.Relation(), why)
			if v.isConstrained(column) {
				f.Cure = "give the column the type that the domain is made of, and what the domain asks as a constraint NOT VALID, with VALIDATE CONSTRAINT in the next migration"
			}
		}
	}
}

// worksOut says why the values of a new column differ from row to row; it is empty where
// they do not.
func (v *visit) worksOut(column syntax.Node) string {
	if newColumnType(column.Node("typeName")).serial {
		return "it is a serial"
	}
	if v.isConstrained(column) {
		if !v.isFilled(column) && v.domain(newColumnType(column.Node("typeName"))).notNull { // it fails
			return ""
		}
		return fmt.Sprintf("its type %q is a domain with constraints", newColumnType(column.Node("typeName")))
	}
	if v.isFilledByDomain(column) {
		for _, f := range v.domain(newColumnType(column.Node("typeName"))).filled.Calls() {
			if v.isVolatile(f) {
				return "the default of its type, " + f.String() + "(), is volatile"
			}
		}
	}
	for _, k := range column.Nodes("constraints") {
		switch {
		case is(k, "CONSTR_IDENTITY"):
			return "it is an identity"
		case is(k, "CONSTR_GENERATED") && k.Text("generated_kind") != "v":
			return "it is GENERATED … STORED"
		case is(k, "CONSTR_DEFAULT"):
			for _, f := range k.Node("raw_expr").Calls() {
				if v.isVolatile(f) {
					return "its default " + f.String() + "() is volatile"
				}
			}
		}
	}
	return ""
}

// isConstrained reports whether a column is of a domain that does not take every value.
// PostgreSQL then writes the table anew, whatever the default is (ATExecAddColumn).
func (v *visit) isConstrained(column syntax.Node) bool {
	d := v.domain(newColumnType(column.Node("typeName")))
	return d.notNull || len(d.checks) > 0
}

// isFilled reports whether the rows that there are get a value for a new column.
func (v *visit) isFilled(column syntax.Node) bool {
	return hasDefault(column) || v.isFilledByDomain(column)
}

func (v *visit) isFilledByDomain(column syntax.Node) bool {
	own := slices.ContainsFunc(column.Nodes("constraints"), func(k syntax.Node) bool {
		return is(k, "CONSTR_DEFAULT", "CONSTR_GENERATED", "CONSTR_IDENTITY")
	})
	return !own && v.domain(newColumnType(column.Node("typeName"))).filled.Exists()
}

// isVolatile reports whether a function gives another value for each row. Of functions
// that no file makes, it knows those of PostgreSQL and its extensions by their names.
func (v *visit) isVolatile(f syntax.Name) bool {
	for _, s := range []*state{v.here, v.public} {
		if r := s.function(f); r != nil {
			return r.volatile
		}
	}
	name := strings.ToLower(f.Name)
	return volatile.MatchString(name) && !ofName.MatchString(name)
}

var (
	volatile = regexp.MustCompile(`^(nextval|setval|random|random_normal|clock_timestamp|timeofday|gen_salt)$|uuid|ulid|nanoid|ksuid|snowflake|random_`)
	// ofName are those that make a UUID of a name, the same each time.
	ofName = regexp.MustCompile(`^uuid_(nil|ns_.*|generate_v[35])$|^uuidv?[35]$|^to_uuid`)
)

func notNullWithoutDefault(v *visit) {
	if table, commands := v.commands(); commands != nil && v.isFull(table) {
		for _, cmd := range commands {
			column := cmd.Node("def")
			named := newColumnType(column.Node("typeName"))
			if cmd.Text("subtype") == "AT_AddColumn" && v.domain(named).notNull && !v.isFilled(column) {
				v.report("column %q of %q is of type %q, a domain that is NOT NULL, and the rows that there are have no value for it", column.Text("colname"), table.Relation(), named)
			}
		}
	}
	for _, k := range v.added() {
		// A primary key that stands at the column is not null as well.
		if !k.column.Exists() || !is(k.Node, "CONSTR_NOTNULL", "CONSTR_PRIMARY") || v.isFilled(k.column) || v.domain(newColumnType(k.column.Node("typeName"))).notNull {
			continue
		}
		f := v.report("column %q of %q is NOT NULL, and the rows that there are have no value for it", k.column.Text("colname"), k.table.Relation())
		if (k.table.Relation() == syntax.Name{Schema: "cotenant", Name: "tenants"}) && !v.file.Tenant {
			f.Severity = Warning // the first migration of a project runs before there are any
			f.Reason = "it fails where there are tenants already"
		}
	}
}

func notNullScans(v *visit) {
	if v.node.Is("AlterDomainStmt") {
		name := syntax.NameOf(v.node.Strings("typeName"))
		if v.node.Text("subtype") != "O" {
			return
		}
		if tables := v.scansOf(name); tables != "" {
			f := v.report("%s: every row is searched for nulls of domain %q", tables, name)
			f.Reason = "the tables are read while nobody can write to them"
			f.Cure = "ADD CONSTRAINT … CHECK (VALUE IS NOT NULL) NOT VALID to the domain, which holds for new values; VALIDATE CONSTRAINT in the next migration (before PostgreSQL 18 that keeps writers out, too)"
		}
		return
	}
	table, commands := v.commands()
	if commands == nil || !v.isFull(table) {
		return
	}
	o := v.here.table(table.Relation())
	for _, cmd := range commands {
		if name := cmd.Text("name"); cmd.Text("subtype") == "AT_SetNotNull" && (o == nil || !o.isNotNull(name)) {
			v.report("column %q of %q is searched for nulls", name, table.Relation())
		}
	}
}

func typeChangeRewrites(v *visit) {
	table, commands := v.commands()
	if commands == nil || !v.isFull(table) {
		return
	}
	for _, cmd := range commands {
		if cmd.Text("subtype") != "AT_AlterColumnType" {
			continue
		}
		name, to := cmd.Text("name"), newTypeOf(cmd.Node("def"))
		var from columnType
		if o := v.here.table(table.Relation()); o != nil {
			from = o.columns[name].typ
		}
		plain := isPlainConversion(cmd.Node("def").Node("raw_default"), name, to)
		if plain && (!from.rewrites(to) || v.isSameDomain(from, to)) {
			v.collationChanges(table, name, to)
			continue
		}
		what := to.String()
		if from.name != "" {
			what = from.String() + " to " + what
		}
		f := v.report("column %q of %q is converted: %s", name, table.Relation(), what)
		if isTimestamp(from) && isTimestamp(to) && plain {
			f.Cure = "to timestamptz it costs nothing where the session's time zone is UTC: SET LOCAL TimeZone = 'UTC' before it, and allow this rule; or add a column, and fill it in batches"
		}
	}
}

// collationChanges tells of a column that keeps its values, and whose indexes are in another
// order: they are built anew.
func (v *visit) collationChanges(table syntax.Node, name string, to columnType) {
	o := v.here.table(table.Relation())
	if o == nil || !o.columns[name].typ.isText() || !o.isIndexed(name) || o.columns[name].typ.collation == to.collation {
		return
	}
	f := v.report("the indexes of column %q of %q are built anew: its collation is %s, and was %s", name, table.Relation(), to.collationName(), o.columns[name].typ.collationName())
	f.Reason = "nobody can use the table until they are built"
	f.Cure = "TYPE takes the default collation where it names none: name the one that the column has; for another order, CREATE INDEX CONCURRENTLY on the column COLLATE that one, and say COLLATE in the queries"
}

func isTimestamp(t columnType) bool {
	return slices.Contains([]string{"timestamp", "timestamptz"}, t.name)
}

// isSameDomain reports whether both are of one type that is not PostgreSQL's.
func (v *visit) isSameDomain(from, to columnType) bool {
	return from.name != "" && from.name == to.name && from.array == to.array && len(to.modifiers) == 0
}

// isPlainConversion reports whether USING says what would be done without it: nothing, or
// the column cast to the type.
func isPlainConversion(using syntax.Node, column string, to columnType) bool {
	if using.Is("TypeCast") {
		if t := newColumnType(using.Node("typeName")); t.String() != to.String() && (t.name != to.name || len(t.modifiers) > 0) {
			return false
		}
		using = using.Node("arg")
	}
	fields := using.Strings("fields")
	return !using.Exists() || using.Is("ColumnRef") && len(fields) > 0 && fields[len(fields)-1] == column
}
