package sqltenant

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// Wrap returns a connector whose connections are those of connector, another driver's
// for PostgreSQL, with every call scoped to the tenant in its context:
//
//	connector, err := pq.NewConnector(url)
//	…
//	connector, err = sqltenant.Wrap(connector, nil)
//	…
//	db := sql.OpenDB(connector)
//
// Nothing is sent until the first connection is made. That takes two of the server's,
// of which one is closed again, to see whether a pooler of transactions is in the way:
// [ErrPooler]. Each new connection is looked at once, which costs a round trip: the
// server must be PostgreSQL 14 or newer, and search_path must be nobody's yet.
//
// # A call's way
//
// A call without a tenant in its context fails with tenant.ErrNoTenant, and nothing is
// sent; sql.Tx.Exec and the other methods without a context have none. Ping without a
// tenant asks whether the server answers.
//
// Before the first statement on a connection that was taken from the pool, the path is
// set, in a round trip of its own, which also proves that the schema exists and that
// the role may use it. If that fails the statement is not sent; the error wraps
// tenant.ErrSchemaNotFound where the schema is gone. See Config.LimitSetCalls for fewer
// round trips. Nothing is sent between the statements of a transaction, but for a proof
// behind a SET ROLE.
//
// Behind each statement stands a comment that names the tenant, as pgxtenant has it, so
// that what drivers and PostgreSQL remember of it they remember for one tenant. A
// sql.Stmt is prepared once for each tenant that runs it on a connection; the last 2048
// on each are kept. A statement that fails since what is remembered is out of date, as
// it is when a migration has changed a type, is tried once more, if no transaction is
// open.
//
// # Nothing carries over
//
// A connection in which the application may have left something for the next tenant (a
// temporary table, a cursor WITH HOLD, an advisory lock, a role or another setting, an
// open transaction) is closed when it is put back, as far as the text of the
// statements tells, and so is one that has served more than MaxTenants tenants, or
// that was shown to sql.Conn.Raw; see [Raw].
//
// # What the driver needs
//
// Its connections must have the methods that take a context: BeginTx, ExecContext,
// PrepareContext and QueryContext, and its statements ExecContext and QueryContext
// (but for COPY FROM STDIN, such as lib/pq's CopyIn, where each row needs the context
// too, the last call as well). Its errors should have a method SQLState, as those of
// lib/pq and pgx do, and each of its connections must be a session of the server of
// its own: a pool below would give out what the session has kept. The other optional
// interfaces of database/sql/driver are kept as the driver has them.
//
// # Limits
//
//   - The proof stands in front of the first statement, and nothing behind: where the
//     schema is dropped or renamed after it, names are found among the shared tables
//     until the connection is put back. Use tenant.WithoutPublic, or pgxtenant, where
//     that can happen.
//   - What a function, a procedure or a DO block does to the session is not seen.
//   - A pooler that begins to pool transactions later is noticed when the path is set
//     next and another server process answers. What came before may have gone wrong.
func Wrap(inner driver.Connector, config *Config) (driver.Connector, error) {
	if inner == nil {
		return nil, errors.New("sqltenant: the connector is nil (make one with the driver, such as pq.NewConnector)")
	}
	if _, ok := inner.(scoped); ok {
		return nil, errors.New("sqltenant: the connector is scoped to the tenant in the context already (use it as it is)")
	}
	c, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("sqltenant: %w", err)
	}
	return &connector{inner: inner, config: c, looking: make(chan struct{}, 1)}, nil
}

// scoped is what connectors have whose connections are scoped.
type scoped interface{ TenantScoped() }

// Raw is what sql.Conn.Raw is given for a connection of [Wrap]:
//
//	err := conn.Raw(func(c any) error {
//		return c.(sqltenant.Raw).Unwrap().(*stdlib.Conn).Conn().SendBatch(ctx, batch).Close()
//	})
type Raw interface {
	// Unwrap returns the driver's own connection, on the path of the tenant of the
	// sql.Conn. It is nil if that has served nobody yet, or if the path is not known:
	// call PingContext first, with the tenant. What is done with it is not looked
	// after: contexts are not checked, and the connection is closed when the sql.Conn
	// is.
	Unwrap() driver.Conn
}

// connector makes connections. It is safe for concurrent use.
type connector struct {
	inner  driver.Connector
	config Config

	looking chan struct{} // held by who looks for a pooler
	looked  atomic.Bool   // and found none
}

// Connect makes a connection, and looks at what it leads to.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.lookForPooler(ctx, conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	conn.meet(ctx)
	return conn, nil
}

// Driver returns the driver, whose own connections are not scoped.
func (c *connector) Driver() driver.Driver { return c.inner.Driver() }

// TenantScoped says that what c connects to is scoped to the tenant in the context
// already, so that it is not done again.
func (c *connector) TenantScoped() {}

// Close closes the driver's connector, if it can be: sql.DB.Close calls it.
func (c *connector) Close() error {
	if closer, ok := c.inner.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}
