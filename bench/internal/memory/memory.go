// Package memory is what the benchmarks know of the memory of processes.
package memory

import (
	"context"
	"fmt"
	"os"
	"runtime/metrics"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Megabyte is what memory is printed in.
const Megabyte = 1 << 20

// Backend is the memory of a process of the server, in bytes: all that it has touched,
// of which the shared buffers are a part, and what is its own.
type Backend struct{ Resident, Own int64 }

// WatchBackends looks at the processes of a database's connections every now and then
// until ctx ends, and returns the most that one of them had. It is zero where that
// cannot be known: it needs Linux.
func WatchBackends(ctx context.Context, url string) (most Backend, err error) {
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
			most.Resident = max(most.Resident, Kilobytes(file, "VmHWM")<<10)
			most.Own = max(most.Own, Kilobytes(file, "RssAnon")<<10)
		}
		select {
		case <-ctx.Done():
			return most, nil
		case <-tick.C:
		}
	}
}

// Kilobytes returns the number behind a name in a file of /proc, or 0.
func Kilobytes(file, name string) int64 {
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

// WatchHeap returns a function that ends the watching, and returns the most bytes that
// this program's heap had in use.
func WatchHeap() func() int64 {
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
