package pgxtenant

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/scope"
)

// Conn is a connection that was acquired for a tenant. It has the methods of
// *pgxpool.Conn that statements are sent with. It is not safe for concurrent use.
type Conn struct {
	owner   scope.Owner
	conn    *pgxpool.Conn // nil after Release
	session *session
}

// check refuses a context of another tenant, or of none, and a connection that was
// released.
func (c *Conn) check(ctx context.Context) error {
	if c == nil || c.conn == nil {
		return errReleased
	}
	return c.owner.Check(ctx)
}

// Begin begins a transaction.
func (c *Conn) Begin(ctx context.Context) (pgx.Tx, error) { return c.BeginTx(ctx, pgx.TxOptions{}) }

// BeginTx begins a transaction with options.
func (c *Conn) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	return c.begin(ctx, options, nil)
}

// begin begins a transaction after which done is called, also where it does not
// begin.
func (c *Conn) begin(ctx context.Context, options pgx.TxOptions, done func()) (pgx.Tx, error) {
	tx, err := c.conn.BeginTx(ctx, options)
	if err != nil {
		if done != nil {
			done()
		}
		return nil, refused(c.owner, err)
	}
	return &transaction{session: c.session, owner: c.owner, tx: tx, done: done}, nil
}

// releaseIfPanicking gives the connection back where a rewriter or a callback of the
// application's panics.
func (c *Conn) releaseIfPanicking() {
	if p := recover(); p != nil {
		c.Release()
		panic(p)
	}
}

// Conn returns the connection itself. What is sent on it is not tagged, so that
// nothing is remembered of it; another tenant's context is refused there too, with
// tenant.ErrOtherTenant, but by a Begin at the price of the connection. It is nil once the
// connection was released.
func (c *Conn) Conn() *pgx.Conn {
	if c == nil || c.conn == nil {
		return nil
	}
	return c.conn.Conn()
}

// CopyFrom copies rows into a table; see DB.CopyFrom.
func (c *Conn) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := c.check(ctx); err != nil {
		return 0, err
	}
	n, err := c.conn.CopyFrom(ctx, table, columns, rows)
	return n, refused(c.owner, err)
}

// Exec executes sql.
func (c *Conn) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := c.check(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := c.session.exec(ctx, c.conn, sql, args)
	return tag, refused(c.owner, err)
}

// Ping reports whether the server answers.
func (c *Conn) Ping(ctx context.Context) error {
	_, err := c.Exec(ctx, "SELECT")
	return err
}

// Query runs sql.
func (c *Conn) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := c.check(ctx); err != nil {
		return noRows{err}, err
	}
	return c.session.query(ctx, c.conn, c.owner, sql, args, nil)
}

// QueryRow runs sql. Errors come with Scan.
func (c *Conn) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, _ := c.Query(ctx, sql, args...)
	return row{rows}
}

// Release gives the connection back. Calling it again is harmless.
func (c *Conn) Release() {
	if c == nil || c.conn == nil {
		return
	}
	c.conn.Release()
	c.conn = nil
}

// SendBatch sends the statements of b, which may be sent again.
func (c *Conn) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := c.check(ctx); err != nil {
		return failBatch(b, err)
	}
	if err := checkBatch(b); err != nil {
		return failBatch(nil, err)
	}
	return c.session.sendBatch(ctx, c.conn, c.owner, b, nil)
}
