package wire_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

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
	CREATE PROCEDURE public.commits() LANGUAGE plpgsql AS $$BEGIN INSERT INTO things VALUES ('called'); COMMIT; END$$;`

// session is a connection with a Conn on it, and a plain one to look at what it did.
type session struct {
	*pgx.Conn
	plain *pgx.Conn
	sent  atomic.Int64 // writes to the server
}

// newSession connects to a database with schemas in it. Where slow is set, every
// byte of the server's comes in a read of its own.
func newSession(t *testing.T, slow bool) *session {
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
	s.Conn = s.connect(t, url, slow)
	t.Cleanup(func() {
		_ = s.Close(context.WithoutCancel(t.Context()))
		_ = plain.Close(context.WithoutCancel(t.Context()))
	})
	return s
}

func (s *session) connect(t *testing.T, url string, slow bool) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	wire.Attach(&config.Config)
	attached := config.BuildFrontend
	config.BuildFrontend = func(in io.Reader, out io.Writer) *pgproto3.Frontend {
		if slow {
			in = iotest.OneByteReader(in)
		}
		return attached(in, counter{out, &s.sent})
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// counter counts writes.
type counter struct {
	io.Writer
	n *atomic.Int64
}

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(1)
	return c.Writer.Write(p)
}

// want has the session work in the schema.
func (s *session) want(schema string, again bool) {
	name := tenant.MustParseSchema(schema)
	wire.Of(s.PgConn()).Want(wire.Path{SearchPath: searchpath.For(name), Schema: searchpath.Quote(name)}, again)
}

// rows returns how many rows public, a and b have.
func (s *session) rows(t *testing.T) [3]int {
	t.Helper()
	var n [3]int
	err := s.plain.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM public.things), (SELECT count(*) FROM a.things), (SELECT count(*) FROM b.things)").Scan(&n[0], &n[1], &n[2])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
