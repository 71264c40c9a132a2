package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// statementCache is how many prepared statements each connection keeps, in every way
// alike: what pgxtenant has by default. With pgx's own, 512, the qualified names of a
// hundred tenants would not fit.
const statementCache = 2048

// open opens a way with so many connections.
func (b *bench) open(ctx context.Context, w way, conns int, isSlow bool) (*opened, error) {
	config, err := pgxpool.ParseConfig(b.url)
	if err != nil {
		return nil, err
	}
	b.pools++
	config.ConnConfig.RuntimeParams["application_name"] = fmt.Sprintf("access %d", b.pools)
	config.ConnConfig.StatementCacheCapacity = statementCache
	config.MaxConns, config.MinConns = int32(conns), int32(conns) //nolint:gosec // a few
	config.MaxConnLifetime = 24 * time.Hour                       // none is replaced because of the time
	config.MaxConnIdleTime = 24 * time.Hour
	if isSlow {
		slow(config)
	}
	o, err := w.open(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.name, err)
	}
	return o, nil
}

// slowNetwork is what a server that is not next door adds to every message; Go's timers
// make about 1.1 ms of it.
const slowNetwork = time.Millisecond

// slow has every write of config's connections to the server wait before it goes out.
func slow(config *pgxpool.Config) {
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return slowConn{conn}, nil
	}
}

type slowConn struct{ net.Conn }

// Write waits, and writes.
func (c slowConn) Write(p []byte) (int, error) {
	<-time.After(slowNetwork)
	return c.Conn.Write(p)
}
