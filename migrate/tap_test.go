package migrate_test

import (
	"bytes"
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/migrate"
)

// tap is told what a connection is about to send, before the server gets it. If it
// returns an error, it has closed the connection.
type tap func(conn net.Conn, data []byte) error

// tapped is a connection that has a tap.
type tapped struct {
	net.Conn
	tap tap
}

func (c tapped) Write(data []byte) (int, error) {
	if err := c.tap(c.Conn, data); err != nil {
		return 0, err
	}
	return c.Conn.Write(data)
}

// tappedPool returns a pool all of whose connections have the tap.
func tappedPool(t *testing.T, url string, conns int32, tap tap) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = conns
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return tapped{conn, tap}, nil
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// changes reports whether data are those of a change in a schema.
func changes(data []byte, schema string) bool {
	return bytes.Contains(data, []byte("begin_change")) && bytes.Contains(data, []byte(`"`+schema+`"`))
}

var commit = []byte("\x00COMMIT\x00")

// A connection that is lost at the commit leaves it open whether the schema is done. It
// is done once, and counted.
func TestConnectionLostAtCommit(t *testing.T) {
	t.Parallel()

	for name, cut := range map[string]func(t *testing.T, url string, conn net.Conn, data []byte){
		"before it is sent": func(_ *testing.T, _ string, conn net.Conn, data []byte) {
			_, _ = conn.Write(data[:bytes.LastIndex(data, commit)])
		},
		"when it is sent": func(_ *testing.T, _ string, conn net.Conn, data []byte) {
			_, _ = conn.Write(data)
		},
		"when it is done": func(t *testing.T, url string, conn net.Conn, data []byte) {
			t.Helper()
			_, _ = conn.Write(data)
			schema := "s3"
			if changes(data, "s5") {
				schema = "s5"
			}
			other := connect(t, url) // pgx may be reading the answer
			for done := "0"; done != "3"; {
				done = column(t, other, "SELECT count(*)::text FROM "+schema+".cotenant_migrations")[0]
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := newShops(t, 6)
			var cuts atomic.Int64
			pool := tappedPool(t, s.url, 8, func(conn net.Conn, data []byte) error {
				if !bytes.Contains(data, commit) || !changes(data, "s3") && !changes(data, "s5") || cuts.Add(1) > 3 {
					return nil
				}
				cut(t, s.url, conn, data)
				_ = conn.Close()
				return net.ErrClosed
			})
			applied := 0
			report, err := withConfig(t, shopConfig(3)).Fleet(pool).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{
				OnResult: func(r migrate.Result) { applied += len(r.Applied) },
			}})
			if err != nil || report.Done != 6 || report.Current != 1 || report.Untouched != 0 {
				t.Errorf("run: %v, %v", report, err)
			}
			if cuts.Load() < 2 {
				t.Errorf("%d connections were cut", cuts.Load())
			}
			if applied != 2*6 {
				t.Errorf("%d files were applied, want %d", applied, 2*6)
			}
			s.check(t, 3)
		})
	}
}
