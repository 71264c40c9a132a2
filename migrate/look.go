package migrate

import (
	"context"
	"slices"

	"github.com/cotenant/cotenant/tenant"
)

// behind is what is to be done.
type behind struct {
	digests []string
	unknown bool // there are some that could not be looked at
	count   int
}

// look counts the schemas and plans for each digest. The first time it refuses what
// cannot be planned.
func (r *run) look(ctx context.Context, first bool) (b behind, err error) {
	groups, err := r.counted(ctx, r.selection)
	if err != nil {
		return b, err
	}
	current, faults := 0, faultList{}
	for _, g := range groups {
		switch {
		case g.missing:
			if first {
				if err := r.missing(ctx, g); err != nil {
					return b, err
				}
			}
		case g.digest == nil: // another program was at work there
			b.unknown = true
			b.count += g.count
		default:
			if first {
				r.report.retire(g.plan.retired, g.count)
			}
			switch {
			case g.plan.err != nil:
				faults.add(g, g.plan.err)
			case g.plan.none:
				current += g.count
			default:
				b.digests = append(b.digests, *g.digest)
				b.count += g.count
			}
		}
	}
	r.report.Untouched = b.count + faults.count
	if first {
		r.report.Current += current
		return b, faults.err("no tenant's schema was touched")
	}
	return b, faults.err("these came up when the others had been seen to")
}

// counted counts the schemas of a selection by the digest of their histories, and plans
// for each digest.
func (r *run) counted(ctx context.Context, s *selection) (groups []group, err error) {
	which := unknown
	if r.options.Verify && !r.verified {
		which = existing
	}
	if err := r.reindex(ctx, s, nil, which); err != nil {
		return nil, err
	}
	r.verified = true
	groups, stale, err := r.groups(ctx, s)
	if err == nil && len(stale) > 0 {
		if err = r.reindex(ctx, s, stale, ofDigests); err == nil {
			groups, _, err = r.groups(ctx, s)
		}
	}
	return groups, err
}

// groups counts the schemas by digest and plans for each. Those that are stale are the
// digests of which one schema turned out not to have what the index says.
func (r *run) groups(ctx context.Context, s *selection) (groups []group, stale []string, err error) {
	err = r.ask(ctx, func(c changer) (err error) {
		if groups, err = c.groups(ctx, s, slices.Collect(r.failed.all())); err != nil {
			return err
		}
		stale, err = r.planAll(ctx, c, groups)
		return err
	})
	return groups, stale, err
}

// reindex reads the histories of the schemas of a list.
func (r *run) reindex(ctx context.Context, s *selection, digests []string, which listing) error {
	var some bool
	err := r.ask(ctx, func(c changer) (err error) {
		some, err = c.anyOf(ctx, s, digests, which)
		return err
	})
	if err != nil || !some {
		return err
	}
	return r.each(ctx, func(c changer, after int64) ([]target, error) { return c.pageOf(ctx, s, digests, after, which) }, 0,
		func(w *worker, t target) {
			if r.hasFailed(t) {
				return
			}
			err := w.use(ctx, func(c changer) error {
				_, err := r.indexed(ctx, c, t)
				return err
			})
			// What passes is tried again when it is the schema's turn.
			if err != nil && ctx.Err() == nil && !isBusy(err) && !passes(err) {
				r.done(t, Result{Schema: t.schema, Err: err})
			}
		})
}

// missing reports schemas that are not there.
func (r *run) missing(ctx context.Context, g group) error {
	var names map[string]string
	err := r.ask(ctx, func(c changer) (err error) {
		names, err = c.renamed(ctx, g.schemas)
		return err
	})
	if err != nil {
		return err
	}
	var last Result
	for _, name := range g.schemas {
		schema, err := tenant.ParseSchema(name)
		if err == nil {
			err = r.errRenamed(schema, names[name])
		}
		last = Result{Schema: schema, Err: err}
		r.done(target{schema: schema}, last)
	}
	if more := g.count - len(g.schemas); more > 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.fail(more)
		r.report.count(last, more)
	}
	return nil
}
