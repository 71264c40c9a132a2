package migrate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/tenant"
)

// visit is the work of a run on one schema.
type visit struct {
	*run
	worker *worker
	t      target
	result Result
	doubt  []step // were sent, and it is not known whether they were committed

	attempts int
	waiting  time.Time // since when another program is waited for
}

// change brings a schema to where the request wants it, and tries again what passes: a
// lock that somebody holds, a deadlock, a lost connection. Every attempt begins where
// the last one came to.
func (r *run) change(ctx context.Context, w *worker, t target) Result {
	v := visit{run: r, worker: w, t: t}
	start := time.Now()
	pauses := newPauses()
	err := w.use(ctx, func(c changer) error { return v.attempt(ctx, c) })
	for err != nil && ctx.Err() == nil {
		var again bool
		elsewhere := isChanged(err, v.t.schema) && v.attempts == 0 // by somebody else, who is through
		if again, err = v.again(ctx, err); !again || !elsewhere && !pause(ctx, pauses.NextBackOff()) {
			break
		}
		err = w.use(ctx, func(c changer) error { return v.attempt(ctx, c) })
	}
	if isInterrupted(ctx, err) {
		err = fmt.Errorf("schema %q: %w: %w", v.t.schema, ErrInterrupted, context.Cause(ctx))
	}
	v.result.Schema, v.result.Err, v.result.Duration = v.t.schema, err, time.Since(start)
	v.result.Err = r.tell(ctx, v.t, &v.result)
	if thrown, ok := errors.AsType[*PanicError](v.result.Err); ok {
		r.logger.WarnContext(ctx, "panic", "schema", v.t.schema.String(), "value", fmt.Sprint(thrown.Value), "stack", string(thrown.Stack))
	}
	return v.result
}

// ErrInterrupted says that ctx ended while a schema, or a run, was in the middle.
var ErrInterrupted = errors.New("interrupted")

// isInterrupted reports whether an error is there because ctx ended, and not for a reason
// of its own.
func isInterrupted(ctx context.Context, err error) bool {
	code := dberr.Code(err)
	return err != nil && ctx.Err() != nil && (code == "" || code == dberr.QueryCanceled)
}

// newPauses are the pauses before another attempt.
func newPauses() *backoff.ExponentialBackOff {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = firstPause, lastPause
	return pauses
}

const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// pause waits, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// again reports whether an attempt that failed is worth another, and returns the error
// as it is to be told if not.
func (v *visit) again(ctx context.Context, err error) (bool, error) {
	switch {
	case isBusy(err):
		if v.waiting.IsZero() {
			v.waiting = time.Now()
			v.logger.InfoContext(ctx, "waiting for another program that changes the schema", "schema", v.t.schema.String())
		}
		return time.Since(v.waiting) <= v.config.LockWait, err
	case errors.Is(err, tenant.ErrSchemaNotFound) && v.t.id != 0:
		return v.follow(ctx, err)
	case isChanged(err, v.t.schema), errors.Is(err, errHistory) && v.attempts == 0:
	case passes(err):
		v.logger.WarnContext(ctx, "trying again", "schema", v.t.schema.String(), "error", err.Error())
	default:
		return false, err
	}
	v.t.digest = "" // read its history again
	v.attempts++
	if v.attempts <= v.config.Retries {
		return true, err
	}
	var unreachable *pgconn.ConnectError
	if errors.As(err, &unreachable) { // it would be no different with the others
		v.halt(errUnreachable)
	}
	return false, v.heldBy(ctx, triedOften(err, v.attempts))
}

// triedOften says how often something was tried, in the line of the cause.
func triedOften(err error, attempts int) error {
	if attempts < 2 {
		return err
	}
	if refused, ok := errors.AsType[*StatementError](err); ok {
		refused.attempts = attempts
		return err
	}
	return fmt.Errorf("%w (tried %d times)", err, attempts)
}

var errUnreachable = errors.New("the run ended because the server could not be reached")

// follow looks for the schema of a tenant that was deleted meanwhile, or has another
// schema now: then that is the one to change.
func (v *visit) follow(ctx context.Context, err error) (bool, error) {
	var schema tenant.Schema
	var names map[string]string
	asked := v.worker.use(ctx, func(c changer) (err error) {
		if schema, err = c.schemaOf(ctx, v.t.id); err == nil {
			names, err = c.renamed(ctx, []string{schema.String()})
		}
		return err
	})
	v.attempts++
	switch {
	case asked != nil:
		return false, errors.Join(err, asked)
	case schema.IsZero():
		return false, nil
	case schema == v.t.schema:
		return false, v.errRenamed(schema, names[schema.String()])
	}
	v.t.schema, v.t.digest = schema, ""
	return v.attempts <= v.config.Retries, err
}

// attempt plans for the schema and runs the steps. It notes how far it came.
func (v *visit) attempt(ctx context.Context, c changer) (err error) {
	if v.t.digest == "" {
		if v.t.digest, err = v.indexed(ctx, c, v.t); err != nil {
			return err
		}
		v.settle(ctx)
	}
	p, err := v.planFor(ctx, c, v.t)
	if p.stale {
		if v.t.digest, err = v.indexed(ctx, c, v.t); err == nil {
			p, err = v.planFor(ctx, c, v.t)
		}
	}
	if err != nil {
		return err
	}
	if p.err != nil {
		return fmt.Errorf("schema %q: %w", v.t.schema, p.err)
	}
	c.differs, c.became = &v.result.Differs, make(map[*step]Action)
	done, err := c.changeAll(ctx, v.t, p.steps)
	v.applied(ctx, p.steps[:done], c.became)
	if err != nil && c.conn.IsClosed() {
		v.doubt = p.steps[done:]
	}
	return err
}

// settle notes the steps in doubt that the history, which was just read, has.
func (v *visit) settle(ctx context.Context) {
	for i := range v.doubt {
		if v.doubt[i].to == v.t.digest {
			v.applied(ctx, v.doubt[:i+1], nil)
			return
		}
	}
}

// applied notes steps that are there to stay. Some became another action than planned.
func (v *visit) applied(ctx context.Context, steps []step, became map[*step]Action) {
	for i := range steps {
		s := &steps[i]
		v.t.digest, v.doubt = s.to, nil
		applied := s.applied()
		if action, ok := became[s]; ok {
			applied.Action = action
		}
		if applied.Action == "" {
			continue
		}
		v.result.Applied = append(v.result.Applied, applied)
		v.logger.InfoContext(ctx, "migrated", "schema", v.t.schema.String(), "app", applied.App, "name", applied.Name, "action", string(applied.Action))
	}
}
