package cotenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"sync"

	"github.com/cotenant/cotenant/tenant"
)

// EachConfig has the settings of Each. A nil EachConfig has all the defaults.
type EachConfig struct {
	// Jobs is for how many tenants at a time the function is called. Defaults to
	// 4.
	Jobs int
	// SkipPublic leaves the public tenant out. Defaults to false.
	SkipPublic bool
}

// Each calls f for every tenant, with a context that carries the tenant, several at
// a time, and yields each tenant with f's error as soon as f returns: in no
// particular order. An error without a tenant is about the list of tenants: a row
// that is no good, a context that is done, a database that does not answer.
//
//	for t, err := range tenancy.Each(ctx, nil, report) {
//		if err != nil {
//			log.Println(t, err)
//		}
//	}
//
// The tenants are read a page at a time, so that it does not matter how many there
// are; those that come or go meanwhile may or may not be seen. Where the loop is
// left, or ctx ends, the contexts of the calls that are under way end and no more
// are made; the loop ends when they have returned. A panic in f goes on in the loop.
func (t *Tenancy) Each(ctx context.Context, config *EachConfig, f func(ctx context.Context, t *tenant.Tenant) error) iter.Seq2[*tenant.Tenant, error] {
	var c EachConfig
	if config != nil {
		c = *config
	}
	return func(yield func(*tenant.Tenant, error) bool) {
		if c.Jobs < 0 {
			yield(nil, fmt.Errorf("cotenant: EachConfig.Jobs is %d (use 0 for the default)", c.Jobs))
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		todo, outcomes := make(chan *tenant.Tenant), make(chan outcome)
		var work sync.WaitGroup
		work.Go(func() {
			defer close(todo)
			t.list(ctx, c.SkipPublic, todo, outcomes)
		})
		for range cmp.Or(c.Jobs, 4) {
			work.Go(func() {
				for each := range todo {
					if ctx.Err() != nil { // since list looked
						outcomes <- outcome{err: context.Cause(ctx)}
						continue
					}
					outcomes <- outcomeOf(ctx, each, f)
				}
			})
		}
		go func() {
			work.Wait()
			close(outcomes)
		}()
		defer func() {
			cancel()
			for range outcomes { // until all have returned
			}
		}()
		for o := range outcomes {
			if o.panic != "" {
				panic(o.panic)
			}
			if !yield(o.tenant, o.err) {
				return
			}
		}
	}
}

// list sends all tenants to todo until ctx is done, and what is wrong to outcomes.
func (t *Tenancy) list(ctx context.Context, skipPublic bool, todo chan<- *tenant.Tenant, outcomes chan<- outcome) {
	for each, err := range t.registry.All(ctx) {
		if err != nil {
			outcomes <- outcome{err: err}
			continue
		}
		if skipPublic && each.IsPublic() {
			continue
		}
		select {
		case todo <- each:
		case <-ctx.Done():
			outcomes <- outcome{err: context.Cause(ctx)}
			return
		}
	}
}

// outcome is what came of a call.
type outcome struct {
	tenant *tenant.Tenant
	err    error
	panic  string // what it was, and where
}

// errGone is the outcome of a call that ended its goroutine.
var errGone = errors.New("the function called runtime.Goexit, as t.FailNow does (return an error instead)")

// outcomeOf calls f for a tenant, on a goroutine that f may end.
func outcomeOf(ctx context.Context, t *tenant.Tenant, f func(context.Context, *tenant.Tenant) error) outcome {
	o := outcome{tenant: t, err: errGone}
	var call sync.WaitGroup
	call.Add(1)
	go func() {
		defer call.Done()
		defer func() {
			if p := recover(); p != nil {
				o.panic = fmt.Sprintf("cotenant: Each: %v: %v\n\n%s", t, p, debug.Stack())
			}
		}()
		o.err = f(tenant.NewContext(ctx, t), t)
	}()
	call.Wait()
	return o
}
