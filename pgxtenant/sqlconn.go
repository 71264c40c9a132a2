package pgxtenant

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cotenant/cotenant/internal/scope"
	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
	"github.com/cotenant/cotenant/tenant"
)

// Raw is what sql.Conn.Raw is given for a connection of DB.Connector:
//
//	err := conn.Raw(func(c any) error {
//		n, err := c.(pgxtenant.Raw).Conn().CopyFrom(ctx, pgx.Identifier{"notes"}, …)
//		…
//	})
type Raw interface {
	// Conn returns the connection itself; see [Conn.Conn] for what holds there. It is
	// nil if the sql.Conn has none yet, which may be so before its first call where
	// sql.DB.SetMaxOpenConns was used: call PingContext first.
	Conn() *pgx.Conn
}

// sqlConn is a connection of database/sql. It has one of the pool while it is in use.
// database/sql sees to it that there is one call at a time.
type sqlConn struct {
	from    *connector
	owner   scope.Owner
	conn    *stdlib.Conn // nil if it is not in use
	session *session
	release func()
}

var _ interface {
	Raw
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
} = (*sqlConn)(nil)

// enter takes a connection of the pool for the tenant in ctx, and refuses another
// tenant's while there is one.
func (c *sqlConn) enter(ctx context.Context) error {
	if c.conn != nil {
		return c.owner.Check(ctx)
	}
	o, err := c.from.db.ownerOf(ctx)
	if err != nil {
		return err
	}
	conn, release, err := c.from.acquire(ctx)
	if err != nil {
		return refused(o, err)
	}
	c.conn, c.release, c.owner, c.session = conn, release, o, sessionOf(conn.Conn())
	return nil
}

// leave gives the connection back to the pool.
func (c *sqlConn) leave() {
	if release := c.release; release != nil {
		c.conn, c.session, c.release = nil, nil, nil
		release()
	}
}

// Close ends the use of c.
func (c *sqlConn) Close() error {
	c.leave()
	return nil
}

// IsValid gives the connection back: database/sql calls it when it puts c among those
// that nobody uses. What was broken is the pool's business.
func (c *sqlConn) IsValid() bool {
	c.leave()
	return true
}

// ResetSession takes a connection for the call that c is to be used for.
func (c *sqlConn) ResetSession(ctx context.Context) error {
	_ = c.enter(ctx) // the call comes here again, and will tell
	return nil
}

// Conn returns the connection of pgx, or nil if there is none yet.
func (c *sqlConn) Conn() *pgx.Conn {
	if c.conn == nil {
		return nil
	}
	return c.conn.Conn()
}

// CheckNamedValue leaves all values to pgx.
func (c *sqlConn) CheckNamedValue(*driver.NamedValue) error { return nil }

// Ping asks whether the server answers and, with a tenant in ctx, whether its schema
// exists.
func (c *sqlConn) Ping(ctx context.Context) error {
	if _, err := tenant.FromContext(ctx); errors.Is(err, tenant.ErrNoTenant) {
		if c.conn == nil {
			defer c.leave()
			ctx = tenant.Public(ctx)
		} else {
			ctx = c.owner.Context(ctx)
		}
	}
	_, err := c.ExecContext(ctx, "SELECT", nil)
	return err
}

// ExecContext executes query.
func (c *sqlConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	if c.conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	tag, err := c.session.exec(ctx, c.conn.Conn(), query, valuesOf(args))
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	return driver.RowsAffected(tag.RowsAffected()), nil
}

// QueryContext runs query. Its error is known before the first row is asked for.
func (c *sqlConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	if c.conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	if err := c.from.db.checkMode(valuesOf(args)); err != nil {
		return nil, err
	}
	once := c.session.idle()
	rows, err := c.query(ctx, query, args)
	if err != nil && once && c.session.stale(ctx, err) {
		if err := c.session.refresh(ctx); err != nil {
			return nil, err
		}
		rows, err = c.query(ctx, query, args)
	}
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	return sqlRows{rows.(*stdlib.Rows), c.owner}, nil
}

func (c *sqlConn) query(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	text, given := c.session.begin(query, valuesOf(args), false)
	values := make([]driver.NamedValue, len(given))
	for i, value := range given {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: value}
	}
	return c.conn.QueryContext(ctx, text, values)
}

// failed returns err for database/sql, which tries elsewhere what comes back as
// driver.ErrBadConn: what was not sent, but for what was refused or is too late, as it
// would be there too.
func (c *sqlConn) failed(ctx context.Context, err error) error {
	bad := errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err)
	switch broken := wire.Of(c.conn.Conn().PgConn()).Err(); {
	case bad && ctx.Err() != nil:
		return ctx.Err()
	case bad && broken == nil:
		return driver.ErrBadConn
	case bad:
		return refused(c.owner, broken)
	}
	return refused(c.owner, err)
}

// valuesOf returns the values of args. Names are not looked at, as pgx has none.
func valuesOf(args []driver.NamedValue) []any {
	values := make([]any, len(args))
	for i, arg := range args {
		values[i] = arg.Value
	}
	return values
}

// sqlRows are the rows of a tenant's query, with all that those of pgx tell of
// columns.
type sqlRows struct {
	*stdlib.Rows
	owner scope.Owner
}

// Next reads the next row.
func (r sqlRows) Next(dest []driver.Value) error { return refused(r.owner, r.Rows.Next(dest)) }

// Close closes the rows.
func (r sqlRows) Close() error { return refused(r.owner, r.Rows.Close()) }
