package pgxtenant

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// transaction is a transaction that belongs to a tenant. Commit and Rollback take
// any context: they must work when the caller's is done.
type transaction struct {
	owned
	tx  pgx.Tx
	err error // it was refused before it began: there is no tx
}

// check refuses a context of another tenant, or of none.
func (t *transaction) check(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	return t.owned.check(ctx)
}

// Begin begins a savepoint.
func (t *transaction) Begin(ctx context.Context) (pgx.Tx, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	tx, err := t.tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &transaction{owned: t.owned, tx: tx}, nil
}

// Commit commits.
func (t *transaction) Commit(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	return t.tx.Commit(ctx)
}

// Rollback rolls back.
func (t *transaction) Rollback(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	return t.tx.Rollback(ctx)
}

// CopyFrom copies rows into a table.
func (t *transaction) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := t.check(ctx); err != nil {
		return 0, err
	}
	return t.tx.CopyFrom(ctx, table, columns, rows)
}

// SendBatch sends the statements of b.
func (t *transaction) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := t.check(ctx); err != nil {
		return failedBatch{err}
	}
	return t.tx.SendBatch(ctx, b)
}

// LargeObjects returns the large objects of the transaction. They are shared by all
// tenants: PostgreSQL keeps them outside of schemas.
func (t *transaction) LargeObjects() pgx.LargeObjects {
	if t.err != nil {
		return pgx.LargeObjects{}
	}
	return t.tx.LargeObjects()
}

// Prepare prepares a statement.
func (t *transaction) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	return t.tx.Prepare(ctx, name, sql)
}

// Exec executes sql.
func (t *transaction) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := t.check(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	return t.tx.Exec(ctx, sql, args...)
}

// Query runs sql.
func (t *transaction) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := t.check(ctx); err != nil {
		return failedRows(err)
	}
	return t.tx.Query(ctx, sql, args...)
}

// QueryRow runs sql.
func (t *transaction) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := t.check(ctx); err != nil {
		return failedRow{err}
	}
	return t.tx.QueryRow(ctx, sql, args...)
}

// Conn returns the connection of the transaction. Calls on it are not checked.
func (t *transaction) Conn() *pgx.Conn {
	if t.err != nil {
		return nil
	}
	return t.tx.Conn()
}
