package migrate

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// Schemas iterates over the schemas of the tenants that are selected, in the order of the
// tenants' ids, whether they are there or not. They are read a page at a time, and no
// connection is held in between. A name that no tenant has, or a pattern that none
// matches, is an error. One that wraps tenant.ErrInvalidSchema is about a single row, and
// the others follow; every other one ends the iteration.
func (f *Fleet) Schemas(ctx context.Context, selection *Selection) iter.Seq2[tenant.Schema, error] {
	return func(yield func(tenant.Schema, error) bool) {
		r, err := f.listing(ctx, selection)
		if err != nil || r == nil {
			if err != nil {
				yield(tenant.Schema{}, err)
			}
			return
		}
		for after := int64(0); ; {
			var rows []named
			err := r.ask(ctx, func(c changer) (err error) {
				rows, err = c.names(ctx, r.selection, after)
				return err
			})
			if err != nil {
				yield(tenant.Schema{}, err)
				return
			}
			for _, row := range rows {
				schema, err := tenant.ParseSchema(row.Name)
				if err != nil {
					err = fmt.Errorf("%s: tenant %d: %w", r.config.TenantsTable.Sanitize(), row.ID, err)
				}
				if !yield(schema, err) {
					return
				}
				after = row.ID
			}
			if len(rows) < page {
				return
			}
		}
	}
}

// CountSchemas returns how many schemas the tenants have that are selected: as many as
// Schemas yields.
func (f *Fleet) CountSchemas(ctx context.Context, selection *Selection) (count int, err error) {
	r, err := f.listing(ctx, selection)
	if err != nil || r == nil {
		return 0, err
	}
	err = r.ask(ctx, func(c changer) error {
		err := c.conn.QueryRow(ctx, "SELECT count(*) FROM ("+c.chosen()+") AS t", pgx.QueryExecModeExec, r.selection.only(), r.selection.without()).Scan(&count)
		return c.tablesError(err)
	})
	return count, err
}

// listing returns a run that lists the tenants' schemas; nil if none can be selected.
func (f *Fleet) listing(ctx context.Context, selection *Selection) (*run, error) {
	var o RunOptions
	if selection != nil {
		o.Selection = *selection
	}
	r, err := f.newRun(&o, request{})
	if err != nil || !r.selection.tenants {
		return nil, err
	}
	return r, r.ask(ctx, func(c changer) error {
		there, err := r.hasTenants(ctx, c)
		if err == nil && !there {
			err = c.errNoTenants()
		}
		if err != nil {
			return err
		}
		return c.unmatched(ctx, r.selection)
	})
}

// named is a tenant's row.
type named struct {
	ID   int64
	Name string
}

// names returns the next page of the schemas of a selection, as the rows have them.
func (c changer) names(ctx context.Context, s *selection, after int64) ([]named, error) {
	rows, err := c.conn.Query(ctx, fmt.Sprintf("SELECT t.id, t.schema_name FROM (%s) AS t WHERE t.id > $3 ORDER BY t.id LIMIT %d", c.chosen(), page),
		pgx.QueryExecModeExec, s.only(), s.without(), after)
	if err != nil {
		return nil, c.tablesError(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[named])
	return list, c.tablesError(err)
}
