package wire

import (
	"context"
	"io"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// customData is where a connection's custom data has its Conn.
const customData = "cotenant.wire"

// Attach puts a Conn into the next connection that is made with config, whose own
// BuildFrontend and AfterConnect are called as well. It is to be called for each
// connection (pgxpool's BeforeConnect). BuildFrontend keeps TLS and channel binding
// intact, which a wrapped net.Conn does not; it is called again for each address
// that is tried, and the last one is the connection's.
func Attach(config *pgconn.Config) {
	var c *Conn
	build, after := config.BuildFrontend, config.AfterConnect
	config.BuildFrontend = func(in io.Reader, out io.Writer) *pgproto3.Frontend {
		c = New(in, out)
		return build(c, c)
	}
	config.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if after != nil {
			if err := after(ctx, conn); err != nil {
				return err
			}
		}
		c.Activate()
		conn.CustomData()[customData] = c
		return nil
	}
}

// Of returns the Conn of a connection that was made with Attach, else nil.
func Of(conn *pgconn.PgConn) *Conn {
	c, _ := conn.CustomData()[customData].(*Conn)
	return c
}
