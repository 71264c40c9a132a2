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
	"github.com/cotenant/cotenant/drift"
)

// childEnv is the variable with the task of a child: this program once more, so that
// the memory of one run can be known.
const childEnv = "COTENANT_BENCH_DRIFT_CHILD"

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

// runChild does a task, and writes what it took.
func runChild(ctx context.Context, text string, out io.Writer) error {
	var task childTask
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		return fmt.Errorf("%s: %w", childEnv, err)
	}
	begun := time.Now()
	most := memory.WatchHeap()
	t, err := open(ctx, task.URL, task.Dir)
	if err != nil {
		return err
	}
	defer t.Close()
	r, err := t.Drift(ctx, nil, &drift.Options{Jobs: task.Jobs})
	if err != nil {
		return err
	}
	took := time.Since(begun)
	if r.Same != task.Schemas-1 || r.Differ != 1 || len(r.Groups) != 1 || len(r.Groups[0].Differences) != 1 || r.Groups[0].Differences[0].Object != "column table_7.code" {
		return fmt.Errorf("of %d schemas %d are the same and %d differ, want one that does, in one default: %v", task.Schemas, r.Same, r.Differ, r.Groups)
	}
	result := childResult{Took: took, Heap: most(), Resident: memory.Kilobytes("/proc/self/status", "VmHWM") << 10}
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
