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

// place is where a way is opened, and with how many connections.
type place struct {
	url   string
	conns int
	slow  bool
}

// open opens a way.
func (b *bench) open(ctx context.Context, w way, p place) (*opened, error) {
	config, err := pgxpool.ParseConfig(p.url)
	if err != nil {
		return nil, err
	}
	b.pools++
	name := fmt.Sprintf("access %d", b.pools)
	config.ConnConfig.RuntimeParams["application_name"] = name
	config.ConnConfig.StatementCacheCapacity = statementCache
	config.MaxConns, config.MinConns = int32(p.conns), int32(p.conns) //nolint:gosec // a few
	config.MaxConnLifetime = 24 * time.Hour                           // none is replaced because of the time
	config.MaxConnIdleTime = 24 * time.Hour
	sent := &traffic{}
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if p.slow {
			conn = slowConn{conn}
		}
		return &countedConn{Conn: conn, sent: sent}, nil
	}
	o, err := w.open(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.name, err)
	}
	o.name, o.sent = name, sent
	return o, nil
}

// slowNetwork is what a server that is not next door adds to every message; Go's timers
// make about 1.1 ms of it.
const slowNetwork = time.Millisecond

// slowConn has every write to the server wait before it goes out.
type slowConn struct{ net.Conn }

// Write waits, and writes.
func (c slowConn) Write(p []byte) (int, error) {
	<-time.After(slowNetwork)
	return c.Conn.Write(p)
}
