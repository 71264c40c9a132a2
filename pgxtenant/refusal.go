package pgxtenant

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// check refuses a statement that is not the owner's, or whose mode is unsafe. What
// ends transactions and savepoints must work with any context.
func (t *tracer) check(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) error {
	if err := t.db.checkMode(data.Args); err != nil {
		return err
	}
	err := t.checkOwner(ctx, conn)
	if err != nil && len(data.Args) == 0 && (endsTransaction(data.SQL) || data.SQL == "-- ping") { // of pgxpool
		return nil
	}
	return err
}

// checkMode refuses a mode that a call asks for and that is unsafe.
func (db *DB) checkMode(args []any) error {
	if db.config.Mode != Transaction {
		return nil
	}
	switch optionsOf(args).mode {
	case pgx.QueryExecModeCacheStatement:
		return errCacheStatement
	case pgx.QueryExecModeDescribeExec:
		return errDescribeExec
	default:
		return nil
	}
}

// endsTransaction reports whether sql is what pgx ends transactions and savepoints
// with.
func endsTransaction(sql string) bool {
	return sql == "commit" || sql == "rollback" ||
		strings.HasPrefix(sql, "release savepoint sp_") || strings.HasPrefix(sql, "rollback to savepoint sp_")
}

// checkOwner refuses a context of another tenant than the connection's, or of none.
func (t *tracer) checkOwner(ctx context.Context, conn *pgx.Conn) error {
	s := sessionOf(conn)
	switch {
	case s == nil:
		return nil
	case s.given:
		return errReleased
	case s.owner == nil:
		return nil
	}
	return s.owner.Check(ctx)
}

// refuse returns a context that is done for the reason err: pgx returns that,
// without sending anything and without closing the connection. No error, no
// refusal.
func refuse(ctx context.Context, err error) context.Context {
	if err == nil {
		return ctx
	}
	done := make(chan struct{})
	close(done)
	return refusal{ctx, done, err}
}

// refusal is a context that is done.
type refusal struct {
	context.Context
	done chan struct{}
	err  error
}

// Done is closed.
func (r refusal) Done() <-chan struct{} { return r.done }

// Err returns the reason.
func (r refusal) Err() error { return r.err }
