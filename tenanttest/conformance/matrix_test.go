package conformance_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/lib/pq"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/sqltenant"
	"github.com/cotenant/cotenant/tenant"
	"github.com/cotenant/cotenant/tenanttest/conformance"
)

// cell is one of the matrix: a way in, when it sets the path, and what stands between
// it and the server.
type cell struct {
	in     wayIn
	mode   pgxtenant.Mode
	pooler string // the pool_mode of a PgBouncer, or none
}

// wayIn is a way in to the database.
type wayIn struct {
	name string
	open func(ctx context.Context, url string, connections int, m pgxtenant.Mode) (conformance.Access, error)
	// promises are those of a cell; reports is whether the server tells of a
	// search_path that changes.
	promises func(c cell, reports bool) conformance.Way
	// refusal is the error of a cell that cannot be safe.
	refusal func(cell) error
}

// waysIn are all there are.
func waysIn() []wayIn {
	return []wayIn{
		{"DB", openDB, pgxPromises, pgxRefusal},
		{"Pool", openPool, poolPromises, pgxRefusal},
		{"SQL", openSQL, pgxPromises, pgxRefusal},
		{"Wrap, lib/pq", openPQ, wrapPromises, wrapRefusal},
		{"Wrap, stdlib", openStdlib, stdlibPromises, wrapRefusal},
	}
}

// poolers are what may stand before the server.
func poolers() []string { return []string{"", "transaction", "session"} }

// matrix is every cell.
func matrix() []cell {
	var cells []cell
	for _, in := range waysIn() {
		for _, m := range []pgxtenant.Mode{pgxtenant.OnChange, pgxtenant.EveryAcquire, pgxtenant.Transaction} {
			if m == pgxtenant.Transaction && strings.HasPrefix(in.name, "Wrap") {
				continue // it has no such mode
			}
			for _, pooler := range poolers() {
				cells = append(cells, cell{in, m, pooler})
			}
		}
	}
	return cells
}

// String names the cell in tests and reports.
func (c cell) String() string {
	name := c.in.name + ", " + c.mode.String()
	if c.pooler != "" {
		name += ", PgBouncer " + c.pooler
	}
	return name
}

// short reports whether the cell is one of those that stand for all: each way in once
// by itself, and through transaction pooling what may go there.
func (c cell) short() bool {
	switch c.pooler {
	case "":
		return c.mode == pgxtenant.EveryAcquire
	case "transaction":
		return true
	}
	return false
}

// address returns the URL that the cell reaches the database at url by.
func (c cell) address(t *testing.T, url string) string {
	t.Helper()
	if c.pooler == "" {
		return url
	}
	return testdb.PgBouncer(t, url, c.pooler)
}

// way returns the way in of a cell that is none of those refused.
func (c cell) way(t *testing.T, url string) conformance.Way {
	t.Helper()
	address := c.address(t, url)
	way := c.in.promises(c, reportsPath(t, url))
	way.Name = c.String()
	way.Open = func(ctx context.Context, connections int) (conformance.Access, error) {
		return c.in.open(ctx, address, connections, c.mode)
	}
	return way
}

// reportsPath reports whether the server tells of a search_path that changes.
func reportsPath(t *testing.T, url string) bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	return conn.PgConn().ParameterStatus("search_path") != ""
}

// Every trap, in every cell; or the cell is refused, and says why.
func TestMatrix(t *testing.T) {
	t.Parallel()

	for _, c := range matrix() {
		if testing.Short() && !c.short() {
			continue
		}
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			url := testdb.New(t)
			if want := c.in.refusal(c); want != nil {
				c.refused(t, url, want)
				return
			}
			conformance.Run(t, c.way(t, url), url)
		})
	}
}

// refused makes calls in a cell that cannot be safe: each fails.
func (c cell) refused(t *testing.T, url string, want error) {
	t.Helper()
	access, err := c.in.open(t.Context(), c.address(t, url), 1, c.mode)
	if errors.Is(err, want) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer access.Close()
	ctx := tenant.Public(t.Context())
	for range 3 {
		if _, err := access.Exec(ctx, "SELECT"); !errors.Is(err, want) {
			t.Errorf("Exec: %v; want %v", err, want)
		}
		if _, err := access.Begin(ctx); !errors.Is(err, want) {
			t.Errorf("Begin: %v; want %v", err, want)
		}
	}
}

// pgxRefusal: behind a pooler, only what is right again with each transaction is.
func pgxRefusal(c cell) error {
	if c.pooler != "" && c.mode != pgxtenant.Transaction {
		return pgxtenant.ErrPooler
	}
	return nil
}

// wrapRefusal: what another driver does behind a pooler of transactions nobody sees. A
// pooler of sessions looks like the server.
func wrapRefusal(c cell) error {
	if c.pooler == "transaction" {
		return sqltenant.ErrPooler
	}
	return nil
}

// poolPromises: without a tag, nothing may be remembered of a statement, and the
// context of another tenant is refused by pgxpool's rules.
func poolPromises(c cell, reports bool) conformance.Way {
	way := conformance.Way{
		Clean: true, HiddenPath: reports || c.mode != pgxtenant.OnChange, Proves: true, Sessions: c.mode != pgxtenant.Transaction, Watched: true,
		Modes: []any{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeExec},
	}
	if c.mode != pgxtenant.Transaction {
		way.Modes = append(way.Modes, pgx.QueryExecModeDescribeExec)
	}
	return way
}

func pgxPromises(c cell, reports bool) conformance.Way {
	way := poolPromises(c, reports)
	way.Owned = true
	way.Modes = append(way.Modes, pgx.QueryExecModeCacheDescribe)
	return way
}

// wrapPromises: the schema is looked at in front of the first statement, or with
// LimitSetCalls when it is another than before.
func wrapPromises(c cell, _ bool) conformance.Way {
	every := c.mode == pgxtenant.EveryAcquire
	return conformance.Way{Clean: true, HiddenPath: every, Owned: true, Proves: every, Sessions: true}
}

func stdlibPromises(c cell, reports bool) conformance.Way {
	way := wrapPromises(c, reports)
	way.Modes = []any{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeExec, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeCacheDescribe}
	return way
}

func openDB(ctx context.Context, url string, connections int, m pgxtenant.Mode) (conformance.Access, error) {
	db, err := dbOf(ctx, url, connections, m)
	if err != nil {
		return nil, err
	}
	return conformance.PGX{
		Pool:     db,
		Acquirer: func(ctx context.Context) (conformance.PGXConn, error) { return db.Acquire(ctx) },
		Closer:   db.Close,
	}, nil
}

func openPool(ctx context.Context, url string, connections int, m pgxtenant.Mode) (conformance.Access, error) {
	db, err := dbOf(ctx, url, connections, m)
	if err != nil {
		return nil, err
	}
	return conformance.PGX{
		Pool:     db.Pool(),
		Acquirer: func(ctx context.Context) (conformance.PGXConn, error) { return db.Pool().Acquire(ctx) },
		Closer:   db.Close,
	}, nil
}

func openSQL(ctx context.Context, url string, connections int, m pgxtenant.Mode) (conformance.Access, error) {
	db, err := dbOf(ctx, url, connections, m)
	if err != nil {
		return nil, err
	}
	std := sqltenant.OpenDB(db)
	return conformance.SQL{DB: std, Closer: func() {
		_ = std.Close()
		db.Close()
	}}, nil
}

func openPQ(_ context.Context, url string, connections int, m pgxtenant.Mode) (conformance.Access, error) {
	connector, err := pq.NewConnector(url)
	if err != nil {
		return nil, err
	}
	access, err := openWrapped(connector, connections, m)
	access.Values = func(value any) any {
		if texts, ok := value.([]string); ok {
			return pq.Array(texts)
		}
		return value
	}
	return access, err
}

func openStdlib(_ context.Context, url string, connections int, m pgxtenant.Mode) (conformance.Access, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	return openWrapped(stdlib.GetConnector(*config), connections, m)
}

func openWrapped(connector driver.Connector, connections int, m pgxtenant.Mode) (conformance.SQL, error) {
	connector, err := sqltenant.Wrap(connector, &sqltenant.Config{LimitSetCalls: m == pgxtenant.OnChange})
	if err != nil {
		return conformance.SQL{}, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return conformance.SQL{DB: db}, nil
}

func dbOf(ctx context.Context, url string, connections int, m pgxtenant.Mode) (*pgxtenant.DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	return pgxtenant.New(ctx, config, &pgxtenant.Config{Mode: m})
}
