package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"
)

const megabyte = 1 << 20

// backends is what the server's processes behind a pool have of memory that is
// theirs alone, in bytes: what is shared, the buffers first of all, is not in it.
type backends struct {
	sum, most int64
	unknown   bool
}

// String is for a table: the sum, and of several the largest.
func (m backends) String() string {
	switch {
	case m.unknown:
		return "n/a"
	case m.sum == m.most:
		return fmt.Sprintf("%.0f MB", float64(m.sum)/megabyte)
	}
	return fmt.Sprintf("%.0f MB (%.0f)", float64(m.sum)/megabyte, float64(m.most)/megabyte)
}

// measureBackends looks at the processes of the connections that are open. It needs
// Linux, and to be root or whom the server runs as.
func (b *bench) measureBackends(ctx context.Context, o *opened) (backends, error) {
	conn, err := pgx.Connect(ctx, b.url)
	if err != nil {
		return backends{}, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT pid FROM pg_stat_activity WHERE application_name = $1", o.name)
	if err != nil {
		return backends{}, err
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return backends{}, err
	}
	var m backends
	for _, pid := range pids {
		private, err := privateMemory(pid)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			return backends{unknown: true}, nil
		}
		if err != nil {
			return backends{}, err
		}
		m.sum += private
		m.most = max(m.most, private)
	}
	return m, nil
}

// privateMemory is how many bytes of memory belong to one process only.
func privateMemory(pid int32) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	var sum int64
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "Private_Clean:") && !strings.HasPrefix(line, "Private_Dirty:") {
			continue
		}
		var name string
		var kilobytes int64
		if _, err := fmt.Sscan(line, &name, &kilobytes); err != nil {
			return 0, fmt.Errorf("smaps_rollup: %q: %w", line, err)
		}
		sum += kilobytes << 10
	}
	return sum, nil
}

// heap is what this process holds, in bytes, without garbage.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers and pools kept goes with the second
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapInuse) //nolint:gosec // far from its limit
}
