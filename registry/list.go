package registry

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// page is how many tenants All holds at a time.
const page = 500

// All iterates over all tenants, public included, in the order of their ids. It
// reads them a page at a time and holds no connection and no transaction while
// the loop's body runs, so the body may take its time and use the registry;
// tenants that come or go meanwhile may or may not be seen. A row that is no good
// comes as a RowError, and the iteration goes on; a query that fails ends it.
//
//	for t, err := range registry.All(ctx) {
//		if err != nil {
//			return err
//		}
//		…
//	}
func (r *Registry) All(ctx context.Context) iter.Seq2[*tenant.Tenant, error] {
	return r.list(ctx, "true")
}

// list iterates over the tenants that fulfil a condition.
func (r *Registry) list(ctx context.Context, condition string) iter.Seq2[*tenant.Tenant, error] {
	return func(yield func(*tenant.Tenant, error) bool) {
		var after *int64
		for {
			rows, err := r.pageAfter(ctx, after, condition)
			if err != nil {
				yield(nil, fmt.Errorf("list tenants: %w", err))
				return
			}
			for _, row := range rows {
				if !yield(row.tenant, row.err) {
					return
				}
			}
			if len(rows) < page {
				return
			}
			after = &rows[len(rows)-1].id
		}
	}
}

// listed is a row of the list: a tenant, or why it is none.
type listed struct {
	id     int64
	tenant *tenant.Tenant
	err    error
}

func (r *Registry) pageAfter(ctx context.Context, after *int64, condition string) ([]listed, error) {
	sql, args := "SELECT t.* FROM "+r.tenants+" AS t WHERE "+condition, []any{}
	if after != nil {
		sql, args = sql+" AND t.id > $1", append(args, *after)
	}
	rows, err := r.query(ctx, r.pool, fmt.Sprintf("%s ORDER BY t.id LIMIT %d", sql, page), args...)
	if err != nil {
		return nil, err
	}
	tenants, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (listed, error) {
		t, err := scanTenant(row)
		switch {
		case err == nil:
			t.Database = r.config.Database
			return listed{id: t.ID, tenant: t}, nil
		case t != nil && t.ID != 0:
			return listed{id: t.ID, err: err}, nil
		}
		return listed{}, err
	})
	return tenants, r.tablesError(err)
}

// Domains returns the domains of t, the primary one first. Those that are no good, which an
// existing table may have, are named by an error that wraps tenant.ErrInvalidDomain, beside
// the others.
func (r *Registry) Domains(ctx context.Context, t *tenant.Tenant) ([]tenant.Domain, error) {
	domains, err := r.DomainsOf(ctx, t)
	if err != nil {
		err = fmt.Errorf("%v: %w", t, err)
	}
	return domains[t.ID], err
}

// DomainsOf returns the domains of tenants by the tenants' ids, the primary one first, in
// one query. Those that are no good are named by an error, as in Domains.
func (r *Registry) DomainsOf(ctx context.Context, tenants ...*tenant.Tenant) (map[int64][]tenant.Domain, error) {
	ids := make([]int64, len(tenants))
	for i, t := range tenants {
		ids[i] = t.ID
	}
	domains := make(map[int64][]tenant.Domain)
	var bad []error
	rows, err := r.query(ctx, r.pool, "SELECT d.tenant_id, d.domain FROM "+r.domains+" AS d WHERE d.tenant_id = ANY ($1) ORDER BY d.tenant_id, d.is_primary DESC, d.domain", ids)
	if err == nil {
		var id int64
		var text string
		_, err = pgx.ForEachRow(rows, []any{&id, &text}, func() error {
			domain, err := tenant.ParseDomain(text)
			if err != nil {
				bad = append(bad, fmt.Errorf("domains: tenant_id %d: %w", id, err))
				return nil
			}
			domains[id] = append(domains[id], domain)
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("domains of tenants: %w", r.tablesError(err))
	}
	return domains, errors.Join(bad...)
}
