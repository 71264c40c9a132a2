package migrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/tenant"
)

// worker works on one schema after the other, over a connection that it replaces now
// and then: a backend keeps what it has read of the catalog of every schema.
type worker struct {
	run  *run
	conn *pgxpool.Conn
	uses int
}

// usesOfConn is for how many schemas a connection is used. One that reads all that a
// schema has counts fivefold: a backend that has read a hundred schemas of 22 tables and
// 50 indexes has grown by some 30 MB.
const (
	usesOfConn  = 500
	usesOfReads = 5
)

// use calls f with the worker's connection.
func (w *worker) use(ctx context.Context, f func(c changer) error) (err error) {
	if w.conn != nil && (w.conn.Conn().IsClosed() || w.uses >= usesOfConn) {
		if w.uses >= usesOfConn {
			_ = w.conn.Conn().Close(ctx)
		}
		w.close(ctx)
	}
	if w.conn == nil {
		if w.conn, err = w.run.pool.Acquire(ctx); err != nil {
			w.conn = nil
			return fmt.Errorf("the server gives no connection: %w", err)
		}
		w.uses = 0
	}
	w.uses++
	if w.conn.Conn().PgConn().CustomData()[keptQueries] != nil {
		w.uses += usesOfReads - 1
	}
	return f(w.run.changer(w.conn))
}

// next returns the next schema. While there is none the worker has no connection: others
// may need it to come to an end.
func (w *worker) next(ctx context.Context, todo <-chan target) (t target, ok bool) {
	select {
	case t, ok = <-todo:
	default:
		w.close(ctx)
		t, ok = <-todo
	}
	return t, ok
}

// close gives the connection back, as new.
func (w *worker) close(ctx context.Context) {
	if w.conn == nil {
		return
	}
	_ = w.run.changer(w.conn).discard(ctx) // it is closed if that fails
	w.conn.Release()
	w.conn = nil
}

// tell calls the hooks that hear of a schema that was changed, and returns its error with
// theirs. They hear of it also if ctx has ended meanwhile: the next run would not know that
// they have not.
func (r *run) tell(ctx context.Context, t target, result *Result) error {
	if len(result.Applied) == 0 || !r.config.tellsDurable() {
		return result.Err
	}
	ctx, cancel := outlast(ctx)
	defer cancel()
	who, err := r.tenantOf(ctx, t)
	if err != nil {
		return errors.Join(result.Err, err)
	}
	if r.config.OnMigrated != nil {
		if err := caught(func() error { return r.config.OnMigrated(contextOf(ctx, who), who, result.Applied) }); err != nil {
			return errors.Join(result.Err, fmt.Errorf("schema %q: it was changed; OnMigrated: %w", t.schema, err))
		}
	}
	if result.Err != nil {
		return result.Err
	}
	if r.config.OnSchemaSynced != nil {
		if err := caught(func() error { return r.config.OnSchemaSynced(contextOf(ctx, who), who) }); err != nil {
			return fmt.Errorf("schema %q: it was changed; OnSchemaSynced: %w", t.schema, err)
		}
	}
	return nil
}

// outlast returns a context that ends cleanupTimeout after ctx.
func outlast(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(cleanupTimeout, cancel) })
	return longer, func() {
		stop()
		cancel()
	}
}

// needsSync tells that a schema is missing or behind, and is not changed now.
func (m *Migrator) needsSync(ctx context.Context, t target) error {
	if m.config.OnSchemaNeedsSync == nil {
		return nil
	}
	who, err := m.tenantOf(ctx, t)
	if err != nil {
		return err
	}
	if err := caught(func() error { return m.config.OnSchemaNeedsSync(contextOf(ctx, who), who) }); err != nil {
		return fmt.Errorf("schema %q: OnSchemaNeedsSync: %w", t.schema, err)
	}
	return nil
}

func isBusy(err error) bool { return errors.Is(err, errBusy) || dberr.Code(err) == codeBusy }

// isChanged reports whether a schema is not as it was planned for: somebody else has
// changed its version, or has inserted the same records.
func isChanged(err error, schema tenant.Schema) bool {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return false
	}
	return pgErr.Code == codeChanged || pgErr.Code == dberr.UniqueViolation && pgErr.SchemaName == schema.String() && pgErr.TableName == historyTable
}

// passes reports whether an error may not come again: of a lock that was not to be had, a
// deadlock, a server that ends or begins, a connection that was lost.
func passes(err error) bool {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		switch pgErr.Code {
		case dberr.LockNotAvailable, dberr.DeadlockDetected, dberr.TooManyConnections, "40001", "57P01", "57P02", "57P03":
			return true
		}
		return strings.HasPrefix(pgErr.Code, "08")
	}
	if errors.As(err, new(*foreignError)) {
		return false
	}
	var connectErr *pgconn.ConnectError
	var netErr net.Error
	return errors.As(err, &connectErr) || errors.As(err, &netErr) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}
