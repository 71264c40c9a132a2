package migrate

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// needy is a schema that is behind, or a list of such.
type needy struct {
	t    target
	list *schemaList
}

// need notes what tell has to tell of, if somebody hears it.
func (s *survey) need(n needy) {
	if s.run.config.OnSchemaNeedsSync == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.needs = append(s.needs, n)
}

// tell calls the hook for the schemas that are behind; after an inspection, for several at a
// time. It holds no connection meanwhile: the hook, and Config.Tenant, may need one.
func (s *survey) tell(ctx context.Context) error {
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(1)
	if s.inspects() {
		calls.SetLimit(s.run.jobs(0))
	}
	call := func(t target) {
		calls.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return s.run.needsSync(ctx, t)
		})
	}
	for _, n := range s.needs {
		if n.list == nil {
			call(n.t)
			continue
		}
		if err := s.run.eachOf(ctx, *n.list, call); err != nil {
			calls.Go(func() error { return err })
			break
		}
	}
	return calls.Wait()
}

// eachOf calls f for each schema of a list, and holds no connection meanwhile.
func (r *run) eachOf(ctx context.Context, list schemaList, f func(t target)) error {
	for after := int64(0); ; {
		var page []target
		err := r.ask(ctx, func(c changer) (err error) {
			page, err = c.pageIn(ctx, list, after)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, t := range page {
			f(t)
			after = t.id
		}
	}
}
