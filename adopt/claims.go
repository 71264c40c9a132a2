package adopt

import (
	"context"
	"errors"

	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// examine looks at rows, and returns those that can become tenants, with what the registry has
// of what they want. refuse is called with the others.
func (r *run) examine(ctx context.Context, rows []row, refuse func(name string, err error)) ([]*newcomer, *registry.Taken, error) {
	var all []*newcomer
	var schemas []string
	var domains []tenant.Domain
	var ids []int64
	for _, t := range rows {
		if !r.selected(t) {
			continue
		}
		if t.schema != tenant.PublicSchema().String() {
			r.matched = true
		}
		n, err := r.newcomer(t)
		if err != nil {
			refuse(t.schema, err)
			continue
		}
		if t.owner != nil {
			n.owner, n.creates = *t.owner, *t.creates
		}
		all, schemas, domains, ids = append(all, n), append(schemas, t.schema), append(domains, n.Domains...), append(ids, n.ID)
	}
	if !r.installed {
		return all, &registry.Taken{}, nil
	}
	taken, err := r.Registry.Taken(ctx, schemas, domains, ids)
	return all, taken, err
}

// claims counts the schemas that claim a domain which another has. If there are any, nothing is
// written, so that who has it can be settled before anything is changed.
func (r *run) claims(ctx context.Context) error {
	if r.SkipClaimed || len(r.overview.domains) == 0 && !r.installed {
		return nil
	}
	count := func(_ string, err error) {
		if errors.Is(err, tenant.ErrDomainTaken) {
			r.report.Claimed++
		}
	}
	err := r.source.pages(ctx, r.Pool, nil, func(rows []row) error {
		all, taken, err := r.examine(ctx, rows, count)
		if err != nil {
			return err
		}
		for _, n := range all {
			count("", n.free(taken))
		}
		return nil
	})
	r.dry = r.dry || r.report.Claimed > 0
	return err
}
