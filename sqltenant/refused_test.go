package sqltenant_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
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
)

// says complains unless err has each of the words.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; want one with %q", words)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q says nothing of %q", err, word)
		}
	}
}

// What cannot be wrapped is refused before anything is sent.
func TestWrapRefuses(t *testing.T) {
	t.Parallel()

	const nowhere = "postgres://localhost:1/nowhere"
	bare := newPQ(t, nowhere, nil)
	_, err := sqltenant.Wrap(nil, nil)
	says(t, err, "connector is nil", "pq.NewConnector")
	wrapped, err := sqltenant.Wrap(bare, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sqltenant.Wrap(wrapped, nil)
	says(t, err, "already", "use it as it is")
	for want, config := range map[string]sqltenant.Config{
		"MaxTenants":                {MaxTenants: -1},
		"ExtraSchemas has public":   {ExtraSchemas: []tenant.Schema{tenant.PublicSchema()}},
		"tenant.ParseSchema":        {ExtraSchemas: []tenant.Schema{{}}},
		"use 0 for the default":     {MaxTenants: -2},
		"Config.ExtraSchemas: inva": {ExtraSchemas: []tenant.Schema{{}}},
	} {
		_, err := sqltenant.Wrap(bare, &config)
		says(t, err, want)
	}
	if got, ok := wrapped.Driver().(*pq.Driver); !ok {
		t.Errorf("%T", got)
	}
}

// What pgxtenant gives out for database/sql is scoped already.
func TestWrapRefusesPGXTenant(t *testing.T) {
	t.Parallel()

	config, err := pgxpool.ParseConfig(testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	db, err := pgxtenant.New(t.Context(), config, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = sqltenant.Wrap(db.Connector(), nil)
	says(t, err, "already")
}

// closing is a connector that can be closed, and hands out connections that lack
// something.
type closing struct {
	driver.Connector
	hide   func(driver.Conn) driver.Conn
	closed *bool
}

func (c closing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return c.hide(conn), nil
}

func (c closing) Close() error { *c.closed = true; return nil }

// Drivers of older days: with nothing, and with statements that lack contexts.
type (
	bareConn  struct{ driver.Conn }
	olderConn struct{ contextConn }
	bareStmt  struct{ driver.Stmt }
)

type contextConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

func (c olderConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.contextConn.PrepareContext(ctx, query)
	return bareStmt{stmt}, err
}

// A driver whose calls do not show their context cannot be scoped.
func TestLegacyDriver(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			var closed bool
			hiding := func(hide func(driver.Conn) driver.Conn) *sql.DB {
				connector, err := sqltenant.Wrap(closing{b.make(t, b.url, nil), hide, &closed}, nil)
				if err != nil {
					t.Fatal(err)
				}
				return opened(t, connector)
			}
			db := hiding(func(c driver.Conn) driver.Conn { return bareConn{c} })
			_, err := db.ExecContext(asA(t), "SELECT 1")
			says(t, err, "bareConn", "lack BeginTx, ExecContext, PrepareContext, QueryContext", "use a driver")
			if err := db.Close(); err != nil || !closed {
				t.Errorf("the driver's connector was closed: %t, %v", closed, err)
			}
			// Without a checker, a pinger, a resetter and a validator it does without.
			db = hiding(func(c driver.Conn) driver.Conn { return olderConn{c.(contextConn)} })
			in(asA(t), t, db, "a")
			in(asB(t), t, db, "b")
			for _, ctx := range []context.Context{asA(t), t.Context()} {
				if err := db.PingContext(ctx); err != nil {
					t.Error(err)
				}
			}
			stmt, err := db.PrepareContext(asA(t), "SELECT 1")
			if err == nil {
				defer stmt.Close()
			}
			says(t, err, "bareStmt", "ExecContext or QueryContext", "use a driver")
		})
	}
}

// A path that comes with the connection would come back with each RESET.
func TestConnectionString(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			for key, value := range map[string]string{"options": "-c search_path=b", "search_path": "b"} {
				u, err := url.Parse(b.url)
				if err != nil {
					t.Fatal(err)
				}
				query := u.Query()
				query.Set(key, value)
				u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // as pgx reads it
				_, err = opened(t, b.wrap(t, u.String(), nil)).ExecContext(asA(t), "SELECT 1")
				says(t, err, "connection string sets search_path", "leave it out")
			}
			// One of the role is overridden.
			b.exec(t, "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET search_path TO b', current_database()); END$$")
			in(asA(t), t, b.open(t, nil), "a")
		})
	}
}

// A pool below gives out sessions again, with what is left in them.
func TestPoolBelow(t *testing.T) {
	t.Parallel()

	b := newBase(t, newPQ, twoTenants)
	pool, err := pgxpool.New(t.Context(), b.url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	connector, err := sqltenant.Wrap(stdlib.GetPoolConnector(pool), nil)
	if err != nil {
		t.Fatal(err)
	}
	db := opened(t, connector)
	db.SetMaxIdleConns(0)
	for range 3 {
		if _, err = db.ExecContext(asA(t), "SET lock_timeout = 1"); err != nil {
			break
		}
	}
	if !errors.Is(err, sqltenant.ErrPooler) {
		t.Errorf("%v", err)
	}
	says(t, err, "before it was given out", "without a pool")
}

// A pooler of transactions is found when the first connection is made.
func TestPooler(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			_, err := opened(t, b.wrap(t, testdb.PgBouncer(t, b.url, "transaction"), nil)).ExecContext(asA(t), "SELECT 1")
			if !errors.Is(err, sqltenant.ErrPooler) {
				t.Errorf("%v", err)
			}
			says(t, err, "connect to the server itself", "pgxtenant")
		})
	}
}

// One that is told to pool transactions later is found when the path is set.
func TestPoolerChanges(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			through := testdb.PgBouncer(t, b.url, "session")
			db := opened(t, b.wrap(t, through, nil))
			db.SetMaxOpenConns(2)
			db.SetMaxIdleConns(2)
			alternate := func() error {
				var err error
				for _, ctx := range []context.Context{asA(t), asB(t)} {
					conn, connErr := db.Conn(ctx)
					if connErr != nil {
						return errors.Join(err, connErr)
					}
					defer conn.Close()
					_, execErr := conn.ExecContext(ctx, "SELECT 1")
					err = errors.Join(err, execErr)
				}
				return err
			}
			if err := alternate(); err != nil {
				t.Fatal(err)
			}
			pgbouncer(t, through, "SET pool_mode = 'transaction'")
			var err error
			for range 10 {
				if err = alternate(); err != nil {
					break
				}
			}
			if !errors.Is(err, sqltenant.ErrPooler) {
				t.Errorf("%v", err)
			}
			says(t, err, "transaction pooling") // which was seen when the path was set
			// New connections are looked at again, also where the servers' are new.
			pgbouncer(t, through, "RECONNECT")
			db.SetMaxIdleConns(-1)
			if _, err := db.ExecContext(asA(t), "SELECT 1"); !errors.Is(err, sqltenant.ErrPooler) {
				t.Errorf("%v", err)
			}
		})
	}
}

// pgbouncer executes a command of the PgBouncer that url leads through.
func pgbouncer(t *testing.T, url, command string) {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.Database = "pgbouncer"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.PgConn().Exec(t.Context(), command).ReadAll(); err != nil {
		t.Fatal(err)
	}
}
