package main

import (
	"context"
	"fmt"
	"os"
	"runtime/metrics"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// megabyte is what memory is printed in.
const megabyte = 1 << 20

// backend is the memory of a process of the server, in bytes: all that it has touched,
// of which the shared buffers are a part, and what is its own.
type backend struct{ resident, own int64 }

// watchBackends looks at the processes of a database's connections every now and then
// until ctx ends, and returns the most that one of them had. It is zero where that
// cannot be known: it needs Linux.
func watchBackends(ctx context.Context, url string) (most backend, err error) {
	alive := context.WithoutCancel(ctx)
	conn, err := pgx.Connect(alive, url)
	if err != nil {
		return most, err
	}
	defer conn.Close(alive)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		rows, err := conn.Query(alive, `SELECT pid FROM pg_catalog.pg_stat_activity
			WHERE datname = pg_catalog.current_database() AND backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()`)
		if err != nil {
			return most, err
		}
		pids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
		if err != nil {
			return most, err
		}
		for _, pid := range pids {
			file := fmt.Sprintf("/proc/%d/status", pid)
			most.resident = max(most.resident, kilobytes(file, "VmHWM")<<10)
			most.own = max(most.own, kilobytes(file, "RssAnon")<<10)
		}
		select {
		case <-ctx.Done():
			return most, nil
		case <-tick.C:
		}
	}
}

// kilobytes returns the number behind a name in a file of /proc, or 0.
func kilobytes(file, name string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && key == name {
			var n int64
			if _, err := fmt.Sscan(value, &n); err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}

// watchHeap returns a function that ends the watching, and returns the most bytes that
// this program's heap had in use.
func watchHeap() func() int64 {
	stop, most := make(chan struct{}), make(chan int64)
	go func() {
		samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		var high uint64
		for {
			metrics.Read(samples)
			high = max(high, samples[0].Value.Uint64()+samples[1].Value.Uint64())
			select {
			case <-stop:
				most <- int64(high) //nolint:gosec // far from its limit
				return
			case <-tick.C:
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-most
	}
}
