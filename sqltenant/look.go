package sqltenant

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// minServerVersion is the oldest PostgreSQL that cotenant works with, in the form of
// server_version_num.
const minServerVersion = 140000

// ErrPooler says that a pooler stands between the program and the server, or a pool
// that gives sessions of the server out again.
var ErrPooler = errors.New("a connection pooler is in the way")

// The ways in which one shows.
var (
	errPooler = fmt.Errorf("%w: another driver behind transaction pooling cannot be made safe (connect to the server itself, or use pgxtenant with the mode Transaction)", ErrPooler)
	errReused = fmt.Errorf("search_path was set in this session before it was given out, by a hook of the driver or because %w (leave the path to the tenants, and connect to the server itself, without a pool of the driver's own)", ErrPooler)
)

// session is a connection of a driver that has all that is needed.
type session interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

// sessionOf returns c if it has all that is needed.
func sessionOf(c driver.Conn) (session, error) {
	_, begins := c.(driver.ConnBeginTx)
	_, executes := c.(driver.ExecerContext)
	_, prepares := c.(driver.ConnPrepareContext)
	_, queries := c.(driver.QueryerContext)
	if s, ok := c.(session); ok {
		return s, nil
	}
	var missing []string
	for _, method := range []struct {
		name string
		has  bool
	}{{"BeginTx", begins}, {"ExecContext", executes}, {"PrepareContext", prepares}, {"QueryContext", queries}} {
		if !method.has {
			missing = append(missing, method.name)
		}
	}
	return nil, fmt.Errorf("connections of the driver, %T, lack %s, without which a call cannot show its tenant (use a driver that has them, such as pgx or lib/pq)", c, strings.Join(missing, ", "))
}

// connect makes a connection and looks at its session.
func (c *connector) connect(ctx context.Context) (*conn, error) {
	inner, err := c.inner.Connect(ctx)
	if err != nil {
		return nil, err
	}
	s, err := sessionOf(inner)
	if err != nil {
		_ = inner.Close()
		return nil, err
	}
	conn := newConn(c, s)
	if err := conn.look(ctx); err != nil {
		if errors.Is(err, ErrPooler) {
			c.looked.Store(false)
		}
		_ = inner.Close()
		return nil, err
	}
	return conn, nil
}

const lookSQL = "SELECT pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_version'), " +
	"pg_catalog.current_setting('standard_conforming_strings'), " + pidSQL + ", " +
	"(SELECT source FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'search_path')"

const pidSQL = "pg_catalog.pg_backend_pid()::pg_catalog.text"

// look looks at a session that is new.
func (c *conn) look(ctx context.Context) error {
	row, err := ask(ctx, c.inner, lookSQL, 5)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(row[0])
	if err != nil {
		return fmt.Errorf("look at the server: %w", err)
	}
	if version < minServerVersion {
		return fmt.Errorf("PostgreSQL is too old: the server is %s, cotenant needs %d or newer (upgrade the server)", row[1], minServerVersion/10000)
	}
	switch row[4] {
	case "client":
		return errors.New("the connection string sets search_path, and the path is the tenant's (leave it out, PGOPTIONS too; Config.ExtraSchemas are searched by every tenant)")
	case "session":
		return errReused
	}
	c.escapes = row[2] == "off"
	c.pid = row[3]
	return nil
}

// lookForPooler sees, once for all connections, whether a server process serves two of
// them at once, or several serve one.
func (c *connector) lookForPooler(ctx context.Context, first *conn) error {
	if c.looked.Load() {
		return nil
	}
	select {
	case c.looking <- struct{}{}:
		defer func() { <-c.looking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.looked.Load() {
		return nil
	}
	second, err := c.connect(ctx)
	if err != nil {
		return fmt.Errorf("look for a pooler with a second connection: %w", err)
	}
	defer func() { _ = second.Close() }()
	if second.pid == first.pid {
		return errPooler
	}
	// Not in turns: a pooler that hands out its connections in turns would give each
	// of ours the same one again and again.
	for _, asked := range []*conn{first, first, second, first, second, second} {
		row, err := ask(ctx, asked.inner, "SELECT "+pidSQL, 1)
		if err != nil {
			return err
		}
		if row[0] != asked.pid {
			return errPooler
		}
	}
	c.looked.Store(true)
	return nil
}

// ask returns the only row of sql, which has n columns.
func ask(ctx context.Context, s session, sql string, n int) ([]string, error) {
	found := make([]driver.Value, n)
	rows, err := s.QueryContext(ctx, sql, nil)
	if err == nil {
		err = errors.Join(rows.Next(found), rows.Close())
	}
	switch code := sqlState(err); {
	case code == "26000", code == "42P05":
		// A statement that was prepared is not there any more, or is there already.
		return nil, fmt.Errorf("%w: %w", errPooler, err)
	case errors.Is(err, io.EOF):
		return nil, errors.New("look at the server: no row (is it PostgreSQL?)")
	case err != nil:
		return nil, fmt.Errorf("look at the server: %w", err)
	}
	row := make([]string, n)
	for i, value := range found {
		if bytes, ok := value.([]byte); ok {
			value = string(bytes)
		}
		row[i] = fmt.Sprint(value)
	}
	return row, nil
}
