package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cotenant/cotenant/tenant"
)

// lookupTimeout bounds a look-up that several callers wait for, none of whose
// contexts can be the one that bounds it.
const lookupTimeout = 10 * time.Second

// ByDomain returns the tenant that domain leads to, from the cache if it is
// there. The error wraps tenant.ErrTenantNotFound if there is none, and ErrBusy if
// too many look-ups wait for the database, or it does not answer.
func (r *Registry) ByDomain(ctx context.Context, domain tenant.Domain) (*tenant.Tenant, error) {
	t, err := r.lookup(ctx, name{domainName, domain.String()})
	if err != nil {
		return nil, fmt.Errorf("domain %q: %w", domain, err)
	}
	return t, nil
}

// BySchema returns the tenant of schema, without regard to case, from the cache
// if it is there. The errors are those of ByDomain.
func (r *Registry) BySchema(ctx context.Context, schema tenant.Schema) (*tenant.Tenant, error) {
	t, err := r.lookup(ctx, name{schemaName, strings.ToLower(schema.String())})
	if err != nil {
		return nil, fmt.Errorf("schema %q: %w", schema, err)
	}
	return t, nil
}

// ByID returns the tenant with the id, from the database. The error wraps
// tenant.ErrTenantNotFound if there is none.
func (r *Registry) ByID(ctx context.Context, id int64) (*tenant.Tenant, error) {
	t, err := r.queryTenant(ctx, r.pool, "SELECT t.* FROM "+r.tenants+" AS t WHERE t.id = $1", id)
	if err != nil {
		return nil, fmt.Errorf("tenant %d: %w", id, err)
	}
	return t, nil
}

// lookup answers from the cache or asks the database, once for all who ask for
// the same name meanwhile.
func (r *Registry) lookup(ctx context.Context, n name) (*tenant.Tenant, error) {
	if t, unknown := r.cache.get(n, time.Now()); t != nil {
		return t, nil
	} else if unknown {
		return nil, tenant.ErrTenantNotFound
	}
	// A look-up that begins after a change does not share the answer of one that
	// began before it.
	flight := fmt.Sprint(n.kind, " ", n.text, " ", r.cache.generation())
	filled := r.fills.DoChan(flight, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
		defer cancel()
		t, err := r.fill(ctx, n)
		if err != nil && ctx.Err() != nil { // not the callers', who have time
			err = fmt.Errorf("%w: no answer within %v (%v)", ErrBusy, lookupTimeout, err) //nolint:errorlint // it is not their deadline
		}
		return t, err
	})
	select {
	case result := <-filled:
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*tenant.Tenant), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fill asks the database for n and caches the answer. Only a few of these are
// under way at once, so that a flood of made-up names cannot take the database's
// whole attention.
func (r *Registry) fill(ctx context.Context, n name) (*tenant.Tenant, error) {
	lane := r.unknown
	if r.cache.knew(n) {
		lane = r.known
	}
	if err := lane.enter(ctx); err != nil {
		return nil, err
	}
	defer lane.leave()
	// Another look-up may have answered while this one waited, or between our
	// caller's glance at the cache and here.
	if t, unknown := r.cache.get(n, time.Now()); t != nil {
		return t, nil
	} else if unknown {
		return nil, tenant.ErrTenantNotFound
	}
	generation := r.cache.generation()
	t, err := r.queryTenant(ctx, r.pool, r.lookupSQL(n.kind), n.text)
	if err == nil || errors.Is(err, tenant.ErrTenantNotFound) {
		r.cache.put(n, t, generation, time.Now())
	}
	return t, err
}

func (r *Registry) lookupSQL(kind nameKind) string {
	if kind == domainName {
		return "SELECT t.* FROM " + r.domains + " AS d JOIN " + r.tenants + " AS t ON t.id = d.tenant_id WHERE d.domain = $1"
	}
	return "SELECT t.* FROM " + r.tenants + " AS t WHERE pg_catalog.lower(t.schema_name) = $1"
}
