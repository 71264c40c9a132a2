// Package child has a benchmark start itself once more, so that the memory of one run can
// be known.
package child

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// env is the variable with the task of a child.
const env = "COTENANT_BENCH_CHILD"

// Main does the task of this process and returns true, if it is a child: then the program
// has nothing else to do. The result goes to standard output; an error ends the process.
func Main[Task, Result any](ctx context.Context, do func(ctx context.Context, task *Task) (*Result, error)) bool {
	text := os.Getenv(env)
	if text == "" {
		return false
	}
	task := new(Task)
	err := json.Unmarshal([]byte(text), task)
	if err == nil {
		var result *Result
		if result, err = do(ctx, task); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(result)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// Start has a child do a task, and waits for its result.
func Start[Task, Result any](ctx context.Context, task *Task) (*Result, error) {
	text, err := json.Marshal(task)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), env+"="+string(text))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run of its own: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	result := new(Result)
	return result, json.Unmarshal(output, result)
}
