package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/check/internal/syntax"
)

func reachRules() []rule {
	return []rule{
		{
			Rule{
				Name: "reaches-public", Severity: Error,
				About:  "a tenant app that drops, alters or writes to what only public has, by a name without a schema",
				Reason: "tenants have none of that name, so the search path leads to the shared one: PostgreSQL refuses it to the migrator role, and where there is no such role it happens",
				Cure:   "put it into a shared app; or correct the name",
			}, inAll, reachesPublic,
		},
		{
			Rule{
				Name: "hard-coded-schema", Severity: Error,
				About:  "the name of a schema that is not the same for every tenant, or public where a tenant's own is meant",
				Reason: "every tenant gets what belongs to that schema, and a tenant that is renamed loses it",
				Cure:   "leave the schema out: the search path leads to the tenant's own, then to public (a schema that all share goes into the extra schemas)",
			}, inAll, hardCodedSchema,
		},
		{
			Rule{
				Name: "shared-needs-tenant", Severity: Error,
				About:  "a shared app that refers to a table that only tenants have",
				Reason: "there is no such table in public, which is made before any tenant; a key from public into one tenant's table holds for that tenant alone",
				Cure:   "move it to a tenant app, or the table to a shared one",
			}, inAll, sharedNeedsTenant,
		},
	}
}

// changed returns what the statement drops, alters or writes to.
func changed(n syntax.Node) (verb string, names []syntax.Name) {
	relation := func(verb, field string) (string, []syntax.Name) {
		if r := n.Node(field); r.Is("RangeVar") && r.Text("relpersistence") != "t" {
			return verb, []syntax.Name{r.Relation()}
		}
		return "", nil
	}
	switch n.Kind {
	case "DropStmt":
		switch n.Text("removeType") {
		case "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX", "OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE", "OBJECT_FOREIGN_TABLE":
			return "DROP", dropped(n)
		}
		return "", nil
	case "AlterTableStmt", "RenameStmt", "AlterObjectSchemaStmt":
		return relation("ALTER", "relation")
	case "AlterSeqStmt":
		return relation("ALTER", "sequence")
	case "AlterPolicyStmt":
		return relation("ALTER POLICY", "table")
	case "CreatePolicyStmt":
		return relation("CREATE POLICY on", "table")
	case "IndexStmt":
		return relation("CREATE INDEX on", "relation")
	case "CreateTrigStmt":
		return relation("CREATE TRIGGER on", "relation")
	case "RuleStmt":
		return relation("CREATE RULE on", "relation")
	case "InsertStmt":
		return relation("INSERT INTO", "relation")
	case "UpdateStmt":
		return relation("UPDATE", "relation")
	case "DeleteStmt":
		return relation("DELETE FROM", "relation")
	case "MergeStmt":
		return relation("MERGE INTO", "relation")
	case "TruncateStmt":
		for _, r := range n.Nodes("relations") {
			names = append(names, r.Relation())
		}
		return "TRUNCATE", names
	}
	return "", nil
}

// changedOther returns the types or the functions that the statement drops or alters.
func changedOther(n syntax.Node) (verb, what string, names []syntax.Name) {
	switch n.Kind {
	case "DropStmt":
		return "DROP", otherKind(n.Text("removeType")), dropped(n)
	case "AlterEnumStmt", "AlterDomainStmt", "AlterTypeStmt":
		return "ALTER", "type", []syntax.Name{syntax.NameOf(n.Strings("typeName"))}
	case "AlterFunctionStmt":
		return "ALTER", "function", []syntax.Name{syntax.NameOf(n.Node("func").Strings("objname"))}
	case "RenameStmt", "AlterObjectSchemaStmt":
		return "ALTER", otherKind(n.Text("renameType") + n.Text("objectType")), []syntax.Name{syntax.NameOf(partsOf(n.Node("object")))}
	}
	return "", "", nil
}

// otherKind is what the grammar's name of a kind of object means, if that is a type or a
// function.
func otherKind(object string) string {
	switch object {
	case "OBJECT_TYPE", "OBJECT_DOMAIN":
		return "type"
	case "OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE":
		return "function"
	}
	return ""
}

func reachesPublic(v *visit) {
	v.node.Walk(func(n syntax.Node) bool {
		verb, names := changed(n)
		for _, name := range names {
			if v.isShared(name) {
				v.report("%s %q reaches public.%s: no tenant app has that name", verb, name, name)
			}
		}
		verb, what, names := changedOther(n)
		for _, name := range names {
			if v.isSharedOther(what, name) {
				v.report("%s %s %q reaches public.%s: no tenant app has that name", verb, what, name, name)
			}
		}
		return true
	})
}

// isKnownSchema reports whether a schema is there whoever the tenant is.
func (v *visit) isKnownSchema(schema string) bool {
	switch schema {
	case "", "pg_catalog", "information_schema", "pg_temp", "pg_toast", "cotenant":
		return true
	}
	return v.extra[schema] || v.public.schemas[schema] || isExtensions(schema)
}

// isExtensions reports whether a schema is one that a well-known extension makes for
// itself, always of this name.
func isExtensions(schema string) bool {
	switch schema {
	case "ag_catalog", "anon", "columnar", "cron", "graphql", "hint_plan", "net", "paradedb", "partman", "pdb", "pg_lake", "pgmq", "pgsodium",
		"repack", "tiger", "tiger_data", "topology", "toolkit_experimental", "vault":
		return true
	}
	return strings.HasPrefix(schema, "_timescaledb_") || strings.HasPrefix(schema, "timescaledb_") || strings.HasPrefix(schema, "citus_")
}

func hardCodedSchema(v *visit) {
	told := map[syntax.Name]bool{}
	names := namesIn(v.node)
	if v.node.Is("CreateFunctionStmt") {
		for _, stmt := range v.node.Body(v.stmt.SQL).Statements {
			names = append(names, namesIn(stmt)...)
		}
	}
	for _, name := range names {
		if told[name] || v.isKnownSchema(name.Schema) {
			continue
		}
		switch {
		case name.Schema != "public":
			told[name] = true
			v.reportSchema(fmt.Sprintf("%q", name), name.Schema)
		case v.file.Tenant && v.public.relation(name) == nil && v.public.function(name) == nil && v.tenant.has(name.Name):
			told[name] = true
			f := v.report("%q is named in public, and tenant apps make it", name)
			f.Reason = "it is every tenant's own, and public has none of that name"
		}
	}
	if path, ok := pathSet(v.node); ok {
		if v.file.Tenant && v.node.Is("SelectStmt") && !v.stmt.nodes[0].Is("DoStmt") && slices.Equal(path, []string{"public"}) {
			f := v.report("the search path is set to public: what stands behind it is made there, and not in the tenant's schema")
			f.Reason = "cotenant sets the path to the tenant's schema, and refuses a file that leaves another one"
			f.Cure = "leave it out"
		}
		for _, schema := range path {
			if schema == "$user" || schema != "public" && !v.isKnownSchema(schema) {
				v.reportSchema("the search path is set, and", schema)
			}
		}
	}
}

// reportSchema tells of a schema. In a shared app it may be one that nobody has told us of.
func (v *visit) reportSchema(what, schema string) {
	if v.file.Tenant {
		v.report("%s names schema %q", what, schema)
		return
	}
	if v.public.extensions { // which can have made it
		return
	}
	f := v.report("%s names schema %q, which no shared app makes", what, schema)
	f.Severity = Warning
	f.Reason = "if it is a tenant's, the shared apps depend on one tenant"
	f.Cure = "CREATE SCHEMA in the shared app, or name it in the extra schemas, or allow this rule, if it is no tenant's"
}

// has reports whether files make a relation, a type or a function of a name.
func (s *state) has(name string) bool {
	n := syntax.Name{Name: name}
	return s.relations[n] != nil || s.types[n] != nil || s.functions[n] != nil
}

// namesIn returns the names of relations, types and functions in a statement that have a
// schema; also those in strings that are names for certain, and in the bodies of routines.
func namesIn(n syntax.Node) []syntax.Name {
	var names []syntax.Name
	add := func(parts []string) {
		if name := syntax.NameOf(parts); name.Schema != "" {
			names = append(names, name)
		}
	}
	n.Walk(func(n syntax.Node) bool {
		switch n.Kind {
		case "RangeVar":
			if name := n.Relation(); name.Schema != "" {
				names = append(names, name)
			}
		case "TypeName":
			if len(n.Strings("names")) == 2 {
				add(n.Strings("names"))
			}
		case "FuncCall":
			add(n.Strings("funcname"))
			if text, ok := firstConstant(n); ok && takesName(n.Strings("funcname")) {
				add(split(text))
			}
		case "CreateFunctionStmt", "CreateTrigStmt":
			add(n.Strings("funcname"))
		case "TypeCast":
			if text, ok := n.Node("arg").Constant(); ok && isRegType(n.Node("typeName").Strings("names")) {
				add(split(text))
			}
		case "DropStmt":
			switch n.Text("removeType") {
			case "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX", "OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_TYPE", "OBJECT_DOMAIN":
				names = append(names, dropped(n)...)
			}
		case "GrantStmt":
			if n.Text("targtype") == "ACL_TARGET_ALL_IN_SCHEMA" || n.Text("objtype") == "OBJECT_SCHEMA" {
				for _, o := range n.Nodes("objects") {
					names = append(names, syntax.Name{Schema: o.Text("sval"), Name: "*"})
				}
			}
		}
		return true
	})
	return names
}

func firstConstant(call syntax.Node) (string, bool) {
	args := call.Nodes("args")
	if len(args) == 0 {
		return "", false
	}
	return args[0].Constant()
}

// takesName reports whether a function's first argument is the name of a relation.
func takesName(function []string) bool {
	return slices.Contains([]string{"nextval", "setval", "currval", "pg_get_serial_sequence", "to_regclass", "to_regtype", "to_regproc"}, function[len(function)-1])
}

func isRegType(name []string) bool {
	return len(name) > 0 && slices.Contains([]string{"regclass", "regtype", "regproc", "regprocedure"}, name[len(name)-1])
}

// split takes a name in a string apart, as far as it is written plainly.
func split(text string) []string {
	parts := strings.Split(text, ".")
	for i, p := range parts {
		parts[i] = strings.Trim(strings.TrimSpace(p), `"`)
	}
	return parts
}

// pathSet returns the schemas of a search path that the statement sets.
func pathSet(n syntax.Node) (path []string, ok bool) {
	n.Walk(func(n syntax.Node) bool {
		switch {
		case n.Is("CreateFunctionStmt", "AlterFunctionStmt"): // of a function: a rule of its own
			return false
		case n.Is("VariableSetStmt") && strings.EqualFold(n.Text("name"), "search_path"):
			for _, arg := range n.Nodes("args") {
				if text, isText := arg.Constant(); isText {
					path, ok = append(path, text), true
				}
			}
		case n.Is("FuncCall") && syntax.NameOf(n.Strings("funcname")).Name == "set_config":
			args := n.Nodes("args")
			if name, isText := firstConstant(n); isText && strings.EqualFold(name, "search_path") && len(args) > 1 {
				if value, isText := args[1].Constant(); isText && value != "" {
					for _, schema := range strings.Split(value, ",") {
						path, ok = append(path, strings.Trim(strings.TrimSpace(schema), `"`)), true
					}
				}
			}
		}
		return true
	})
	return path, ok
}

func sharedNeedsTenant(v *visit) {
	if v.file.Tenant || v.node.Is("DropStmt") {
		return
	}
	nodes := []syntax.Node{v.node}
	if v.node.Is("CreateFunctionStmt") {
		nodes = append(nodes, v.node.Body(v.stmt.SQL).Statements...)
	}
	var told []syntax.Name
	for _, n := range nodes {
		for _, name := range n.Relations() {
			if v.isTenants(name) && !slices.Contains(told, name) {
				told = append(told, name)
				v.report("%q is a table of tenant app %q", name, v.tenant.relation(v.public.own(name)).app)
			}
		}
	}
}

func hidesShared() Rule {
	return Rule{
		Name: "hides-shared", Severity: Warning,
		About:  "a name that a shared app and a tenant app both have",
		Reason: "in a tenant's schema it hides the shared one: a query that means that reads the tenant's",
		Cure:   "rename one of them, or write public. where the shared one is meant, and allow this rule where the tenant's is made",
	}
}

// namesInBoth looks for names that are in public and in every tenant's schema. An app that
// is both shared and a tenant's means it so.
func (c *checker) namesInBoth() {
	for _, of := range []struct{ tenant, public map[syntax.Name]*object }{
		{c.tenant.relations, c.public.relations}, {c.tenant.types, c.public.types},
	} {
		for name, t := range of.tenant {
			p := of.public[name]
			if p == nil || p.app == t.app || t.kind == "index" {
				continue
			}
			message := fmt.Sprintf("%s %q hides the %s of shared app %q", t.kind, name, p.kind, p.app)
			c.hiding = append(c.hiding, name.Name)
			stmt := t.file.making(name.Name)
			c.found = append(c.found, found{c.finding(hidesShared(), t.file, stmt.Line, message), t.file, stmt})
		}
	}
}

// making returns the statement of the file that makes what has a name.
func (f *file) making(name string) *statement {
	for i := range f.statements {
		s := newState("")
		for _, n := range f.statements[i].nodes {
			s.apply(f, f.statements[i].SQL, n)
		}
		if s.has(name) {
			return &f.statements[i]
		}
	}
	return &f.statements[0]
}
