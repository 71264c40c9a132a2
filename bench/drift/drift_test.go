package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/bench/internal/child"
	"github.com/cotenant/cotenant/internal/testdb"
)

// TestMain is a child of the program, too, as the program is of itself.
func TestMain(m *testing.M) {
	if child.Main(context.Background(), runChild) {
		return
	}
	testdb.Main(m)
}

// The program runs, both ways find the schema that differs, which the program looks at
// itself, and the table comes out whole. Times are nobody's business here.
func TestShort(t *testing.T) {
	t.Parallel()

	if os.Getenv("DATABASE_URL") != "" {
		t.Skip("it measures a server of its own")
	}
	file := filepath.Join(t.TempDir(), "table.md")
	var out, log strings.Builder
	if err := run(t.Context(), []string{"-short", "-out", file}, &out, &log); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != out.String() {
		t.Errorf("-out wrote %q, %v; want what was printed", text, err)
	}
	for _, pattern := range []string{
		`^Measured on \d+ cores.*PostgreSQL \d+.*fsync off.*go1`,
		`(?m)^\| 3 \| \d+\.\d\d \| [\d.]+ \| (≈ \d+|n/a) \| (\d+|n/a) \| ([\d.]+|n/a) \| [\d.]+ \| [\d.]+ \| \d+ \(\d+\) \|$`,
		`(?m)^\| 6 \| `,
	} {
		if !regexp.MustCompile(pattern).MatchString(out.String()) {
			t.Errorf("no %s in\n%s\n%s", pattern, &out, &log)
		}
	}
}

// What cannot be is refused before a server is started.
func TestRefusals(t *testing.T) {
	t.Parallel()

	for args, want := range map[string]string{
		"-jobs=0":       "-jobs is 0",
		"-sizes=100,0":  `"0" is no number of schemas`,
		"-sizes=100,20": `"20" is no number of schemas that is higher`,
		"-rounds=x":     "invalid value",
		"short":         `unexpected "short"`,
	} {
		var out strings.Builder
		err := run(t.Context(), []string{args}, &out, &out)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("drift %s: %v; want %q", args, err, want)
		}
	}
}
