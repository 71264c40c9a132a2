package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// Update sets columns of t's row, by their names, to values of any Go type that pgx
// encodes for them, a string in PostgreSQL's notation among them; nil is NULL. It returns
// the tenant as it is then. The columns id and schema_name are set by nobody; see Rename.
//
// The error wraps tenant.ErrTenantNotFound if there is no such tenant, or what PostgreSQL
// said of a value.
func (r *Registry) Update(ctx context.Context, t *tenant.Tenant, fields map[string]any) (*tenant.Tenant, error) {
	updated, err := r.update(ctx, t, fields)
	if err != nil {
		return nil, fmt.Errorf("update %v: %w", t, err)
	}
	r.forget(updated)
	return updated, nil
}

func (r *Registry) update(ctx context.Context, t *tenant.Tenant, fields map[string]any) (*tenant.Tenant, error) {
	if t == nil {
		return nil, fmt.Errorf("%w: it is nil (take it from the registry)", tenant.ErrTenantNotFound)
	}
	if len(fields) == 0 {
		return nil, errors.New("no columns are given (give at least one)")
	}
	if err := checkFields(fields); err != nil {
		return nil, err
	}
	args := []any{pgx.QueryExecModeDescribeExec, t.ID}
	var sets []string
	for _, column := range slices.Sorted(maps.Keys(fields)) {
		args = append(args, fields[column])
		sets = append(sets, fmt.Sprintf("%s = $%d", pgx.Identifier{column}.Sanitize(), len(args)-1))
	}
	tag, err := r.pool.Exec(ctx, "UPDATE "+r.tenants+" SET "+strings.Join(sets, ", ")+" WHERE id = $1", args...)
	switch {
	case err != nil:
		return nil, r.tablesError(rowError(err))
	case tag.RowsAffected() == 0:
		return nil, tenant.ErrTenantNotFound
	}
	return r.queryTenant(ctx, r.pool, "SELECT t.* FROM "+r.tenants+" AS t WHERE t.id = $1", t.ID)
}

// Rename gives t's schema another name, in one transaction with its row, and returns the
// tenant as it is then. Who still has the tenant under its old name gets
// tenant.ErrSchemaNotFound, and finds it under the new one with the next look-up. What
// names the schema by itself, such as a function's SET search_path, keeps the old name. The
// old name rests; see Config.NameRest.
//
// A run of migrations in the schema is waited for, a minute at most. The error wraps
// tenant.ErrSchemaTaken if the name is, tenant.ErrTenantNotFound, or ErrSchemaBusy if that
// minute is over.
func (r *Registry) Rename(ctx context.Context, t *tenant.Tenant, schema tenant.Schema) (*tenant.Tenant, error) {
	var renamed *tenant.Tenant
	err := r.change(ctx, t, func(ctx context.Context, tx pgx.Tx, now *tenant.Tenant) (err error) {
		renamed, err = r.renameIn(ctx, tx, now, schema)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rename %v to %q: %w", t, schema, err)
	}
	r.forget(renamed)
	return renamed, nil
}

func (r *Registry) renameIn(ctx context.Context, tx pgx.Tx, now *tenant.Tenant, schema tenant.Schema) (*tenant.Tenant, error) {
	switch {
	case schema.IsZero():
		return nil, fmt.Errorf("%w: it is not set (use tenant.ParseSchema)", tenant.ErrInvalidSchema)
	case now.IsPublic() || schema.IsPublic():
		return nil, fmt.Errorf("%w: %q is that of the shared apps, and keeps its name", tenant.ErrInvalidSchema, tenant.PublicSchema())
	case schema == now.Schema:
		return now, nil
	}
	if !strings.EqualFold(schema.String(), now.Schema.String()) {
		if err := r.schemaTaken(ctx, tx, schema, nil); err != nil {
			return nil, err
		}
		if err := r.checkFree(ctx, tx, schema, now.ID, false); err != nil {
			return nil, err
		}
		if err := r.rest(ctx, tx, now); err != nil {
			return nil, err
		}
	}
	_, err := tx.Exec(ctx, "ALTER SCHEMA "+searchpath.Quote(now.Schema)+" RENAME TO "+searchpath.Quote(schema))
	switch dberr.Code(err) {
	case "":
	case dberr.InvalidSchemaName:
		return nil, fmt.Errorf("schema %q: %w (restore it, or delete the tenant)", now.Schema, tenant.ErrSchemaNotFound)
	case dberr.DuplicateSchema, dberr.UniqueViolation: // the second, if another takes it at the same time
		return nil, fmt.Errorf("%w: %w (choose another name)", tenant.ErrSchemaTaken, err)
	case dberr.InsufficientPrivilege:
		return nil, fmt.Errorf("%w (GRANT CREATE ON DATABASE … to the role, and make it the owner of the schema, or a member of the owner)", err)
	}
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "UPDATE "+r.tenants+" SET schema_name = $2 WHERE id = $1", pgx.QueryExecModeDescribeExec, now.ID, schema.String()); err != nil {
		if dberr.Code(err) == dberr.UniqueViolation {
			return nil, fmt.Errorf("%w: %w (choose another name)", tenant.ErrSchemaTaken, err)
		}
		return nil, rowError(err)
	}
	return r.queryTenant(ctx, tx, "SELECT t.* FROM "+r.tenants+" AS t WHERE t.id = $1", now.ID)
}
