package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/cotenant/cotenant/bench/internal/memory"
	"github.com/cotenant/cotenant/migrate"
)

// childEnv is the variable with the task of a child: this program once more, so that
// the memory of one run can be known.
const childEnv = "COTENANT_BENCH_SCHEMAS_CHILD"

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

// runChild does a task, and writes what it took.
func runChild(ctx context.Context, text string, out io.Writer) error {
	var task childTask
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		return fmt.Errorf("%s: %w", childEnv, err)
	}
	most := memory.WatchHeap()
	t, err := open(ctx, task.URL, task.Dir, nil)
	if err != nil {
		return err
	}
	defer t.Close()
	took, err := timed(func() error { return migrateAll(ctx, t, &migrate.RunOptions{Jobs: task.Jobs}, task.Behind) })
	if err != nil {
		return err
	}
	result := childResult{Took: took, Heap: most()}
	result.Resident = memory.Kilobytes("/proc/self/status", "VmHWM") << 10
	return json.NewEncoder(out).Encode(result)
}

// startChild has a child do a task.
func startChild(ctx context.Context, task *childTask) (*childResult, error) {
	text, err := json.Marshal(task)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run of its own: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	result := &childResult{}
	return result, json.Unmarshal(output, result)
}
