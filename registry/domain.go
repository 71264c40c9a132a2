package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// AddDomain has domain lead to t, as its primary one if primary is true, or if it has none;
// the one that was primary before then is no longer. A domain that leads to t already is only
// made primary, or left as it is.
//
// The error wraps tenant.ErrDomainTaken if domain leads to another tenant, or
// tenant.ErrTenantNotFound.
func (r *Registry) AddDomain(ctx context.Context, t *tenant.Tenant, domain tenant.Domain, primary bool) error {
	if domain.IsZero() {
		return fmt.Errorf("%v: %w: it is not set (use tenant.ParseDomain)", t, tenant.ErrInvalidDomain)
	}
	err := r.changeRow(ctx, t, func(ctx context.Context, tx pgx.Tx, now *tenant.Tenant) error {
		if primary {
			_, err := tx.Exec(ctx, "UPDATE "+r.domains+" SET is_primary = false WHERE tenant_id = $1 AND is_primary AND domain <> $2", pgx.QueryExecModeDescribeExec, now.ID, domain.String())
			if err != nil {
				return err
			}
		}
		tag, err := tx.Exec(ctx, "INSERT INTO "+r.domains+" AS d (domain, tenant_id, is_primary) VALUES ($1, $2, $3 OR NOT EXISTS (SELECT FROM "+r.domains+" AS p WHERE p.tenant_id = $2 AND p.is_primary)) ON CONFLICT (domain) DO UPDATE SET is_primary = d.is_primary OR excluded.is_primary WHERE d.tenant_id = $2",
			pgx.QueryExecModeDescribeExec, domain.String(), now.ID, primary)
		if err == nil && tag.RowsAffected() == 0 {
			return fmt.Errorf("%w%s (remove it there first, or choose another)", tenant.ErrDomainTaken, r.ownerOf(ctx, tx, domain))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%v: add domain %q: %w", t, domain, err)
	}
	r.cache.forgetName(name{domainName, domain.String()})
	return nil
}

// RemoveDomain has domain lead nowhere. The primary one of several is refused. The error wraps
// tenant.ErrTenantNotFound if it did not lead to t.
func (r *Registry) RemoveDomain(ctx context.Context, t *tenant.Tenant, domain tenant.Domain) error {
	err := r.changeRow(ctx, t, func(ctx context.Context, tx pgx.Tx, now *tenant.Tenant) error {
		var primary, others bool
		err := tx.QueryRow(ctx, "DELETE FROM "+r.domains+" AS d WHERE d.domain = $1 AND d.tenant_id = $2 RETURNING d.is_primary, EXISTS (SELECT FROM "+r.domains+" AS o WHERE o.tenant_id = $2 AND o.domain <> $1)",
			pgx.QueryExecModeDescribeExec, domain.String(), now.ID).Scan(&primary, &others)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return fmt.Errorf("%w: it does not lead there", tenant.ErrTenantNotFound)
		case err == nil && primary && others:
			return errors.New("it is the primary one, and there are others (make one of them primary first)")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%v: remove domain %q: %w", t, domain, r.tablesError(err))
	}
	r.cache.forgetName(name{domainName, domain.String()})
	return nil
}
