package sqltenant

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/cotenant/cotenant/internal/scope"
	"github.com/cotenant/cotenant/internal/sqltext"
)

// Prepare has no context, and so no tenant.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query) //nolint:forbidigo // that is what database/sql would give
}

// PrepareContext prepares query for the tenant in ctx. Another may run it too.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := c.ready(ctx, sqltext.Works); err != nil {
		return nil, err
	}
	s := &stmt{conn: c, query: query, what: c.classify(query), places: make(map[scope.Place]struct{})}
	inner, err := c.inner.PrepareContext(ctx, c.tagged(query))
	if err != nil {
		return nil, c.noticed(err)
	}
	p, ok := inner.(prepared)
	switch {
	case ok:
	case isCopy(query):
		return copying{conn: c, Stmt: inner}, nil
	default:
		_ = inner.Close()
		return nil, fmt.Errorf("statements of the driver, %T, lack ExecContext or QueryContext, without which a call cannot show its tenant (use a driver that has them, such as pgx or lib/pq)", inner)
	}
	s.keep(p)
	if _, ok := inner.(driver.ColumnConverter); ok { //nolint:staticcheck // what is deprecated still counts
		return converting{s}, nil
	}
	return s, nil
}

// stmt is a statement for all tenants. It is prepared for each that runs it.
type stmt struct {
	conn   *conn
	query  string
	what   sqltext.Class
	places map[scope.Place]struct{}
	last   prepared // the one that was used last
	closed error    // what the driver said when it closed some
}

var _ interface {
	prepared
	driver.NamedValueChecker
} = (*stmt)(nil)

// keep keeps the statement as it was prepared for the owner of the connection.
func (s *stmt) keep(p prepared) {
	place := s.conn.owner.Place()
	s.places[place] = struct{}{}
	s.last = p
	s.conn.statements.Add(key{s, place}, p)
}

// own returns the statement as it is prepared for the owner of the connection.
func (s *stmt) own(ctx context.Context) (prepared, error) {
	if p, ok := s.conn.statements.Get(key{s, s.conn.owner.Place()}); ok {
		s.last = p
		return p, nil
	}
	inner, err := s.conn.inner.PrepareContext(ctx, s.conn.tagged(s.query))
	if err != nil {
		return nil, err
	}
	p, ok := inner.(prepared)
	if !ok {
		return nil, fmt.Errorf("the driver prepared a %T, after a %T", inner, s.last)
	}
	s.keep(p)
	return p, nil
}

// forget has the statement be prepared anew for the owner of the connection.
func (s *stmt) forget() { s.conn.statements.Remove(key{s, s.conn.owner.Place()}) }

// Close closes the statement for all tenants.
func (s *stmt) Close() error {
	for place := range s.places {
		s.conn.statements.Remove(key{s, place})
	}
	return s.closed
}

// NumInput returns the number of parameters.
func (s *stmt) NumInput() int { return s.last.NumInput() }

// CheckNamedValue leaves the value to the driver's statement, else to its connection.
func (s *stmt) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := s.last.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return s.conn.CheckNamedValue(value)
}

// errNoContext refuses what database/sql does not call.
var errNoContext = errors.New("a call without a context has no tenant (use ExecContext or QueryContext)")

// Exec is refused.
func (s *stmt) Exec([]driver.Value) (driver.Result, error) { return nil, errNoContext }

// Query is refused.
func (s *stmt) Query([]driver.Value) (driver.Rows, error) { return nil, errNoContext }

// ExecContext executes the statement for the tenant in ctx.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return runPrepared(ctx, s, func(p prepared) (driver.Result, error) { return p.ExecContext(ctx, args) })
}

// QueryContext runs the statement for the tenant in ctx.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return runPrepared(ctx, s, func(p prepared) (driver.Rows, error) { return p.QueryContext(ctx, args) })
}

func runPrepared[T any](ctx context.Context, s *stmt, f func(prepared) (T, error)) (T, error) {
	return run(ctx, s.conn, s.what, func() (T, error) {
		p, err := s.own(ctx)
		if err != nil {
			var none T
			return none, err
		}
		result, err := f(p)
		if isStale(s.what, err) {
			s.forget()
		}
		return result, err
	})
}

// converting is a statement of a driver that converts values by their column.
type converting struct{ *stmt }

// ColumnConverter returns the driver's.
func (s converting) ColumnConverter(i int) driver.ValueConverter {
	return s.last.(driver.ColumnConverter).ColumnConverter(i) //nolint:staticcheck // what is deprecated still counts
}
