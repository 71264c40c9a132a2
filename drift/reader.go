package drift

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/tenant"
)

// objectsOfConn is for how many objects a connection is used, before it is replaced: its
// backend keeps what it has read of the catalog, about a kilobyte an object, and has to
// plan the query again after that. They are those of a hundred schemas of 22 tables.
const objectsOfConn = 30_000

// reader reads one schema after the other, over connections of its own.
type reader struct {
	pool    *pgxpool.Pool
	options *Options
	conn    *pgxpool.Conn
	read    int // objects
}

// connError is a connection that could not be had, or that was ended before it was ready.
// Where it stays so, it would be no different for the schemas that follow.
type connError struct{ err error }

func (e *connError) Error() string { return "the server gives no connection: " + e.err.Error() }
func (e *connError) Unwrap() error { return e.err }

// attempts bounds how often a schema is read that is changed, or locked, meanwhile, and how
// often a connection is asked for: an administrator, or a restart, may end one at any
// moment.
const attempts = 6

// snapshot reads a schema, and again what may not fail again: while a schema is changed
// or dropped PostgreSQL meets objects in its catalog that are not there any more.
func (r *reader) snapshot(ctx context.Context, schema tenant.Schema, read how) (*Snapshot, error) {
	s, err := backoff.Retry(ctx, func() (*Snapshot, error) {
		s, err := r.try(ctx, schema, read)
		if err != nil && isFinal(ctx, err) {
			err = backoff.Permanent(err)
		}
		return s, err
	}, backoff.WithMaxTries(attempts), backoff.WithBackOff(pauses()))
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	if _, conn := errors.AsType[*connError](err); err != nil && !conn && !isFinal(ctx, err) {
		err = fmt.Errorf("%w (it was tried %d times; is it being changed?)", err, attempts)
	}
	return s, err
}

// pauses are those between attempts.
func pauses() backoff.BackOff {
	p := backoff.NewExponentialBackOff()
	p.InitialInterval = 100 * time.Millisecond
	return p
}

// isFinal reports whether an error would come again.
func isFinal(ctx context.Context, err error) bool {
	_, usage := errors.AsType[*catalog.UsageError](err)
	return usage || errors.Is(err, tenant.ErrSchemaNotFound) || ctx.Err() != nil
}

// how reads a schema within a transaction.
type how func(options *Options, ctx context.Context, tx pgx.Tx, schema tenant.Schema) (*Snapshot, error)

// try reads a schema once.
func (r *reader) try(ctx context.Context, schema tenant.Schema, read how) (s *Snapshot, err error) {
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	err = pgx.BeginTxFunc(ctx, r.conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		s, err = read(r.options, ctx, tx, schema)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.read += len(s.objects)
	return s, nil
}

// connect sees to it that there is a connection, and that it has not read too much.
func (r *reader) connect(ctx context.Context) error {
	if r.conn != nil && (r.conn.Conn().IsClosed() || r.read >= objectsOfConn) {
		r.close(ctx)
	}
	if r.conn != nil {
		return nil
	}
	conn, err := r.pool.Acquire(ctx)
	if err != nil {
		return &connError{err}
	}
	r.conn, r.read = conn, 0
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := settle(ctx, tx, false); err != nil {
			return err
		}
		return catalog.Prepare(ctx, tx)
	})
	if err != nil {
		r.close(ctx)
		return &connError{err}
	}
	return nil
}

// close gives up the connection. It is not for others: it has settings and a prepared
// statement, and its backend much in memory.
func (r *reader) close(ctx context.Context) {
	if r.conn == nil {
		return
	}
	_ = r.conn.Conn().Close(ctx) // it is gone either way
	r.conn.Release()
	r.conn = nil
}

// lockTimeout is how long a read waits for a schema that is being changed, in
// milliseconds: PostgreSQL locks tables to write down the views that read them. It is far
// below deadlock_timeout, so that of a deadlock with somebody who changes the schema it is
// we who give up.
const lockTimeout = "100"

// settle makes what a session writes independent of its settings, and has it plan once
// for all schemas. local is for the transaction alone.
func settle(ctx context.Context, tx pgx.Tx, local bool) error {
	_, err := tx.Exec(ctx, `SELECT pg_catalog.set_config(s.name, s.value, $1) FROM (VALUES
		('search_path', 'pg_catalog, pg_temp'), ('lock_timeout', '`+lockTimeout+`'),
		('plan_cache_mode', 'force_generic_plan'), ('enable_seqscan', 'off'), ('jit', 'off'),
		('bytea_output', 'hex'), ('datestyle', 'ISO, MDY'), ('extra_float_digits', '1'), ('intervalstyle', 'postgres'),
		('quote_all_identifiers', 'off'), ('standard_conforming_strings', 'on'), ('timezone', 'UTC'), ('xmlbinary', 'base64')
		) AS s (name, value)`, pgx.QueryExecModeExec, local)
	if err != nil {
		return fmt.Errorf("settings of the session: %w", err)
	}
	return nil
}
