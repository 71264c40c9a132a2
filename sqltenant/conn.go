package sqltenant

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/cotenant/cotenant/internal/scope"
	"github.com/cotenant/cotenant/internal/sqltext"
	"github.com/cotenant/cotenant/tenant"
)

// conn is a connection of another driver, scoped. database/sql sees to it that there
// is one call at a time.
type conn struct {
	inner   session
	from    *connector
	pid     string // of the server process
	escapes bool   // standard_conforming_strings was off in the beginning

	owner   *scope.Owner // nil while nobody uses it, or nobody that is known
	path    scope.Place  // that search_path leads to; zero if that is not known
	tenants map[scope.Place]struct{}

	open   bool // a transaction may be
	shown  bool // to sql.Conn.Raw, since the path was set
	roles  bool // another role may be set
	left   bool // something may be left in the session
	broken bool

	statements *statements
}

var _ interface {
	Raw
	session
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
} = (*conn)(nil)

func newConn(from *connector, inner session) *conn {
	return &conn{inner: inner, from: from, tenants: make(map[scope.Place]struct{}), statements: newStatements()}
}

// Close closes the driver's connection.
func (c *conn) Close() error { return c.inner.Close() }

// enter has c belong to the tenant in ctx, and refuses another tenant's once it does.
func (c *conn) enter(ctx context.Context) error {
	if c.owner != nil {
		if err := c.owner.Check(ctx); err != nil {
			return err
		}
	} else {
		o, err := scope.Of(ctx, c.from.config.Database)
		if err != nil {
			return err
		}
		c.owner = &o
		c.tenants[o.Place()] = struct{}{}
	}
	if c.broken {
		return driver.ErrBadConn
	}
	return nil
}

// IsValid ends what c was used for: database/sql calls it when it puts c back. It
// reports whether c may serve another tenant.
func (c *conn) IsValid() bool {
	c.owner, c.roles = nil, false
	if !c.from.config.LimitSetCalls {
		c.path = scope.Place{}
	}
	if c.broken || c.left || c.open || len(c.tenants) > c.from.config.MaxTenants {
		return false
	}
	v, ok := c.inner.(driver.Validator)
	return !ok || v.IsValid()
}

// ResetSession has the driver make its connection ready for its next use.
func (c *conn) ResetSession(ctx context.Context) error {
	if c.owner != nil && !c.IsValid() { // it was not put back
		return driver.ErrBadConn
	}
	if r, ok := c.inner.(driver.SessionResetter); ok {
		if err := r.ResetSession(ctx); err != nil {
			return err
		}
	}
	c.meet(ctx)
	return nil
}

// meet has c belong to the tenant that it was taken for, if ctx tells: that is so but
// where database/sql connects in the background.
func (c *conn) meet(ctx context.Context) {
	_ = c.enter(ctx) // the call comes there again, and will tell
}

// Unwrap returns the driver's own connection, after which nothing is known any more.
func (c *conn) Unwrap() driver.Conn {
	if c.owner == nil || c.path != c.owner.Place() {
		return nil
	}
	c.left, c.shown = true, true
	return c.inner
}

// CheckNamedValue leaves the value to the driver's connection.
func (c *conn) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.inner.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

// Ping asks whether the server answers and, with a tenant in ctx, whether its schema
// exists.
func (c *conn) Ping(ctx context.Context) error {
	if _, err := tenant.FromContext(ctx); !errors.Is(err, tenant.ErrNoTenant) {
		if err := c.enter(ctx); err != nil {
			return err
		}
		if !c.open {
			return c.setPath(ctx)
		}
	}
	if pinger, ok := c.inner.(driver.Pinger); ok {
		return c.noticed(pinger.Ping(ctx))
	}
	return nil
}

// ExecContext executes query.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	what := c.classify(query)
	return run(ctx, c, what, func() (driver.Result, error) {
		return c.inner.ExecContext(ctx, c.tagged(query), args)
	})
}

// QueryContext runs query.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	what := c.classify(query)
	return run(ctx, c, what, func() (driver.Rows, error) {
		return c.inner.QueryContext(ctx, c.tagged(query), args)
	})
}

// tagged returns query with the owner's tag.
func (c *conn) tagged(query string) string {
	if scope.IsBlank(query) {
		return query
	}
	return query + c.owner.Tag()
}

// classify looks at a text. Once a setting may have been changed, whether a backslash
// escapes is not known.
func (c *conn) classify(query string) sqltext.Class {
	what, _ := sqltext.Classify(query, c.escapes)
	if c.left {
		other, _ := sqltext.Classify(query, !c.escapes)
		what |= other
	}
	return what
}

// run has the tenant in ctx run a statement: once more, if it failed since something
// that was remembered of it is out of date.
func run[T any](ctx context.Context, c *conn, what sqltext.Class, statement func() (T, error)) (T, error) {
	if err := c.ready(ctx, what); err != nil {
		var none T
		return none, err
	}
	once := !c.open
	c.note(what)
	result, err := statement()
	if once && ctx.Err() == nil && isStale(what, err) {
		result, err = statement()
	}
	c.ended(what, err)
	return result, c.noticed(err)
}

// errRole refuses a text in which nothing can look at what the role may use.
var errRole = errors.New("a text of several statements that sets a role and goes on may leave the tenant's schema, which another role may not use (send the SET ROLE by itself)")

// ready has c belong to the tenant in ctx, on its path.
func (c *conn) ready(ctx context.Context, what sqltext.Class) error {
	if err := c.enter(ctx); err != nil {
		return err
	}
	switch {
	case what.Has(sqltext.Several) && what.Has(sqltext.Roles) && what.Has(sqltext.Works):
		return errRole
	case c.open && c.roles && what.Has(sqltext.Works):
		return c.prove(ctx)
	case c.open, c.path == c.owner.Place() && !c.shown:
		return nil
	}
	return c.setPath(ctx)
}

// note notes what a statement that is about to be sent may do to the session.
func (c *conn) note(what sqltext.Class) {
	if what.Has(sqltext.Sets | sqltext.Names | sqltext.Leaves | sqltext.RollsBack) {
		c.path = scope.Place{}
	}
	c.left = c.left || what.Has(sqltext.Leaves|sqltext.Unsure)
	c.roles = c.roles || what.Has(sqltext.Roles)
}

// ended notes what a statement has done to the transaction.
func (c *conn) ended(what sqltext.Class, err error) {
	if what.Has(sqltext.Begins) {
		c.open = true
	}
	// A syntax error is no end of one: END IF.
	over := err == nil || !what.Has(sqltext.Several) && sqlState(err) != "" && !strings.HasPrefix(sqlState(err), "42")
	if what.Has(sqltext.Ends) && !what.Has(sqltext.GoesOn) && over {
		c.open, c.roles = false, false
	}
}

// noticed returns the error of the driver. After one that is not the server's the
// path counts as unknown.
func (c *conn) noticed(err error) error {
	switch {
	case err == nil, errors.Is(err, driver.ErrSkip), sqlState(err) != "":
	case errors.Is(err, driver.ErrBadConn):
		c.broken = true
	default:
		c.path = scope.Place{}
	}
	return err
}
