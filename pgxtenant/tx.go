package pgxtenant

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/scope"
)

// transaction is a transaction that belongs to a tenant. Commit and Rollback take
// any context: they must work when the caller's is done.
type transaction struct {
	session *session
	owner   scope.Owner
	tx      pgx.Tx
	outer   *transaction // of which this is a savepoint
	done    func()       // gives the connection back; nil if that is the caller's
	err     error        // it never began, or is over
}

// check refuses a context of another tenant, or of none, and a transaction that is
// over.
func (t *transaction) check(ctx context.Context) error {
	if err := t.over(); err != nil {
		return err
	}
	return t.owner.Check(ctx)
}

// over returns an error if nothing can be done any more.
func (t *transaction) over() error {
	if t == nil {
		return pgx.ErrTxClosed
	}
	if t.err == nil && t.outer != nil {
		return t.outer.over()
	}
	return t.err
}

// end ends the transaction by means of f.
func (t *transaction) end(ctx context.Context, f func(context.Context) error) error {
	if err := t.over(); err != nil {
		return err
	}
	err := f(t.owner.Context(ctx))
	t.err = pgx.ErrTxClosed
	if t.done != nil {
		t.done()
	}
	return refused(t.owner, err)
}

// Begin begins a savepoint.
func (t *transaction) Begin(ctx context.Context) (pgx.Tx, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	tx, err := t.tx.Begin(ctx)
	if err != nil {
		return nil, refused(t.owner, err)
	}
	return &transaction{session: t.session, owner: t.owner, tx: tx, outer: t}, nil
}

// Commit commits.
func (t *transaction) Commit(ctx context.Context) error {
	return t.end(ctx, func(ctx context.Context) error { return t.tx.Commit(ctx) })
}

// Rollback rolls back.
func (t *transaction) Rollback(ctx context.Context) error {
	return t.end(ctx, func(ctx context.Context) error { return t.tx.Rollback(ctx) })
}

// CopyFrom copies rows into a table.
func (t *transaction) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := t.check(ctx); err != nil {
		return 0, err
	}
	n, err := t.tx.CopyFrom(ctx, table, columns, rows)
	return n, refused(t.owner, err)
}

// SendBatch sends the statements of b.
func (t *transaction) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := t.check(ctx); err != nil {
		return failBatch(b, err)
	}
	if err := checkBatch(b); err != nil {
		return failBatch(nil, err)
	}
	return t.session.sendBatch(ctx, t.tx, t.owner, b, nil)
}

// LargeObjects returns the large objects of the transaction. They are shared by all
// tenants: PostgreSQL keeps them outside of schemas.
func (t *transaction) LargeObjects() pgx.LargeObjects {
	if t.tx == nil {
		return pgx.LargeObjects{}
	}
	return t.tx.LargeObjects()
}

// Prepare prepares a statement. The name is the connection's: what another tenant
// prepared under it gives way.
func (t *transaction) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	sd, err := t.session.prepare(ctx, t.tx, name, sql)
	return sd, refused(t.owner, err)
}

// Exec executes sql.
func (t *transaction) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := t.check(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := t.session.exec(ctx, t.tx, sql, args)
	return tag, refused(t.owner, err)
}

// Query runs sql.
func (t *transaction) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := t.check(ctx); err != nil {
		return noRows{err}, err
	}
	return t.session.query(ctx, t.tx, t.owner, sql, args, nil)
}

// QueryRow runs sql.
func (t *transaction) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, _ := t.Query(ctx, sql, args...)
	return row{rows}
}

// Conn returns the connection of the transaction; see Conn.Conn.
func (t *transaction) Conn() *pgx.Conn {
	if t.tx == nil {
		return nil
	}
	return t.tx.Conn()
}
