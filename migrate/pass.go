package migrate

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// pass changes the schemas that are behind, several at a time; limit, if it is not zero,
// is how many. The error says that it is not known whether what was done is on disk.
func (r *run) pass(ctx context.Context, b behind, limit int) error {
	count := b.count
	if limit > 0 {
		count = min(count, limit)
	}
	r.start(count)
	var begun atomic.Int64
	for _, which := range []listing{ofDigests, unknown} {
		digests, left := b.digests, 0
		if which == unknown {
			digests = nil
		}
		if limit > 0 {
			left = limit - int(begun.Load())
		}
		if which == ofDigests && len(digests) == 0 || which == unknown && !b.unknown || limit > 0 && left == 0 {
			continue
		}
		next := func(c changer, after int64) ([]target, error) {
			return c.pageOf(ctx, r.selection, digests, after, which)
		}
		err := r.each(ctx, next, left, func(w *worker, t target) {
			begun.Add(1)
			if !r.hasFailed(t) {
				r.done(t, r.change(ctx, w, t))
			}
		})
		if err != nil {
			r.halt(err)
		}
	}
	return r.flush(ctx)
}

func (r *run) hasFailed(t target) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed.has(t.id)
}

// halt has no more schemas begun.
func (r *run) halt(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped == nil {
		r.stopped = err
	}
}

// each calls f for every schema of a list that is read a page at a time, with the
// workers of the run.
func (r *run) each(ctx context.Context, next func(c changer, after int64) ([]target, error), limit int, f func(w *worker, t target)) error {
	todo := make(chan target, page)
	var work sync.WaitGroup
	for range r.jobs(limit) {
		work.Go(func() {
			w := &worker{run: r}
			defer w.close(ctx)
			for {
				t, ok := w.next(ctx, todo)
				if !ok {
					return
				}
				if !r.halted() && ctx.Err() == nil {
					f(w, t)
				}
			}
		})
	}
	defer work.Wait()
	defer close(todo)
	after, n := int64(0), 0
	for {
		var page []target
		err := r.ask(ctx, func(c changer) (err error) {
			page, err = next(c, after)
			return err
		})
		if err != nil {
			return err
		}
		for _, t := range page {
			if limit > 0 && n == limit || r.halted() {
				return nil
			}
			select {
			case todo <- t:
				n++
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			after = t.id
		}
		if len(page) == 0 {
			return nil
		}
	}
}

// jobs is how many schemas are worked on at a time.
func (r *run) jobs(limit int) int {
	jobs := r.options.Jobs
	if jobs == 0 {
		jobs = defaultJobs
		if r.free > 0 {
			jobs = max(1, min(jobs, r.free/2))
		}
	}
	if limit > 0 {
		jobs = min(jobs, limit)
	}
	return min(jobs, int(r.pool.Config().MaxConns)-spare)
}

// spare is how many connections of the pool workers leave to others: to the list of what
// is to be done, and to hooks.
const spare = 2

const defaultJobs = 4

// start tells how many schemas there are to work on.
func (r *run) start(n int) {
	if r.options.OnStart != nil && n > 0 {
		r.options.OnStart(n)
	}
}

// done takes the outcome of a schema into the report, and tells of it.
func (r *run) done(t target, result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Untouched = max(0, r.report.Untouched-1)
	if r.changed.has(t.id) { // and the server has forgotten it
		r.report.Done--
	}
	if t.id != 0 && len(result.Applied) > 0 {
		r.changed.add(t.id)
	}
	switch {
	case errors.Is(result.Err, ErrInterrupted):
		r.report.Interrupted++
	case result.Err != nil:
		r.fail(1)
		r.report.count(result, 1)
		if t.id != 0 {
			r.failed.add(t.id)
		}
		if len(r.report.Failures) < maxShown {
			r.report.Failures = append(r.report.Failures, result)
		}
	case len(result.Applied) == 0 && !r.changed.has(t.id):
		r.report.Current++ // somebody else did it
	default:
		r.report.Done++
	}
	if r.options.OnResult != nil {
		r.options.OnResult(result)
	}
}

// fail counts schemas that failed, and ends the run if that is enough.
func (r *run) fail(n int) {
	r.report.Failed += n
	if r.stopped == nil && (r.options.FailFast || r.options.MaxFailures > 0 && r.report.Failed > r.options.MaxFailures) {
		r.stopped = errTooManyFailed
	}
}

var errTooManyFailed = errors.New("the run ended because schemas failed")

// maxShown is how many schemas a report, a plan or an error names.
const maxShown = 100
