package migrate

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
)

// run is a run over many schemas.
type run struct {
	*Migrator
	pool      *pgxpool.Pool
	options   RunOptions
	selection *selection
	request   request
	free      int                           // connections that the server has left; 0 if that was not asked
	noIndex   bool                          // there is no index yet
	verified  bool                          // the index was compared with the histories
	ahead     struct{ behind, current int } // tenants' schemas, as they were before public was changed
	public    history                       // as it will be when the tenants' turn comes; nil if it is not known or no matter
	learned   learned
	notRun    map[string]map[int]string // the first words of statements, by file and line

	mu      sync.Mutex
	report  Report
	failed  tenantSet // whose schemas failed: they are not begun again
	changed tenantSet // whose schemas were changed: they count once, also if the server forgot that
	plans   map[string]planned
	stopped error // why no more are begun
}

// planned is what is to be done in schemas of one digest.
type planned struct {
	steps   []step
	err     error
	stale   bool     // the digest is wrong where it was looked at
	grounds []edge   // from what a tenant's history has
	after   history  // of public, behind the steps
	retired []string // apps in the history that are on no list
}

// none reports whether there is nothing to do.
func (p planned) none() bool { return p.err == nil && !p.stale && len(p.steps) == 0 }

// fleet is the algorithm of a run:
//  1. what the engine keeps is made, if it is not there;
//  2. public is looked at, and changed: the shared apps. Before that the tenants'
//     schemas are looked at as in 3. and 4.: what cannot be planned ends the run before
//     anything is touched. Then the migrator role gets what it may have: new tenants
//     refer to new shared tables, too;
//  3. schemas of which nothing is known have their histories read, and indexed;
//  4. the tenants' schemas are counted by the digest of their histories, in one query,
//     and it is planned for each digest. What cannot be planned ends the run before
//     a tenant's schema is touched;
//  5. those that are behind are changed, a page of them at a time, several at once;
//  6. a commit that is waited for makes sure that all before it are on disk;
//  7. from 3. on again, until none is behind but those that failed: older programs may
//     have created tenants meanwhile, and a server that crashed has forgotten commits
//     that were not waited for.
func (r *run) fleet(ctx context.Context) error {
	err := r.ask(ctx, func(c changer) error {
		if err := r.checkNames(ctx, c); err != nil {
			return err
		}
		if err := c.ensureEngine(ctx); err != nil {
			return err
		}
		return c.checkRole(ctx)
	})
	if err != nil {
		return err
	}
	if r.selection.public && !r.halted() {
		if err := r.shared(ctx); err != nil {
			return err
		}
	}
	if r.report.Failed > 0 || r.halted() {
		return nil // the shared apps come first
	}
	if err := r.guard(ctx); err != nil {
		return err
	}
	if !r.selection.tenants {
		return nil
	}
	err = r.ask(ctx, func(c changer) error { return errors.Join(c.unmatched(ctx, r.selection), r.readPublic(ctx, c)) })
	if err != nil {
		return err
	}
	for round := 0; ; round++ {
		behind, err := r.look(ctx, round == 0)
		if err == nil && behind.count == 0 && round == 0 {
			return r.flushOthers(ctx)
		}
		if err != nil || behind.count == 0 || r.halted() {
			return err
		}
		if round == rounds {
			return errors.New("there are always more schemas that are behind (is an older program creating tenants? run it again)")
		}
		if round == 0 {
			if err := r.sayUnguarded(ctx); err != nil {
				return err
			}
		}
		if failed := r.report.Failed; round == 0 && r.options.Canary > 0 {
			if err := r.pass(ctx, behind, r.options.Canary); err != nil {
				return err
			}
			if r.report.Failed > failed {
				return ErrCanary
			}
			behind.count = max(0, behind.count-r.options.Canary)
		}
		if err := r.pass(ctx, behind, 0); err != nil {
			return err
		}
		if r.request.compare { // once is enough
			r.request.compare = false
			clear(r.plans)
		}
	}
}

// ErrCanary says that a schema that went first has failed.
var ErrCanary = errors.New("a canary failed, so the other schemas were not touched")

// rounds bounds how often a run looks again.
const rounds = 5

// withConn calls f with a connection of the pool, which is as new afterwards.
func (r *run) withConn(ctx context.Context, f func(c changer) error) error {
	return r.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		c := r.changer(conn)
		return errors.Join(f(c), c.discard(ctx))
	})
}

// ask calls f as withConn does, and again if what it asks the server fails for a reason
// that passes.
func (r *run) ask(ctx context.Context, f func(c changer) error) error {
	pauses := newPauses()
	for attempt := 0; ; attempt++ {
		err := r.withConn(ctx, f)
		if err == nil || !passes(err) || attempt == r.config.Retries || !pause(ctx, pauses.NextBackOff()) {
			return err
		}
	}
}

func (r *run) changer(conn *pgxpool.Conn) changer {
	return changer{Migrator: r.Migrator, conn: conn.Conn(), run: r}
}

// halted reports whether no more schemas are to be begun.
func (r *run) halted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped == nil {
		select {
		case <-r.options.Stop:
			r.stopped = ErrStopped
		default:
		}
	}
	return r.stopped != nil
}

// ErrStopped says that a run was ended before all was done.
var ErrStopped = errors.New("the run was stopped")

// shared brings the shared apps to public.
func (r *run) shared(ctx context.Context) error {
	var t target
	var p planned
	err := r.withConn(ctx, func(c changer) (err error) {
		if t, err = c.public(ctx); err != nil {
			return err
		}
		if t.digest == "" || r.options.Verify {
			if t.digest, err = r.indexed(ctx, c, t); err != nil {
				return err
			}
		}
		p, err = r.planFor(ctx, c, t)
		return err
	})
	if isBusy(err) || passes(err) {
		p, err = planned{stale: true}, nil // change waits, and looks again
		t.digest = ""
	}
	switch {
	case err != nil:
		return err
	}
	r.report.retire(p.retired, 1)
	switch {
	case p.err != nil:
		return fmt.Errorf("schema %q: %w", t.schema, p.err)
	case p.none():
		r.report.Current++
		r.public = p.after
		return nil
	}
	if err := r.foresee(ctx, p); err != nil {
		return err
	}
	r.start(1)
	w := &worker{run: r}
	defer w.close(ctx)
	result := r.change(ctx, w, t)
	if result.Err != nil && r.selection.tenants {
		r.report.Untouched, r.report.Current = r.ahead.behind+1, r.ahead.current
		result.Err = fmt.Errorf("%w; the shared apps come first, and no tenant's schema was touched", result.Err)
	}
	r.done(t, result)
	return nil
}
