package wire

import (
	"context"
	"io"
	"net"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// customData is where a connection's custom data has its Conn.
const customData = "cotenant.wire"

// Attach puts a Conn into the next connection that is made with config, whose own
// DialFunc, BuildFrontend and AfterConnect are called as well. It is to be called
// for each connection (pgxpool's BeforeConnect). Unlike a wrapped net.Conn,
// BuildFrontend stands above TLS and keeps channel binding intact. Both hooks are
// called again for each address that is tried: the last one is the connection's.
// Who cancels a query dials again, later.
func Attach(config *pgconn.Config, mode Mode) {
	var dialled atomic.Pointer[gate]
	var c *Conn
	dial, build, after := config.DialFunc, config.BuildFrontend, config.AfterConnect
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		g := &gate{Conn: conn}
		dialled.Store(g)
		return g, nil
	}
	config.BuildFrontend = func(in io.Reader, out io.Writer) *pgproto3.Frontend {
		c = New(in, out, mode)
		return build(c, c)
	}
	config.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		c.gate = dialled.Load()
		c.Activate()
		conn.CustomData()[customData] = c
		if after != nil {
			return after(ctx, conn)
		}
		return nil
	}
}

// Of returns the Conn of a connection that was made with Attach, else nil.
func Of(conn *pgconn.PgConn) *Conn {
	c, _ := conn.CustomData()[customData].(*Conn)
	return c
}

// gate is the network connection below a Conn, and below TLS. Once it is closed, it
// lets through only what the Conn writes: pgx sends some things (pgconn's ExecBatch)
// past its frontend. (What TLS itself would write, to renew its keys, is refused as
// well: the connection is replaced.)
type gate struct {
	net.Conn
	closed atomic.Bool
	open   atomic.Bool // the Conn is writing
}

// Write refuses what does not come from the Conn, and ends the connection.
func (g *gate) Write(p []byte) (int, error) {
	if g.closed.Load() && !g.open.Load() {
		_ = g.Close()
		return 0, ErrBypass
	}
	return g.Conn.Write(p)
}
