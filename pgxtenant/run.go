package pgxtenant

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/scope"
)

// runner is a connection or a transaction of pgx: what statements are sent on.
type runner interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// exec executes sql on r, once more if it failed for types that have changed.
func (s *session) exec(ctx context.Context, r runner, sql string, args []any) (pgconn.CommandTag, error) {
	if err := s.db.checkMode(args); err != nil {
		return pgconn.CommandTag{}, err
	}
	once := s.idle()
	text, given := s.begin(sql, args, true)
	tag, err := r.Exec(ctx, text, given...)
	if once && s.stale(ctx, err) {
		if err := s.refresh(ctx); err != nil {
			return pgconn.CommandTag{}, err
		}
		text, given = s.begin(sql, args, true)
		tag, err = r.Exec(ctx, text, given...)
	}
	return tag, err
}

// query runs sql for o on r, once more if it failed for types that have changed.
// done is called when the rows are closed.
func (s *session) query(ctx context.Context, r runner, o scope.Owner, sql string, args []any, done func()) (pgx.Rows, error) {
	rows := &rows{owner: o, done: done}
	if err := s.db.checkMode(args); err != nil {
		rows.Rows = noRows{err}
		rows.Close()
		return rows, err
	}
	once := s.idle()
	run := func() (err error) {
		text, given := s.begin(sql, args, false)
		rows.Rows, err = r.Query(ctx, text, given...)
		return err
	}
	again := func(err error) error {
		if !once || !s.stale(ctx, err) {
			return err
		}
		once = false
		if err := s.refresh(ctx); err != nil {
			return err
		}
		return run()
	}
	err := run()
	if err != nil {
		err = again(err)
	}
	if err != nil {
		rows.Close()
		return rows, refused(o, err)
	}
	rows.again = again
	return rows, nil
}

// stale reports whether err, of the call that just ended, may come from types that
// pgx remembered of an earlier one and that have changed since. pgx has forgotten
// them by now. The statement did nothing, as no transaction was open; only a
// procedure could have committed before, and what fails within one does not count.
func (s *session) stale(ctx context.Context, err error) bool {
	conn := s.conn.PgConn()
	if err == nil || !s.call.remembers || s.call.described || ctx.Err() != nil || conn.IsClosed() || conn.IsBusy() || !s.idle() {
		return false
	}
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return true // a value does not fit the type
	}
	switch {
	case strings.HasPrefix(pgErr.Where, "unnamed portal parameter"): // a value does not fit
		return true
	case pgErr.Where != "":
		return false
	}
	switch pgErr.Code {
	case "0A000", // cached plan must not change result type
		"08P01", // bind message has 1 result formats but query has 2 columns
		"26000", // prepared statement does not exist
		"XX000": // cache lookup failed for type
		return true
	}
	return strings.HasPrefix(pgErr.Code, "42") // the types of parameters do not fit any more
}

// refresh forgets what else may have changed.
func (s *session) refresh(ctx context.Context) error {
	if !s.place.types {
		return nil
	}
	s.place.types = false
	return s.loadTypes(ctx)
}

// sendBatch sends b for o on r. done is called when the results are closed, or when the
// transaction that the batch began is over.
func (s *session) sendBatch(ctx context.Context, r runner, o scope.Owner, b *pgx.Batch, done func()) pgx.BatchResults {
	return newBatchResults(s, o, r.SendBatch(ctx, s.beginBatch(b)), done)
}
