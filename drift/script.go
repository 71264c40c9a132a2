package drift

import (
	"fmt"
	"strings"

	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// frame is what a script has around the statements of a repair.
type frame struct {
	creates bool // there are statements, and not comments alone
	extra   []tenant.Schema
	notes   string // comments: what is left as it is
	role    string // of the migrations
}

// Script returns the repair of the schemas, or of Schemas if none are given, as a script
// for psql: for each of them a transaction that runs Repair with the search path at the
// schema, and as Config.MigratorRole where the schema is that role's. It fails, and makes
// nothing anywhere, where the schema is gone. What stays as it is stands at the end as
// comments; where nothing can be created there is nothing else.
//
// It is to be read before it is run. It is empty if Options.Repair did not ask for it, or
// Err says why the schemas could not be compared.
func (g *Group) Script(schemas ...tenant.Schema) string {
	if g.Repair == "" && g.frame.notes == "" {
		return ""
	}
	unnamed := 0
	if len(schemas) == 0 {
		schemas, unnamed = g.Schemas, g.Count-len(g.Schemas)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-- for %s\n", whom(schemas, unnamed))
	if g.frame.creates {
		if unnamed > 0 {
			fmt.Fprintf(&b, "-- The names of %d more are not kept: compare again when these are repaired.\n", unnamed)
		}
		for _, schema := range schemas {
			g.frame.write(&b, schema, g.Repair)
		}
	} else {
		b.WriteString(g.Repair)
	}
	b.WriteString(g.frame.notes)
	return b.String()
}

// write writes the transaction of a schema.
func (f *frame) write(b *strings.Builder, schema tenant.Schema, statements string) {
	role := "current_user::pg_catalog.text"
	if f.role != "" && !schema.IsPublic() {
		role = "coalesce((SELECT pg_catalog.set_config('role', r.rolname, true) FROM pg_catalog.pg_namespace AS n\n" +
			"\t\tJOIN pg_catalog.pg_roles AS r ON r.oid = n.nspowner WHERE n.nspname = " + searchpath.Literal(schema.String()) +
			" AND r.rolname = " + searchpath.Literal(f.role) + "), " + role + ")"
	}
	fmt.Fprintf(b, "BEGIN;\nSET LOCAL search_path = %s;\n", searchpath.For(schema, f.extra...))
	b.WriteString("-- This fails where the schema is gone, so that nothing is made elsewhere.\n")
	fmt.Fprintf(b, "SELECT %s::pg_catalog.regnamespace AS schema,\n\t%s AS role;\n", searchpath.Literal(searchpath.Quote(schema)), role)
	b.WriteString("SET LOCAL check_function_bodies = off;\n" + statements + "COMMIT;\n")
}

// whom names schemas, as far as they are few.
func whom(schemas []tenant.Schema, unnamed int) string {
	const most = 10
	names := make([]string, min(most, len(schemas)))
	for i := range names {
		names[i] = schemas[i].String()
	}
	text := strings.Join(names, ", ")
	if more := len(schemas) - len(names) + unnamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
