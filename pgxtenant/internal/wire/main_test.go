package wire_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// schemas are two tenants' and public's, each with a table things; public's must
// never be read or written here.
const schemas = `
	CREATE TABLE things (name text);
	CREATE SCHEMA a; CREATE TABLE a.things (name text);
	CREATE SCHEMA b; CREATE TABLE b.things (name text);
	CREATE PROCEDURE public.counts(INOUT n int) LANGUAGE plpgsql AS $$BEGIN INSERT INTO things VALUES ('called'); SELECT count(*) INTO n FROM things; END$$;
	CREATE PROCEDURE public.commits() LANGUAGE plpgsql AS $$BEGIN INSERT INTO things VALUES ('called'); COMMIT; END$$;`

// session is a connection with a Conn on it, and a plain one to look at what it did.
type session struct {
	*pgx.Conn
	plain *pgx.Conn
	sent  atomic.Int64 // writes to the server
}

// newSession connects to a database with schemas in it. Where slow is set, every
// byte of the server's comes in a read of its own.
func newSession(t *testing.T, mode wire.Mode, slow bool) *session {
	t.Helper()
	url := testdb.New(t)
	plain, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Exec(t.Context(), schemas); err != nil {
		t.Fatal(err)
	}
	s := &session{plain: plain}
	s.Conn = s.connect(t, url, mode, slow)
	t.Cleanup(func() {
		_ = s.Close(context.WithoutCancel(t.Context()))
		_ = plain.Close(context.WithoutCancel(t.Context()))
	})
	return s
}

func (s *session) connect(t *testing.T, url string, mode wire.Mode, slow bool) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	if mode == wire.Local {
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &countedConn{Conn: conn, sent: &s.sent, slow: slow}, err
	}
	wire.Attach(&config.Config, mode)
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// countedConn counts writes, and reads byte by byte where it is slow.
type countedConn struct {
	net.Conn
	sent *atomic.Int64
	slow bool
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.sent.Add(1)
	return c.Conn.Write(p)
}

func (c *countedConn) Read(p []byte) (int, error) {
	if c.slow {
		return iotest.OneByteReader(c.Conn).Read(p)
	}
	return c.Conn.Read(p)
}

// want has the session work in the schema.
func (s *session) want(schema string) {
	name := tenant.MustParseSchema(schema)
	wire.Of(s.PgConn()).Want(wire.Path{SearchPath: searchpath.For(name), Schema: searchpath.Quote(name)})
}

// usable reports whether a pool would keep the connection.
func (s *session) usable() bool { return !s.IsClosed() && wire.Of(s.PgConn()).Err() == nil }

// plainly runs statements on the plain connection.
func (s *session) plainly(t *testing.T, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if _, err := s.plain.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

// rows returns how many rows the table things has in each of the schemas.
func (s *session) rows(t *testing.T, schemas ...string) []int {
	t.Helper()
	n := make([]int, len(schemas))
	for i, schema := range schemas {
		if err := s.plain.QueryRow(t.Context(), "SELECT count(*) FROM "+schema+".things").Scan(&n[i]); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// expect compares the numbers of rows in public, a and b.
func (s *session) expect(t *testing.T, when string, public, a, b int) {
	t.Helper()
	if got, want := fmt.Sprint(s.rows(t, "public", "a", "b")), fmt.Sprint([]int{public, a, b}); got != want {
		t.Errorf("%s: rows in public, a, b: %s; want %s", when, got, want)
	}
}

// modes are all that there are.
var modes = map[string]wire.Mode{"on change": wire.OnChange, "every acquire": wire.EveryAcquire, "local": wire.Local}
