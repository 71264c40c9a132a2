package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cotenant/cotenant/tenant"
)

// waitTraps are schemas that go while a statement waits: what it names later would
// be looked up in public.
func waitTraps() []trap {
	var traps []trap
	for _, away := range []struct {
		name string
		f    func(*trial, *tenant.Tenant)
	}{{"renamed", (*trial).rename}, {"dropped", (*trial).drop}} {
		for _, what := range []struct{ name, sql string }{
			{"a text", "SELECT pg_advisory_xact_lock($key); INSERT INTO things VALUES ($id, 'late')"},
			{"a block", "DO $$ BEGIN PERFORM pg_advisory_xact_lock($key); INSERT INTO things VALUES ($id, 'late'); END $$"},
			{"a block that commits", "DO $$ BEGIN PERFORM pg_advisory_xact_lock($key); COMMIT; INSERT INTO things VALUES ($id, 'late'); END $$"},
			{"a transaction in a text", "BEGIN; SELECT pg_advisory_xact_lock($key); INSERT INTO things VALUES ($id, 'late'); COMMIT"},
		} {
			traps = append(traps, trap{away.name + " while " + what.name + " waits", func(tr *trial) {
				tr.promises(tr.way.InnerCommits || !strings.Contains(what.sql, "COMMIT; INSERT"))
				tr.waits(func(ctx context.Context, key int64) error {
					_, err := tr.Exec(ctx, withID(strings.ReplaceAll(what.sql, "$key", literal(key)), tr.a))
					return err
				}, away.f)
			}})
		}
		traps = append(traps, trap{away.name + " while a batch waits", func(tr *trial) {
			b := needs[Batcher](tr)
			tr.waits(func(ctx context.Context, key int64) error {
				var found []int64
				err := b.Batch(ctx, Statement{SQL: "SELECT pg_advisory_xact_lock($1)", Args: []any{key}},
					Statement{SQL: insertThing, Args: []any{tr.a.ID}},
					Statement{SQL: "SELECT owner FROM things", Row: owners(&found)})
				if err == nil {
					tr.own(tr.a, found)
				}
				return err
			}, away.f)
		}}, trap{away.name + " while a transaction waits", func(tr *trial) {
			tr.waits(func(ctx context.Context, key int64) error {
				tx, err := tr.Begin(ctx)
				if err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", key); err == nil {
					_, _ = tx.Exec(ctx, insertThing, tr.a.ID)
				}
				return tx.Commit(ctx)
			}, away.f)
		}})
	}
	return append(traps, trap{"renamed and renamed back while a text waits", blinks})
}

// blinks has a text wait twice: its schema goes before the write and is back before
// anything behind it can look.
func blinks(tr *trial) {
	tr.promises(tr.way.Blinks)
	first, second := tr.a.ID, tr.b.ID
	held := func(key int64) (release func()) {
		tx, err := tr.town.plain.Begin(tr.ctx)
		tr.must("begin", err)
		_, err = tx.Exec(tr.ctx, "SELECT pg_advisory_xact_lock($1)", key)
		tr.must("lock", err)
		return func() { tr.must("release", tx.Rollback(tr.ctx)) }
	}
	releaseFirst, releaseSecond := held(first), held(second)
	done := make(chan error, 1)
	go func() {
		_, err := tr.Exec(tr.as(tr.a), fmt.Sprintf("SELECT pg_advisory_xact_lock(%d); INSERT INTO things VALUES (%[1]d, 'late'); SELECT pg_advisory_xact_lock(%d)", first, second))
		done <- err
	}()
	err := tr.town.waiting(tr.ctx, waitsFor(first), done)
	tr.rename(tr.a)
	releaseFirst()
	if err == nil {
		err = tr.town.waiting(tr.ctx, waitsFor(second), done)
	}
	tr.renameTo(&tenant.Tenant{ID: tr.a.ID, Schema: tenant.MustParseSchema(tr.a.Schema.String() + "_away")}, tr.a.Schema.String())
	releaseSecond()
	tr.harmless("wait", err)
	tr.harmless("the text", <-done)
	tr.owns(tr, tr.a)
}

// waitsFor is the condition on pg_locks for a session that waits for an advisory lock.
func waitsFor(key int64) string {
	return fmt.Sprintf("locktype = 'advisory' AND objid = %d AND NOT granted", key)
}

// waits has f wait for an advisory lock while the schema of a goes away. It need not
// succeed; the count in the end shows where its rows went.
func (tr *trial) waits(f func(ctx context.Context, key int64) error, away func(*trial, *tenant.Tenant)) {
	tr.promises(tr.way.Watched)
	key := tr.a.ID
	holder, err := tr.town.plain.Begin(tr.ctx)
	tr.must("begin", err)
	_, err = holder.Exec(tr.ctx, "SELECT pg_advisory_xact_lock($1)", key)
	tr.must("lock", err)
	tr.owns(tr, tr.b)
	done := make(chan error, 1)
	go func() { done <- f(tr.as(tr.a), key) }()
	err = tr.town.waiting(tr.ctx, waitsFor(key), done)
	if err == nil {
		away(tr, tr.a)
	}
	tr.must("release", holder.Rollback(tr.ctx))
	var refused refusedError
	if errors.As(err, &refused) {
		tr.harmless("no statement waited", refused)
		return
	}
	tr.must("wait", err)
	tr.harmless("the statement that waited", <-done)
	tr.owns(tr, tr.b)
}

// refusedError is the error of a call that was to wait and failed instead.
type refusedError struct{ error }

// waiting returns when there is a lock for which the condition holds. The error is a
// refusedError if the call that was to wait has failed.
func (w *town) waiting(ctx context.Context, condition string, done chan error) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		var found bool
		err := w.plain.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE "+condition+")").Scan(&found)
		if err != nil || found {
			return err
		}
		select {
		case err := <-done:
			if err == nil {
				return errors.New("the statement did not wait")
			}
			return refusedError{err}
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
