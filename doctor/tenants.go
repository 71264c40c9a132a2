package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// tenantsWithoutSchema finds rows of tenants whose schema is not there. What renamed it is
// schemasRenamed's. Every request of such a tenant fails: cotenant's statement that sets the
// path proves that the schema exists.
func tenantsWithoutSchema(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT '', coalesce((SELECT min(n.nspname) FROM `+orphans+`), ''), t.name FROM tenant AS t WHERE t.space IS NULL AND t.name <> 'public'
		AND NOT EXISTS (SELECT FROM cotenant.schema_versions AS v JOIN pg_namespace AS n ON n.oid = v.namespace WHERE v.tenant_id = t.id)`,
		func(g group) Finding {
			f := Finding{
				Severity: Error,
				Subject:  count(g.count, "tenant", "tenants"),
				Message:  "there is a row, and no schema",
				Reason:   "every request of such a tenant fails, and migrations report it",
				Cure:     "restore the schema from a backup; or have it made anew, with nothing in it: tenant create-missing; or delete the tenant",
			}
			if g.detail != "" {
				f.Cure = fmt.Sprintf("see first whether schema %q, which has no tenant, is the one, renamed: ALTER SCHEMA %s RENAME TO %s; if not, %s",
					g.detail, quote(g.detail), quote(g.schemas[0]), f.Cure)
			}
			return f
		}, e.config.MigratorRole, e.extra())
}

// orphans are the schemas n that have a history, h, or belong to the migrator role, $1, and
// are no tenant's; $2 are the extra schemas.
const orphans = `pg_namespace AS n LEFT JOIN pg_class AS h ON h.relnamespace = n.oid AND h.relname = 'cotenant_migrations' AND h.relkind = 'r'
	WHERE n.nspname !~ '^(pg_|cotenant)' AND n.nspname <> 'public' AND n.nspname <> ALL ($2) AND NOT EXISTS (SELECT FROM tenant AS t WHERE t.name = n.nspname::text)
		AND (h.oid IS NOT NULL OR n.nspowner = (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = $1))
		AND NOT EXISTS (SELECT FROM tenant AS t JOIN cotenant.schema_versions AS v ON v.tenant_id = t.id WHERE t.space IS NULL AND v.namespace = n.oid)`

// schemasRenamed finds schemas of tenants that have another name than their tenant's row
// says: cotenant.schema_versions knows the oid of each, which a rename keeps.
func schemasRenamed(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT t.name, n.nspname, t.name FROM tenant AS t JOIN cotenant.schema_versions AS v ON v.tenant_id = t.id
		JOIN pg_namespace AS n ON n.oid = v.namespace WHERE t.space IS NULL AND t.name <> 'public'`,
		func(g group) Finding {
			return Finding{
				Severity: Error,
				Subject:  fmt.Sprintf("tenant %q", g.what),
				Message:  fmt.Sprintf("its schema is named %q now", g.detail),
				Reason:   "every request of the tenant fails: it is looked for under the name that its row has",
				Cure: fmt.Sprintf("ALTER SCHEMA %s RENAME TO %s; or UPDATE %s SET schema_name = %s WHERE schema_name = %s",
					quote(g.detail), quote(g.what), e.tenants, literal(g.detail), literal(g.what)),
			}
		})
}

// schemasWithoutTenant finds schemas that have a history, or belong to the migrator role,
// and are no tenant's.
func schemasWithoutTenant(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT CASE WHEN h.oid IS NOT NULL THEN 'it has a history' ELSE 'it belongs to the migrator role' END, '', n.nspname FROM `+orphans,
		func(g group) Finding {
			return Finding{
				Severity: Warning,
				Subject:  count(g.count, "schema", "schemas"),
				Message:  g.what + ", and there is no tenant",
				Reason:   "it is not migrated, nobody reaches it, and it takes its part of the catalog; a tenant of that name cannot be created",
				Cure:     "give it its row: INSERT INTO " + e.tenants + " (schema_name) VALUES (" + literal(g.schemas[0]) + "); or, if it is nobody's and there is a backup, DROP SCHEMA " + quote(g.schemas[0]) + " CASCADE",
			}
		}, e.config.MigratorRole, e.extra())
}

// tenantNames finds names that cotenant refuses, or that two tenants have but for their
// case: PostgreSQL tells those apart, and nobody else does. cotenant's own table refuses
// them; one that was there before may have them.
func tenantNames(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT lower(t.name), 'another tenant has the same name, or one that differs in case alone', t.name FROM tenant AS t
			JOIN (SELECT lower(name) AS lower FROM tenant GROUP BY 1 HAVING count(*) > 1) AS several ON several.lower = lower(t.name)
		UNION ALL SELECT t.name, 'the name is none that a tenant''s schema can have', t.name FROM tenant AS t
			WHERE t.name !~ '^[A-Za-z0-9_-]{1,63}$' OR lower(t.name) ~ '^(pg_|cotenant)' OR lower(t.name) = 'information_schema' OR lower(t.name) = 'public' AND t.name <> 'public'`,
		func(g group) Finding {
			return Finding{
				Severity: Error,
				Subject:  fmt.Sprintf("tenant %q", g.what),
				Message:  g.detail,
				Reason:   "cotenant refuses the row, or serves one of the tenants in place of the other",
				Cure:     "rename the schema, and set schema_name in " + e.tenants + " in the same transaction: letters, digits, _ and -, at most 63 of them",
			}
		})
}

// tenantsInactive finds tenants that were created a month ago and are not active. That is
// for the application to know; their schemas are migrated and backed up like all others.
func tenantsInactive(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT to_jsonb(t) ->> 'status', '', t.schema_name::text FROM `+e.tenants+` AS t
		WHERE to_jsonb(t) ->> 'status' <> 'active' AND (to_jsonb(t) ->> 'created_at')::timestamptz < now() - '30 days'::interval`,
		func(g group) Finding {
			return Finding{
				Severity: Note,
				Subject:  count(g.count, "tenant", "tenants"),
				Message:  fmt.Sprintf("the status is %q, and the tenant older than 30 days", g.what),
				Reason:   "its schema is migrated and backed up like all others",
				Cure:     "drop the tenants that are gone for good",
			}
		})
}

// count is a number of things.
func count(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

// quote is a name as SQL has it, and literal a text.
func quote(names ...string) string { return pgx.Identifier(names).Sanitize() }

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// extra returns the names of the extra schemas.
func (e *exam) extra() []string {
	names := make([]string, len(e.config.ExtraSchemas))
	for i, schema := range e.config.ExtraSchemas {
		names[i] = schema.String()
	}
	return names
}
