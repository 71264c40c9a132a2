// Package searchpath writes the search_path of a tenant, in the one form that
// connections and migrations share.
package searchpath

import (
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// For returns the value of search_path for work in schema: the schema, public, the
// extra schemas and pg_temp. PostgreSQL looks into pg_temp first unless it is named,
// so that a temporary table would hide a tenant's table of that name; it is named
// last (PostgreSQL manual, 20.11.1 "search_path").
func For(schema tenant.Schema, extra ...tenant.Schema) string {
	names := make([]string, 0, 3+len(extra))
	if !schema.IsPublic() {
		names = append(names, Quote(schema))
	}
	names = append(names, Quote(tenant.PublicSchema()))
	for _, s := range extra {
		names = append(names, Quote(s))
	}
	return strings.Join(append(names, "pg_temp"), ", ")
}

// Alone returns the value of search_path for work in schema without the shared
// tables: the schema and pg_temp.
func Alone(schema tenant.Schema) string { return Quote(schema) + ", pg_temp" }

// Quote returns the name of schema as an SQL identifier.
func Quote(schema tenant.Schema) string {
	return pgx.Identifier{schema.String()}.Sanitize()
}

// Qualify returns the name of an object in schema as an SQL identifier.
func Qualify(schema tenant.Schema, object string) string {
	return pgx.Identifier{schema.String(), object}.Sanitize()
}

// Literal returns s as an SQL string, in the form with an E in front, which means the
// same whatever standard_conforming_strings says.
func Literal(s string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
