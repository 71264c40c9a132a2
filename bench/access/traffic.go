package main

import (
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
)

// traffic counts the round trips of a way's connections at their sockets.
type traffic struct{ trips atomic.Int64 }

// countedConn counts a round trip where something is written after something was
// read: what went before was answered, and waited for.
type countedConn struct {
	net.Conn
	sent     *traffic
	answered atomic.Bool
}

// Read reads.
func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.answered.Store(true)
	}
	return n, err
}

// Write writes.
func (c *countedConn) Write(p []byte) (int, error) {
	if c.answered.Swap(false) {
		c.sent.trips.Add(1)
	}
	return c.Conn.Write(p)
}

// roundTrips returns, for a table, how many of them a query takes, for two tenants in
// turn, once nothing is left to be prepared or described.
func (b *bench) roundTrips(o *opened, statement int) (string, error) {
	const queries = 2 * settled
	var before int64
	for n := range 2 * queries {
		if n == queries {
			before = o.sent.trips.Load()
		}
		if err := o.query(b.shops[n%2], statement, 1); err != nil {
			return "", err
		}
	}
	trips := o.sent.trips.Load() - before
	if trips%queries == 0 {
		return strconv.FormatInt(trips/queries, 10), nil
	}
	return fmt.Sprintf("%.2f", float64(trips)/queries), nil
}
