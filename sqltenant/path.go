package sqltenant

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/scope"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/internal/sqltext"
)

// setPath sets the path of the owner and proves it, in one statement without
// parameters: that is one round trip for every driver, where parameters may take two.
func (c *conn) setPath(ctx context.Context) error {
	c.path = scope.Place{}
	err := c.exec(ctx, "SELECT pg_catalog.set_config('search_path', "+searchpath.Literal(c.owner.SearchPath(c.from.config.ExtraSchemas))+", false), "+c.proof())
	if err != nil {
		return err
	}
	c.path, c.roles, c.shown = c.owner.Place(), false, false
	return nil
}

// prove proves the path within a transaction in which a role was set.
func (c *conn) prove(ctx context.Context) error { return c.exec(ctx, "SELECT "+c.proof()) }

// proof is a part of a SELECT that fails where the schema does not exist, where the role
// may not use it (PostgreSQL passes such a schema over; looking for whatever is in it
// fails), or where another server process answers, which divides by zero.
func (c *conn) proof() string {
	schema := searchpath.Quote(c.owner.Tenant.Schema)
	return "pg_catalog.to_regclass(" + searchpath.Literal(schema+".cotenant") + "), " +
		"pg_catalog.int4div(1, pg_catalog.int4(pg_catalog.int4eq(pg_catalog.pg_backend_pid(), " + c.pid + "))) " +
		"WHERE " + searchpath.Literal(schema) + "::pg_catalog.regnamespace IS NOT NULL"
}

// exec executes a statement of ours. Where it could not, nothing of the application's
// has been sent, so that another connection may be tried.
func (c *conn) exec(ctx context.Context, sql string) error {
	_, err := c.inner.ExecContext(ctx, sql, nil)
	if err == nil {
		// A driver may notice too late that ctx has ended, and would send on.
		return ctx.Err()
	}
	switch code := sqlState(err); {
	case code == "3F000":
		return c.owner.Missing(err)
	case code == "22012":
		c.broken = true
		c.from.looked.Store(false)
		return errPooler
	case code == "", strings.HasPrefix(code, "08"), strings.HasPrefix(code, "25"), strings.HasPrefix(code, "57P"):
		c.broken = true
		if ctx.Err() == nil {
			return driver.ErrBadConn
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("set the path of %v: %w", c.owner, err)
}

// sqlState returns the code of an error of the server, else nothing.
func sqlState(err error) string {
	var e interface{ SQLState() string }
	if errors.As(err, &e) {
		return e.SQLState()
	}
	return ""
}

// isStale reports whether err may come from what was remembered of an earlier call of
// the statement. That was not executed then: the server says so before it begins, and
// not within a function.
func isStale(what sqltext.Class, err error) bool {
	if err == nil || what.Has(sqltext.Alone|sqltext.Opaque|sqltext.Commits|sqltext.Begins|sqltext.Ends|sqltext.Several) {
		return false
	}
	within, known := whereOf(err)
	parameter := strings.HasPrefix(within, "unnamed portal parameter")
	switch sqlState(err) {
	case "0A000", // cached plan must not change result type
		"26000": // prepared statement does not exist
		return within == ""
	case "22P02": // invalid input value for enum
		return parameter
	case "08P01", // bind message has 1 result formats but query has 2 columns
		"42804", "42846", "42883", // the type of a parameter does not fit any more
		"XX000": // cache lookup failed for type
		return known && (within == "" || parameter)
	}
	return false
}

// whereOf returns where the server says that the error came up, which is nowhere unless
// in a function or for a parameter, and whether the driver tells.
func whereOf(err error) (within string, known bool) {
	var ofPGX *pgconn.PgError
	var ofPQ interface{ Get(field byte) string }
	switch {
	case errors.As(err, &ofPGX):
		return ofPGX.Where, true
	case errors.As(err, &ofPQ):
		return ofPQ.Get('W'), true
	}
	return "", false
}
