package pgxtenant

import (
	"context"
	"database/sql/driver"
	"errors"
)

// Prepare has no context, and so no tenant.
func (c *sqlConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query) //nolint:forbidigo // that is what database/sql would give
}

// PrepareContext has the server look at query in the schema of the tenant in ctx. It
// keeps nothing there: the statement is for any tenant.
func (c *sqlConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	if c.conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	description, err := c.session.prepare(ctx, c.conn.Conn(), "", query)
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	c.from.db.see(query, c.session.place.tag) // who prepares it means to run it
	return &sqlStmt{c, query, len(description.ParamOIDs)}, nil
}

// sqlStmt is a statement that is kept by its text: pgx and the server remember it for
// each tenant that runs it.
type sqlStmt struct {
	conn   *sqlConn
	query  string
	inputs int
}

var _ interface {
	driver.StmtExecContext
	driver.StmtQueryContext
} = (*sqlStmt)(nil)

// errNoContext refuses what database/sql does not call.
var errNoContext = errors.New("a call without a context has no tenant (use ExecContext or QueryContext)")

// Close has nothing to close.
func (s *sqlStmt) Close() error { return nil }

// NumInput returns the number of parameters.
func (s *sqlStmt) NumInput() int { return s.inputs }

// Exec is refused.
func (s *sqlStmt) Exec([]driver.Value) (driver.Result, error) { return nil, errNoContext }

// Query is refused.
func (s *sqlStmt) Query([]driver.Value) (driver.Rows, error) { return nil, errNoContext }

// ExecContext executes the statement for the tenant in ctx.
func (s *sqlStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.ExecContext(ctx, s.query, args)
}

// QueryContext runs the statement for the tenant in ctx.
func (s *sqlStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.QueryContext(ctx, s.query, args)
}
