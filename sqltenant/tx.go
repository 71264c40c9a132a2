package sqltenant

import (
	"context"
	"database/sql/driver"

	"github.com/cotenant/cotenant/internal/scope"
)

// Begin has no context, and so no tenant.
func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{}) //nolint:forbidigo // that is what database/sql would give
}

// BeginTx begins a transaction for the tenant in ctx.
func (c *conn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if err := c.ready(ctx, 0); err != nil {
		return nil, err
	}
	inner, err := c.inner.BeginTx(ctx, options)
	if err != nil {
		c.open = c.open || sqlState(err) == ""
		return nil, c.noticed(err)
	}
	c.open = true
	return tx{inner, c, ctx}, nil
}

// tx is a transaction of the connection's owner.
type tx struct {
	inner driver.Tx
	conn  *conn
	ctx   context.Context // of BeginTx
}

// Commit commits.
func (t tx) Commit() error { return t.conn.over(t.inner.Commit()) }

// Rollback rolls back. What the path was when the transaction began it may be again.
//
// When its context is done, database/sql closes a connection that cannot be asked
// whether it is still good; ours can be, so that it falls to us.
func (t tx) Rollback() error {
	t.conn.path = scope.Place{}
	if t.ctx.Err() != nil {
		_, resets := t.conn.inner.(driver.SessionResetter)
		_, validates := t.conn.inner.(driver.Validator)
		t.conn.broken = t.conn.broken || !resets || !validates
	}
	return t.conn.over(t.inner.Rollback())
}

// over notes that a transaction is over, unless the driver could not tell.
func (c *conn) over(err error) error {
	if err == nil || sqlState(err) != "" {
		c.open, c.roles = false, false
	}
	return c.noticed(err)
}
