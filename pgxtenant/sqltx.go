package pgxtenant

import (
	"context"
	"database/sql/driver"

	"github.com/cotenant/cotenant/internal/scope"
)

// Begin has no context, and so no tenant.
func (c *sqlConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{}) //nolint:forbidigo // that is what database/sql would give
}

// BeginTx begins a transaction for the tenant in ctx.
func (c *sqlConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	tx, err := c.conn.BeginTx(ctx, options)
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	return sqlTx{tx, c.owner}, nil
}

// sqlTx is a transaction of a tenant.
type sqlTx struct {
	tx    driver.Tx
	owner scope.Owner
}

// Commit commits.
func (t sqlTx) Commit() error { return refused(t.owner, t.tx.Commit()) }

// Rollback rolls back.
func (t sqlTx) Rollback() error { return refused(t.owner, t.tx.Rollback()) }
