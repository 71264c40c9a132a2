package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cotenant/cotenant/bench/internal/memory"
	"github.com/cotenant/cotenant/drift"
)

// childTask is a comparison by cotenant.
type childTask struct {
	URL, Dir      string
	Jobs, Schemas int
}

// childResult is what it took.
type childResult struct {
	Took           time.Duration // from the start of the program's work to the report
	Heap, Resident int64         // the most, in bytes
}

// runChild does a task.
func runChild(ctx context.Context, task *childTask) (*childResult, error) {
	begun := time.Now()
	most := memory.WatchHeap()
	t, err := open(ctx, task.URL, task.Dir)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	r, err := t.Drift(ctx, nil, &drift.Options{Jobs: task.Jobs})
	if err != nil {
		return nil, err
	}
	took := time.Since(begun)
	if r.Same != task.Schemas-1 || r.Differ != 1 || len(r.Groups) != 1 || len(r.Groups[0].Differences) != 1 || r.Groups[0].Differences[0].Object != "column table_7.code" {
		return nil, fmt.Errorf("of %d schemas %d are the same and %d differ, want one that does, in one default: %v", task.Schemas, r.Same, r.Differ, r.Groups)
	}
	return &childResult{Took: took, Heap: most(), Resident: memory.Kilobytes("/proc/self/status", "VmHWM") << 10}, nil
}
