package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// DeleteParams say what goes with a tenant. Nil and the zero value are what
// Config.AutoDropSchema says.
type DeleteParams struct {
	// DropSchema drops the schema with all that is in it.
	DropSchema bool
	// KeepSchema leaves the schema where it is, also where Config.AutoDropSchema is set. It
	// then belongs to no tenant, and no tenant can be created with its name. It excludes
	// DropSchema.
	KeepSchema bool
}

// Delete deletes a tenant: its row and its domains, and with DropSchema its schema.
//
//  1. In one transaction the row goes, and the schema gets a name of cotenant's,
//     cotenant_deleted_ID: from then on there is no such tenant, and nobody is in its
//     schema. A run of migrations in it is waited for, a minute at most.
//  2. What is in the schema is dropped, as much at a time as a quarter of the server's
//     locks are enough for (max_locks_per_transaction), and the schema last. Tables with
//     foreign keys to shared tables, which are locked meanwhile, go a few at a time.
//
// If that is cut short, what is left is dropped by DropDeleted. The public tenant loses
// its row alone; the schema public is never dropped. The schema's name rests; see
// Config.NameRest.
//
// The error wraps tenant.ErrTenantNotFound if there is no such tenant, ErrSchemaBusy if
// that minute is over, ErrDependedOn, or what OnTenantDeleted returned: then nothing was
// deleted.
func (r *Registry) Delete(ctx context.Context, t *tenant.Tenant, params *DeleteParams) error {
	drop := r.config.AutoDropSchema
	if params != nil {
		if params.DropSchema && params.KeepSchema {
			return fmt.Errorf("delete %v: DeleteParams.DropSchema and KeepSchema exclude each other", t)
		}
		drop = params.DropSchema || drop && !params.KeepSchema
	}
	var left string
	var domains []string
	err := r.change(ctx, t, func(ctx context.Context, tx pgx.Tx, now *tenant.Tenant) (err error) {
		left, domains, err = r.deleteIn(ctx, tx, now, drop)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete %v: %w", t, err)
	}
	for _, d := range domains {
		r.cache.forgetName(name{domainName, d})
	}
	if left == "" {
		return nil
	}
	if err := r.dropSchema(ctx, left); err != nil {
		return fmt.Errorf("delete %v: it is deleted, and of its schema there is something left, in %q (DropDeleted drops it, and so does the next tenant delete): %w", t, left, err)
	}
	return nil
}

// ErrDependedOn says that what is in other schemas depends on what is in that of a tenant,
// and would be dropped with it.
var ErrDependedOn = errors.New("other schemas depend on what is in this one")

// deletedPrefix is how the schemas of deleted tenants are named, before the tenant's id.
const deletedPrefix = "cotenant_deleted_"

// deleteIn deletes the row, and returns the name that the schema has now if it is to be
// dropped.
func (r *Registry) deleteIn(ctx context.Context, tx pgx.Tx, now *tenant.Tenant, drop bool) (left string, domains []string, err error) {
	if r.config.OnTenantDeleted != nil {
		there, err := hasSchema(ctx, tx, now.Schema)
		if err != nil {
			return "", nil, err
		}
		path := searchpath.For(now.Schema)
		if !there { // what the hook looks for there must not be found in public
			path = searchpath.Alone(now.Schema)
		}
		if _, err := tx.Exec(ctx, "SELECT pg_catalog.set_config('search_path', $1, true)", pgx.QueryExecModeExec, path); err != nil {
			return "", nil, err
		}
		if err := r.config.OnTenantDeleted(contextOf(ctx, now), hookTx{tx}, now); err != nil {
			return "", nil, fmt.Errorf("OnTenantDeleted: %w", err)
		}
	}
	// As text: one that is no good does not keep the tenant from being deleted.
	rows, err := tx.Query(ctx, "DELETE FROM "+r.domains+" WHERE tenant_id = $1 RETURNING domain", pgx.QueryExecModeExec, now.ID)
	if err != nil {
		return "", nil, err
	}
	if domains, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return "", nil, err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM "+r.tenants+" WHERE id = $1", pgx.QueryExecModeExec, now.ID); err != nil {
		return "", nil, deleteError(err)
	}
	if err := forgetVersions(ctx, tx, now.ID); err != nil || now.IsPublic() {
		return "", domains, err
	}
	if err := r.rest(ctx, tx, now); err != nil || !drop {
		return "", domains, err
	}
	if err := dependants(ctx, tx, now.Schema); err != nil {
		return "", nil, err
	}
	left, err = setAside(ctx, tx, now)
	return left, domains, err
}

// dependantsSQL names what is in other schemas and depends on what is in $1, and so would go
// with it: views, keys, columns, functions, children, event triggers.
const dependantsSQL = `
WITH space AS (SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1),
	member AS (SELECT d.classid, d.objid FROM pg_catalog.pg_depend AS d, space WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = space.oid),
	thing AS (SELECT classid, objid FROM member UNION ALL
		SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid FROM pg_catalog.pg_type AS t, space WHERE t.typnamespace = space.oid), -- rows' and arrays' too
	other AS (SELECT DISTINCT d.classid, d.objid, d.objsubid, CASE d.classid
			WHEN 'pg_catalog.pg_class'::pg_catalog.regclass THEN (SELECT c.relnamespace FROM pg_catalog.pg_class AS c WHERE c.oid = d.objid)
			WHEN 'pg_catalog.pg_rewrite'::pg_catalog.regclass THEN (SELECT c.relnamespace FROM pg_catalog.pg_rewrite AS w JOIN pg_catalog.pg_class AS c ON c.oid = w.ev_class WHERE w.oid = d.objid)
			WHEN 'pg_catalog.pg_constraint'::pg_catalog.regclass THEN (SELECT k.connamespace FROM pg_catalog.pg_constraint AS k WHERE k.oid = d.objid)
			WHEN 'pg_catalog.pg_attrdef'::pg_catalog.regclass THEN (SELECT c.relnamespace FROM pg_catalog.pg_attrdef AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.adrelid WHERE a.oid = d.objid)
			WHEN 'pg_catalog.pg_trigger'::pg_catalog.regclass THEN (SELECT c.relnamespace FROM pg_catalog.pg_trigger AS g JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid WHERE g.oid = d.objid)
			WHEN 'pg_catalog.pg_policy'::pg_catalog.regclass THEN (SELECT c.relnamespace FROM pg_catalog.pg_policy AS y JOIN pg_catalog.pg_class AS c ON c.oid = y.polrelid WHERE y.oid = d.objid)
			WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN (SELECT p.pronamespace FROM pg_catalog.pg_proc AS p WHERE p.oid = d.objid)
			WHEN 'pg_catalog.pg_type'::pg_catalog.regclass THEN (SELECT t.typnamespace FROM pg_catalog.pg_type AS t WHERE t.oid = d.objid)
			WHEN 'pg_catalog.pg_event_trigger'::pg_catalog.regclass THEN 0 -- it is in no schema
		END AS space
		FROM thing AS t JOIN pg_catalog.pg_depend AS d ON d.refclassid = t.classid AND d.refobjid = t.objid AND d.deptype IN ('n', 'a'))
SELECT pg_catalog.concat(n.nspname || ': ', pg_catalog.pg_describe_object(o.classid, o.objid, o.objsubid))
FROM space JOIN other AS o ON o.space <> space.oid LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = o.space
WHERE coalesce(n.nspname !~ '^pg_t(oast|emp)', true)
ORDER BY 1 LIMIT 6`

// dependants returns an error that names what in other schemas would go with a schema.
func dependants(ctx context.Context, tx pgx.Tx, schema tenant.Schema) error {
	rows, err := tx.Query(ctx, dependantsSQL, pgx.QueryExecModeExec, schema.String())
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) == 0 {
		return err
	}
	const most = 5
	text := strings.Join(names[:min(most, len(names))], ", ")
	if len(names) > most {
		text += " and more"
	}
	return fmt.Errorf("%w: %s (drop that first, or keep the schema)", ErrDependedOn, text)
}

// deleteError adds what cures a refused deletion.
func deleteError(err error) error {
	if dberr.Code(err) == dberr.ForeignKeyViolation {
		return fmt.Errorf("%w (delete what refers to the tenant in OnTenantDeleted, or have its key say ON DELETE)", err)
	}
	return err
}

// forgetVersions deletes what the schema engine keeps of a tenant.
func forgetVersions(ctx context.Context, tx pgx.Tx, id int64) error {
	for _, table := range []string{"cotenant.schema_versions", "cotenant.migration_progress"} {
		there, err := hasTable(ctx, tx, table)
		if err == nil && there {
			_, err = tx.Exec(ctx, "DELETE FROM "+table+" WHERE tenant_id = $1", pgx.QueryExecModeExec, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hasTable reports whether a table is there, which is named with its schema.
func hasTable(ctx context.Context, tx pgx.Tx, table string) (there bool, err error) {
	err = tx.QueryRow(ctx, "SELECT pg_catalog.to_regclass($1) IS NOT NULL", pgx.QueryExecModeExec, table).Scan(&there)
	return there, err
}

// hasSchema reports whether a schema is there.
func hasSchema(ctx context.Context, tx pgx.Tx, schema tenant.Schema) (there bool, err error) {
	err = tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1)", pgx.QueryExecModeExec, schema.String()).Scan(&there)
	return there, err
}

// setAside gives the schema of a tenant a name that is not the tenant's, and returns it; it
// is empty if there is no such schema.
func setAside(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) (string, error) {
	there, err := hasSchema(ctx, tx, t.Schema)
	if err != nil || !there {
		return "", err
	}
	left := fmt.Sprintf("%s%d", deletedPrefix, t.ID)
	_, err = tx.Exec(ctx, "ALTER SCHEMA "+searchpath.Quote(t.Schema)+" RENAME TO "+pgx.Identifier{left}.Sanitize())
	switch dberr.Code(err) {
	case dberr.InsufficientPrivilege:
		err = fmt.Errorf("%w (GRANT CREATE ON DATABASE … to the role, and make it the owner of the schema, or a member of the owner)", err)
	case dberr.DuplicateSchema:
		err = fmt.Errorf("%w (it is left of a tenant with the same id: DropDeleted drops it)", err)
	}
	return left, err
}

// DropDeleted drops what is left of the schemas of deleted tenants: Delete was cut short
// there. It returns how many it dropped. Those that somebody else is dropping are dropped
// together.
func (r *Registry) DropDeleted(ctx context.Context) (int, error) {
	rows, err := r.pool.Query(ctx, "SELECT n.nspname::text FROM pg_catalog.pg_namespace AS n WHERE n.nspname ~ $1 ORDER BY n.oid LIMIT 1000", pgx.QueryExecModeExec, "^"+deletedPrefix+"[0-9]+$")
	if err != nil {
		return 0, fmt.Errorf("look for schemas of deleted tenants: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, fmt.Errorf("look for schemas of deleted tenants: %w", err)
	}
	dropped := 0
	var failed error
	for _, name := range names {
		if err := r.dropSchema(ctx, name); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		dropped++
	}
	return dropped, failed
}
