package doctor

import (
	"context"
	"fmt"
)

// constraintsNotValid finds constraints that were added NOT VALID and not validated since:
// they hold for new rows alone, and the planner does not rely on them. Those that are NOT
// ENFORCED, which PostgreSQL 18 has, are meant so.
func constraintsNotValid(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT k.conname, quote_ident(c.relname), s.name FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN home AS s ON s.space = c.relnamespace
		WHERE NOT k.convalidated AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AND k.conparentid = 0`,
		func(g group) Finding {
			return Finding{
				Severity: Note,
				Subject:  fmt.Sprintf("constraint %q of %s", g.what, g.detail),
				Message:  "it is not valid yet",
				Reason:   "rows of before it may break it, and no query is planned with it",
				Cure:     "a migration with ALTER TABLE " + g.detail + " VALIDATE CONSTRAINT " + quote(g.what) + ", which blocks no writes",
			}
		})
}

// tablesWithoutPrimaryKey finds tables that have none. Logical replication does not
// replicate their UPDATE and DELETE (manual, "Publication"), Citus cannot move them while
// they are written to (FACTS of Citus 13.2), and a row that is there twice cannot be told
// apart.
func tablesWithoutPrimaryKey(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT c.relname, '', s.name FROM pg_class AS c JOIN home AS s ON s.space = c.relnamespace
		LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND i.indexrelid IS NULL
			AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`,
		func(g group) Finding {
			return Finding{
				Severity: Note,
				Subject:  fmt.Sprintf("table %q", g.what),
				Message:  "it has no primary key",
				Reason:   "logical replication refuses its UPDATE and DELETE, and Citus cannot move it while it is used",
				Cure:     "a migration that adds one",
			}
		})
}

// extensionsInTenants finds extensions that have something in a tenant's schema: with that
// tenant it is dropped for everybody. An extension is there once in a database, whatever
// its schema (manual, CREATE EXTENSION, "Notes").
func extensionsInTenants(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT x.extname, '', t.name FROM pg_extension AS x JOIN (
			SELECT d.refobjid AS extension, o.space FROM pg_depend AS d JOIN (
				SELECT 'pg_class'::regclass AS class, oid, relnamespace AS space FROM pg_class UNION ALL
				SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type
			) AS o ON o.class = d.classid AND o.oid = d.objid WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
			UNION SELECT oid, extnamespace FROM pg_extension
		) AS part ON part.extension = x.oid JOIN tenant AS t ON t.space = part.space AND t.name <> 'public'`,
		func(g group) Finding {
			return Finding{
				Severity: Warning,
				Subject:  fmt.Sprintf("extension %q", g.what),
				Message:  "it lives in a tenant's schema",
				Reason:   "other tenants do not find it, and DROP SCHEMA … CASCADE of that tenant drops it for all that use it",
				Cure:     "ALTER EXTENSION " + quote(g.what) + " SET SCHEMA public (or an extra schema), and let a shared app create it",
			}
		})
}
