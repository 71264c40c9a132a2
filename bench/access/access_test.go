package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// The program runs, and every table comes out whole. Times are nobody's business
// here.
func TestQuick(t *testing.T) {
	t.Parallel()

	if os.Getenv("DATABASE_URL") != "" {
		t.Skip("it measures a server of its own")
	}
	file := filepath.Join(t.TempDir(), "tables.md")
	var out, log strings.Builder
	if err := run(t.Context(), []string{"-quick", "-out", file}, &out, &log); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != out.String() {
		t.Errorf("-out wrote %q, %v; want what was printed", text, err)
	}
	machine, tables, _ := strings.Cut(out.String(), "\n### ")
	if !regexp.MustCompile(`^Measured on \d+ cores.*PostgreSQL \d+.*go1`).MatchString(machine) {
		t.Errorf("the machine is %q", machine)
	}
	const ratio = `^\d+\.\d\d \(\d+(\.\d)?\)$`
	all := len(ours())
	for i, want := range []struct {
		title   string
		rows    int
		ratios  []int // columns
		numbers []int // columns that are a ratio or a number only
	}{
		{"One connection", 5 + all, []int{1, 2, 3, 4, 5}, nil},
		{"Goroutines and tenants", 9, []int{2, 4, 6}, []int{0, 1}},
		{"Statement cache", 3 * (3 + all), nil, []int{0, 2, 3, 4}},
		{"On the wire", len(wireWays()), []int{1, 3}, nil},
	} {
		parts := strings.Split(tables, "\n### ")
		if i >= len(parts) {
			t.Fatalf("no table %q in\n%s", want.title, &out)
		}
		lines := strings.Split(strings.TrimSpace(parts[i]), "\n")
		if lines[0] != want.title || len(lines) != 6+want.rows {
			t.Errorf("table %q has %d lines, want %q with %d rows:\n%s", lines[0], len(lines), want.title, want.rows, parts[i])
			continue
		}
		width := strings.Count(lines[4], "|")
		for _, line := range lines[6:] {
			cells := strings.Split(strings.Trim(line, "|"), " | ")
			if strings.Count(line, "|") != width || len(cells) != width-1 {
				t.Errorf("%s: %q is not as wide as %q", want.title, line, lines[4])
				continue
			}
			for _, column := range want.ratios {
				if cell := strings.TrimSpace(cells[column]); !regexp.MustCompile(ratio).MatchString(cell) {
					t.Errorf("%s: %q in %q is not a ratio and a number", want.title, cell, line)
				}
			}
			for _, column := range want.numbers {
				if cell := strings.TrimSpace(cells[column]); !regexp.MustCompile(`^\d+(\.\d\d)?$`).MatchString(cell) {
					t.Errorf("%s: %q in %q is not a number", want.title, cell, line)
				}
			}
		}
	}
}

// What cannot be is refused before a server is started.
func TestRefusals(t *testing.T) {
	t.Parallel()

	for args, want := range map[string]string{
		"-tables=queries,nothing": `no table "nothing" (use: queries, concurrency, cache, wire)`,
		"-slices=x":               "invalid value",
		"-slices=-1":              "-slices is -1",
		"quick":                   `unexpected "quick"`,
	} {
		var out strings.Builder
		err := run(t.Context(), []string{args}, &out, &out)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("access %s: %v; want %q", args, err, want)
		}
	}
}
