package adopt

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/drift"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// public compares public with the shared apps, and records what it has.
func (r *run) public(ctx context.Context, m *matcher) error {
	reader := drift.NewReader(r.Pool, nil)
	defer reader.Close(ctx)
	s, err := reader.Read(ctx, tenant.PublicSchema())
	if err != nil {
		return fmt.Errorf("schema %q: %w", tenant.PublicSchema(), err)
	}
	recorded, err := r.recorded(ctx, tenant.PublicSchema())
	if err != nil {
		return err
	}
	v := m.match(s, recorded)
	r.report.Public = v.states
	if differs(v.states) && r.Differing == Leave {
		r.report.PublicDiffers, r.dry = true, true
	} else if err := replayable(v); err != nil {
		return err
	}
	if err := r.mayRecord(ctx); err != nil {
		return err
	}
	if r.dry {
		return nil
	}
	if err := r.Migrator.Fleet(r.Pool).Install(ctx); err != nil {
		return err
	}
	r.installed = true
	if r.source.id != "" {
		if err := r.Registry.ReserveIDs(ctx, r.overview.largest); err != nil {
			return err
		}
	}
	if err := r.recordPublic(ctx, v); err != nil {
		now, again := r.recorded(ctx, tenant.PublicSchema())
		if again != nil || !slices.Contains(now, recordable(v.states)[0].App) { // else another program was faster
			return err
		}
	}
	// What the newest state has is not there yet where public is behind.
	now, err := tenantColumns(ctx, r.Pool)
	if err == nil {
		r.columns, r.report.ColumnsLeft, r.report.ColumnsOwn, err = r.source.copied(now)
		r.report.Columns = columnNames(r.columns)
	}
	return err
}

// mayRecord refuses a login that may not make in public what records the shared apps.
func (r *run) mayRecord(ctx context.Context) error {
	var may bool
	err := r.Pool.QueryRow(ctx, `SELECT pg_catalog.to_regclass('public.cotenant_migrations') IS NOT NULL OR coalesce(pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace('public'), 'CREATE'), true)`,
		pgx.QueryExecModeExec).Scan(&may)
	if err == nil && !may {
		return fmt.Errorf("schema %q: role %q may not create in it, and the shared apps are recorded there (GRANT CREATE ON SCHEMA public TO %s)", tenant.PublicSchema(), r.login, quote(r.login))
	}
	return err
}

// replayable refuses states on the way to which the registry was changed by what may have done
// something else as well: that would be done twice.
func replayable(v *verdict) error {
	for _, at := range v.match {
		for _, stmt := range at.registry {
			if !stmt.Plain {
				return fmt.Errorf("%s: it changes cotenant.tenants or cotenant.domains, and may do more, which would be done again (write that as ALTER TABLE cotenant.tenants …, "+
					"in a statement of its own)\n\t%s", stmt.Where, stmt.SQL)
			}
		}
	}
	return nil
}

// recordPublic records the states of the shared apps, and runs what of their files has
// changed the registry.
func (r *run) recordPublic(ctx context.Context, v *verdict) error {
	states := recordable(v.states)
	if len(states) == 0 {
		return nil
	}
	public := tenant.PublicSchema()
	return pgx.BeginFunc(ctx, r.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_catalog.set_config('search_path', $1, true)", pgx.QueryExecModeExec, searchpath.For(public)); err != nil {
			return err
		}
		for _, at := range v.match {
			for _, stmt := range at.registry {
				if _, err := tx.Exec(ctx, stmt.SQL, pgx.QueryExecModeExec); err != nil {
					return fmt.Errorf("%s: a statement of the shared apps that changes the registry: %w (if what it does is there already, record its app first: migrate APP --fake)\n\t%s", stmt.Where, err, stmt.SQL)
				}
			}
		}
		return r.Migrator.Record(ctx, tx, &tenant.Tenant{Schema: public}, states)
	})
}
