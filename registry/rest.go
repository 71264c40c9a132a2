package registry

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

//go:embed rest.sql
var restSQL string

// rest has the name of a tenant's schema rest: for Config.NameRest no other tenant gets it.
func (r *Registry) rest(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error {
	if _, err := tx.Exec(ctx, "DELETE FROM cotenant.resting_names WHERE until < pg_catalog.now()"); err != nil {
		return r.tablesError(err)
	}
	_, err := tx.Exec(ctx, `INSERT INTO cotenant.resting_names (schema_name, tenant_id, until) VALUES ($1, $2, pg_catalog.now() + pg_catalog.make_interval(secs => $3))
		ON CONFLICT (schema_name) DO UPDATE SET tenant_id = excluded.tenant_id, until = excluded.until`,
		pgx.QueryExecModeDescribeExec, strings.ToLower(t.Schema.String()), t.ID, r.config.NameRest.Seconds())
	return r.tablesError(err)
}

// checkFree returns an error that wraps tenant.ErrSchemaTaken if a tenant that has the id, or
// is to be made, cannot have the schema: the database has it, or one whose name differs only
// in case, which PostgreSQL would tell apart; or it was another tenant's until lately, unless
// reuse says that this does not matter.
func (r *Registry) checkFree(ctx context.Context, tx pgx.Tx, schema tenant.Schema, id int64, reuse bool) error {
	var found string
	var until *time.Time
	err := tx.QueryRow(ctx, `SELECT n.nspname::text, NULL::timestamptz FROM pg_catalog.pg_namespace AS n WHERE pg_catalog.lower(n.nspname::text) = $1
		UNION ALL
		SELECT s.schema_name, s.until FROM cotenant.resting_names AS s WHERE s.schema_name = $1 AND s.tenant_id <> $2 AND s.until > pg_catalog.now() AND NOT $3
		LIMIT 1`, pgx.QueryExecModeExec, strings.ToLower(schema.String()), id, reuse).Scan(&found, &until)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return r.tablesError(err)
	case until != nil:
		return fmt.Errorf("%w: it was another tenant's until lately, and programs can still be at work for that one (choose another name, or wait until %s; a new tenant can take it all the same: CreateParams.ReuseName, --reuse-name)",
			tenant.ErrSchemaTaken, until.Local().Format(time.TimeOnly))
	}
	return fmt.Errorf("%w: the database has a schema %q that belongs to no tenant (choose another name, or drop the schema if nothing in it is needed)", tenant.ErrSchemaTaken, found)
}
