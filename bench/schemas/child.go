package main

import (
	"context"
	"time"

	"github.com/cotenant/cotenant/bench/internal/memory"
	"github.com/cotenant/cotenant/migrate"
)

// childTask is a run of cotenant.
type childTask struct {
	URL, Dir     string
	Jobs, Behind int
}

// childResult is what the run took.
type childResult struct {
	Took           time.Duration
	Heap, Resident int64 // the most, in bytes
}

// runChild does a task.
func runChild(ctx context.Context, task *childTask) (*childResult, error) {
	most := memory.WatchHeap()
	t, err := open(ctx, task.URL, task.Dir, nil)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	took, err := timed(func() error { return migrateAll(ctx, t, &migrate.RunOptions{Jobs: task.Jobs}, task.Behind) })
	if err != nil {
		return nil, err
	}
	return &childResult{Took: took, Heap: most(), Resident: memory.Kilobytes("/proc/self/status", "VmHWM") << 10}, nil
}
