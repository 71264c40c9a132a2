package doctor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/schemalock"
)

// versionsWithoutTenant finds rows of cotenant.schema_versions, the index of the histories,
// whose tenant is gone. Nobody reads them. They are left where a row of a tenant was deleted
// by hand.
func versionsWithoutTenant(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT '', min(v.tenant_id) OVER (), NULL::text FROM cotenant.schema_versions AS v WHERE v.tenant_id <> 0 AND NOT EXISTS (SELECT FROM tenant AS t WHERE t.id = v.tenant_id)`,
		func(g group) Finding {
			return Finding{
				Severity: Note,
				Subject:  count(g.count, "row", "rows") + " of cotenant.schema_versions",
				Message:  "the tenant is gone",
				Reason:   "a tenant that takes up the id would begin with what is known of another",
				Cure:     "delete them: doctor --fix",
				Fix:      e.forgetVersionSQL(g.detail),
			}
		})
}

func (e *exam) forgetVersionSQL(id string) string {
	return "DELETE FROM cotenant.schema_versions AS v WHERE v.tenant_id = " + id + " AND NOT EXISTS (SELECT FROM " + e.tenants + " AS t WHERE t.id = v.tenant_id)"
}

// forgetVersions deletes them. It is safe: the index says nothing that the schema's own
// history does not, and no run looks at rows without a tenant.
func forgetVersions(ctx context.Context, e *exam, done func(Fixed)) error {
	return e.eachID(ctx, `SELECT v.tenant_id FROM cotenant.schema_versions AS v WHERE v.tenant_id <> 0 AND v.tenant_id > $1
		AND NOT EXISTS (SELECT FROM `+e.tenants+` AS t WHERE t.id = v.tenant_id) ORDER BY 1 LIMIT $2`,
		func(id int64) {
			sql := e.forgetVersionSQL(fmt.Sprint(id))
			done(Fixed{Subject: fmt.Sprintf("tenant %d", id), SQL: sql, Err: e.forget(ctx, id, sql)})
		})
}

// forget deletes what is kept of a tenant, while nobody else is at work on its schema.
func (e *exam) forget(ctx context.Context, id int64, sql string) error {
	return e.change(ctx, func(tx pgx.Tx) error {
		var locked bool
		if err := tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock($1)", pgx.QueryExecModeExec, schemalock.Key(id)).Scan(&locked); err != nil {
			return err
		}
		if !locked {
			return errBusy
		}
		tag, err := tx.Exec(ctx, sql, pgx.QueryExecModeExec)
		if err == nil && tag.RowsAffected() == 0 {
			return errChanged
		}
		return err
	})
}
