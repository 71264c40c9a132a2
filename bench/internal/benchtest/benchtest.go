// Package benchtest is what the tests of the benchmarks have in common.
package benchtest

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Run is a benchmark, as frame.Main calls it.
type Run func(ctx context.Context, args []string, out, log io.Writer) error

// Printed runs a benchmark with a flag that makes it short, and returns what it prints; it
// writes the same to the file of -out. It skips where tests have a server that is not
// their own.
func Printed(t *testing.T, run Run, short string) string {
	t.Helper()
	if os.Getenv("DATABASE_URL") != "" {
		t.Skip("it measures a server of its own")
	}
	file := filepath.Join(t.TempDir(), "tables.md")
	var out, log strings.Builder
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(log.String())
		}
	})
	if err := run(t.Context(), []string{short, "-out", file}, &out, &log); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != out.String() {
		t.Errorf("-out wrote %q, %v; want what was printed", text, err)
	}
	return out.String()
}

// Refused runs a benchmark with arguments that cannot be, each of which it is to refuse in
// these words.
func Refused(t *testing.T, run Run, refusals map[string]string) {
	t.Helper()
	for args, want := range refusals {
		var out strings.Builder
		err := run(t.Context(), []string{args}, &out, &out)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", args, err, want)
		}
	}
}
