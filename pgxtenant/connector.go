package pgxtenant

import (
	"context"
	"database/sql/driver"

	"github.com/jackc/pgx/v5/stdlib"
)

// Connector returns a connector for database/sql, over the connections of db:
//
//	std := sql.OpenDB(db.Connector())
//
// so that a program may use both, and has one pool. Each call runs in the schema of
// the tenant in its context, or fails, as with the methods of DB: the path costs no
// round trip, statements are tagged and remembered for their tenant. Calls without a
// context have no tenant. Closing the *sql.DB leaves db open.
//
// A connection of database/sql is an empty shell until it is used; it takes one from
// the pool of db then, and gives it back when database/sql puts the shell back. So
// pgxpool's settings count (pool_max_conns, lifetimes, health checks), and those of
// the *sql.DB need not be touched: its idle connections hold nothing, and
// SetMaxOpenConns is how many of the pool's it may use at once.
//
// A sql.Tx, and a sql.Conn from its first call on, belong to the tenant of that call;
// the context of another is refused with tenant.ErrOtherTenant. A sql.Stmt belongs to
// nobody: it runs in the schema of whoever calls it. Preparing one costs a round trip
// on each shell, which tells what is wrong with it and how many parameters it has; the
// server keeps it prepared as Config.StatementCache says. Ping without a tenant asks
// whether the server answers.
//
// sql.Conn.Raw is given a [Raw], which leads to the *pgx.Conn.
func (db *DB) Connector() driver.Connector {
	return &connector{db: db, pool: stdlib.GetPoolConnector(db.pool)}
}

// connector makes shells.
type connector struct {
	db   *DB
	pool driver.Connector // takes connections of db's pool
}

// acquire takes a connection of the pool, for stdlib, and returns what gives it back.
// What stdlib has of a connection is kept with it: to make that anew for each call, and to
// close it within a time limit of its own, costs more than all the rest.
func (c *connector) acquire(ctx context.Context) (conn *stdlib.Conn, release func(), err error) {
	pooled, err := c.db.pool.Acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	if s := sessionOf(pooled.Conn()); s.std != nil {
		return s.std, pooled.Release, nil
	}
	pooled.Release() // only its connector makes one, of whichever connection comes
	made, err := c.pool.Connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	conn = made.(*stdlib.Conn)
	sessionOf(conn.Conn()).std = conn
	return conn, func() { _ = conn.Close() }, nil
}

// Connect returns a shell. database/sql calls it with the context of the call that it
// is for, or with one of its own.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn := &sqlConn{from: c}
	if _, err := c.db.ownerOf(ctx); err != nil {
		return conn, nil //nolint:nilerr // the call will tell
	}
	if err := conn.enter(ctx); err != nil {
		return nil, err
	}
	return conn, nil
}

// Driver returns the driver of pgx, whose own connections are not scoped.
func (c *connector) Driver() driver.Driver { return c.pool.Driver() }

// TenantScoped says that what c connects to is scoped to the tenant in the context
// already, so that it is not done again.
func (c *connector) TenantScoped() {}
