package check

import (
	"fmt"
	"slices"

	"github.com/cotenant/cotenant/check/internal/syntax"
)

func functionRules() []rule {
	return []rule{
		{
			Rule{
				Name: "function-pins-path", Severity: Error,
				About:  "a tenant app's function that sets the search path to a schema, or FROM CURRENT",
				Reason: "the name of the schema is kept: when the tenant is renamed, the function looks into whatever has that name then, or finds nothing",
				Cure:   "leave SET search_path out, so that the caller's path counts; or write the body as RETURN or BEGIN ATOMIC, whose names are looked up once and follow a rename",
			}, inUp | inSchema, functionPinsPath,
		},
		{
			Rule{
				Name: "security-definer-path", Severity: Error,
				About:  "a SECURITY DEFINER function without a search path of its own",
				Reason: "it runs with its owner's rights on the tables that its caller's path leads to: a caller can have it work on tables of the caller's making, or on another tenant's",
				Cure:   "write its body as RETURN or BEGIN ATOMIC, whose names are looked up once; or leave SECURITY DEFINER out; in a shared app, SET search_path = public, pg_temp",
			}, inUp | inSchema, securityDefinerPath,
		},
		{
			Rule{
				Name: "restore-needs-path", Severity: Error,
				About:  "an index, a check, a generated column or a materialized view that calls a function whose body has names without a schema",
				Reason: "pg_restore works with an empty search path, where the function finds nothing: a backup of the schema cannot be restored",
				Cure:   "write the function's body as RETURN or BEGIN ATOMIC, whose names are looked up once",
			}, inUp | inSchema, restoreNeedsPath,
		},
	}
}

func functionPinsPath(v *visit) {
	if !v.file.Tenant || !v.node.Is("CreateFunctionStmt", "AlterFunctionStmt") {
		return
	}
	set, ok := v.node.Setting("search_path")
	if !ok {
		return
	}
	name := syntax.NameOf(append(v.node.Strings("funcname"), v.node.Node("func").Strings("objname")...))
	if set.Text("kind") == "VAR_SET_CURRENT" {
		v.report("function %q keeps the schema that it is made in as its search path", name)
		return
	}
	var public bool
	for _, arg := range set.Nodes("args") {
		schema, _ := arg.Constant()
		public = public || schema == "public"
		if schema != "public" && !v.isKnownSchema(schema) {
			v.report("function %q has schema %q in its search path", name, schema)
			return
		}
	}
	for _, r := range v.bodyNames() {
		if v.tenant.relations[r] != nil && (!public || v.public.relations[r] == nil) {
			f := v.report("function %q sets a search path that does not lead to %q", name, r)
			f.Reason = "the path leads to what all tenants share, and the table is the tenant's: the function fails"
			return
		}
	}
}

// bodyNames returns the names without a schema that are looked up when the function runs.
func (v *visit) bodyNames() []syntax.Name {
	var names []syntax.Name
	body := v.node.Body(v.stmt.SQL)
	if !v.node.Is("CreateFunctionStmt") || !body.Late {
		return nil
	}
	for _, stmt := range body.Statements {
		for _, name := range stmt.Relations() {
			if name.Schema == "" {
				names = append(names, name)
			}
		}
	}
	return names
}

func securityDefinerPath(v *visit) {
	if !v.node.Is("CreateFunctionStmt") {
		return
	}
	definer := slices.ContainsFunc(v.node.Nodes("options"), func(o syntax.Node) bool {
		return o.Text("defname") == "security" && o.Node("arg").True("boolval")
	})
	if _, set := v.node.Setting("search_path"); definer && !set && v.node.Body(v.stmt.SQL).Late {
		v.report("function %q is SECURITY DEFINER, and its caller's search path counts", syntax.NameOf(v.node.Strings("funcname")))
	}
}

func restoreNeedsPath(v *visit) {
	for _, e := range v.stored() {
		for _, call := range e.expression.Calls() {
			for _, s := range []*state{v.here, v.public} {
				r := s.function(call)
				if r == nil {
					continue
				}
				i := slices.IndexFunc(r.names, v.isOurs)
				if i < 0 {
					break
				}
				v.report("%s calls %q, which looks for %q on the search path", e.what, call, r.names[i])
				return
			}
		}
	}
}

// isOurs reports whether a name is that of something that files make.
func (v *visit) isOurs(name syntax.Name) bool {
	return v.tenant.has(name.Name) || v.public.has(name.Name) || v.here.has(name.Name)
}

// stored is an expression that is worked out when a dump is restored.
type stored struct {
	what       string
	expression syntax.Node
}

func (v *visit) stored() []stored {
	switch n := v.node; n.Kind {
	case "IndexStmt":
		return []stored{{fmt.Sprintf("index %q", n.Text("idxname")), n}}
	case "CreateTableAsStmt":
		if n.Text("objtype") == "OBJECT_MATVIEW" {
			return []stored{{fmt.Sprintf("materialized view %q", n.Node("into").Node("rel").Relation()), n}}
		}
	case "CreateStmt", "AlterTableStmt", "CreateDomainStmt", "AlterDomainStmt":
		var all []stored
		n.Walk(func(n syntax.Node) bool {
			if n.Is("Constraint") && is(n, "CONSTR_CHECK") {
				all = append(all, stored{"a check", n})
			}
			if n.Is("Constraint") && is(n, "CONSTR_GENERATED") {
				all = append(all, stored{"a generated column", n})
			}
			return true
		})
		return all
	}
	return nil
}
