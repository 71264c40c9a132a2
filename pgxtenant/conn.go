package pgxtenant

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Conn is a connection that was acquired for a tenant. It has the methods of
// *pgxpool.Conn that statements are sent with. It is not safe for concurrent use.
type Conn struct {
	owned
	conn *pgxpool.Conn
}

// Begin begins a transaction.
func (c *Conn) Begin(ctx context.Context) (pgx.Tx, error) { return c.BeginTx(ctx, pgx.TxOptions{}) }

// BeginTx begins a transaction with options.
func (c *Conn) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	tx, err := c.conn.BeginTx(ctx, options)
	if err != nil {
		return nil, refused(c.tenant, err)
	}
	return &transaction{owned: c.owned, tx: tx}, nil
}

// Conn returns the connection itself. Calls on it are not checked.
func (c *Conn) Conn() *pgx.Conn { return c.conn.Conn() }

// CopyFrom copies rows into a table.
func (c *Conn) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := c.check(ctx); err != nil {
		return 0, err
	}
	n, err := c.conn.CopyFrom(ctx, table, columns, rows)
	return n, refused(c.tenant, err)
}

// Exec executes sql.
func (c *Conn) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := c.check(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := c.conn.Exec(ctx, sql, args...)
	return tag, refused(c.tenant, err)
}

// Ping reports whether the server answers.
func (c *Conn) Ping(ctx context.Context) error {
	_, err := c.Exec(ctx, "-- ping")
	return err
}

// Query runs sql.
func (c *Conn) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := c.check(ctx); err != nil {
		return failedRows(err)
	}
	rows, err := c.conn.Query(ctx, sql, args...)
	return tenantRows{rows, c.tenant}, refused(c.tenant, err)
}

// QueryRow runs sql. Errors come with Scan.
func (c *Conn) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := c.check(ctx); err != nil {
		return failedRow{err}
	}
	return tenantRow{c.conn.QueryRow(ctx, sql, args...), c.tenant}
}

// Release gives the connection back. Calling it again is harmless.
func (c *Conn) Release() { c.conn.Release() }

// SendBatch sends the statements of b.
func (c *Conn) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := c.check(ctx); err != nil {
		return failedBatch{err}
	}
	return tenantBatch{c.conn.SendBatch(ctx, b), c.tenant}
}
