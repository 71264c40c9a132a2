package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/bench/internal/benchtest"
	"github.com/cotenant/cotenant/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// The program runs, and every table comes out whole. Times are nobody's business
// here.
func TestQuick(t *testing.T) {
	t.Parallel()

	out := benchtest.Printed(t, run, "-quick")
	machine, tables, _ := strings.Cut(out, "\n### ")
	if !regexp.MustCompile(`^Measured on \d+ cores.*PostgreSQL \d+.*go1`).MatchString(machine) {
		t.Errorf("the machine is %q", machine)
	}
	const ratio, number = `^\d+\.\d\d \(\d+(\.\d)?\)$`, `^\d+(\.\d\d)?$`
	all := len(allOurs())
	want := []wanted{
		{"One connection", len(queryWays()), map[string][]int{ratio: {1, 2, 3, 4, 5, 6}, number: {7}}},
		{"database/sql", len(sqlPairs()), map[string][]int{number: {2, 3, 4, 5, 6, 7}}},
		{"Behind PgBouncer", len(pooledWays()), map[string][]int{ratio: {1, 2, 3, 4}, number: {5}}},
		{"Behind PgBouncer, beside each other", len(pooledPairs()), map[string][]int{number: {2, 3, 4, 5}}},
		{"Goroutines and tenants", 9, map[string][]int{ratio: {2, 4, 6}, number: {0, 1}}},
		{"Statement cache", 3 * (3 + all), map[string][]int{number: {0, 2, 3, 4}}},
		{"On the wire", len(wireWays()), map[string][]int{ratio: {1, 3}}},
	}
	if _, err := exec.LookPath("pgbouncer"); err != nil && !strings.Contains(os.Getenv("COTENANT_TEST_REQUIRE"), "pgbouncer") {
		want = slices.Delete(want, 2, 4)
	}
	parts := strings.Split(tables, "\n### ")
	if len(parts) != len(want) {
		t.Fatalf("%d tables, want %d:\n%s", len(parts), len(want), out)
	}
	for i, w := range want {
		w.check(t, parts[i])
	}
	testRoundTrips(t, parts)
}

// wanted is what a table must be like.
type wanted struct {
	title string
	rows  int
	cells map[string][]int // patterns, and the columns for which they hold
}

func (w wanted) check(t *testing.T, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if lines[0] != w.title || len(lines) != 6+w.rows {
		t.Errorf("table %q has %d lines, want %q with %d rows:\n%s", lines[0], len(lines), w.title, w.rows, text)
		return
	}
	width := strings.Count(lines[4], "|")
	for _, line := range lines[6:] {
		cells := cellsOf(line)
		if strings.Count(line, "|") != width || len(cells) != width-1 {
			t.Errorf("%s: %q is not as wide as %q", w.title, line, lines[4])
			continue
		}
		for pattern, columns := range w.cells {
			for _, column := range columns {
				if !regexp.MustCompile(pattern).MatchString(cells[column]) {
					t.Errorf("%s: %q in %q is not %s", w.title, cells[column], line, pattern)
				}
			}
		}
	}
}

// testRoundTrips looks at the one thing in the tables that is the same every time.
func testRoundTrips(t *testing.T, tables []string) {
	t.Helper()
	seen := 0
	for _, table := range tables {
		for line := range strings.Lines(table) {
			cells := cellsOf(line)
			if !strings.HasPrefix(table, "One connection") && !strings.HasPrefix(table, "Behind PgBouncer\n") || len(cells) == 1 {
				continue
			}
			want := "1"
			switch name := cells[0]; {
			case name == "" || name == "---":
				continue
			case strings.Contains(name, "SET LOCAL"):
				want = "4"
			case strings.Contains(name, "SET "), strings.Contains(name, "DB.Pool()"):
				want = "2"
			}
			seen++
			if got := cells[len(cells)-1]; got != want {
				t.Errorf("%s: %s round trips, want %s", cells[0], got, want)
			}
		}
	}
	if seen < len(queryWays()) {
		t.Errorf("round trips of %d ways", seen)
	}
}

// cellsOf returns the cells of a line of a table.
func cellsOf(line string) []string {
	cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

// What cannot be is refused before a server is started.
func TestRefusals(t *testing.T) {
	t.Parallel()

	benchtest.Refused(t, run, map[string]string{
		"-tables=queries,nothing": `no table "nothing" (use: queries, pooled, concurrency, cache, wire)`,
		"-slices=x":               "invalid value",
		"-slices=-1":              "-slices is -1",
		"quick":                   `unexpected "quick"`,
	})
}
