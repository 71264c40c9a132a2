package main

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/bench/internal/benchtest"
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

// The program runs, each of the ways changes each of the schemas, which the program
// looks at itself after each turn, and every table comes out whole. Times are nobody's
// business here.
func TestShort(t *testing.T) {
	t.Parallel()

	out := benchtest.Printed(t, run, "-short")
	const ratio, number = `^\d+\.\d\d$`, `^\d+(\.\d)?$`
	want := []wanted{
		{"ADD COLUMN in 5 schemas", []string{`^[a-z]`, number, `^\d+\.\d\d(\d\d)?$`, `^\d+(\.\d\d)?$`}, len(ways()) + 1},
		{"Creating a tenant", []string{`^[12]$`, number, number, ratio}, 2},
		{"Nothing to do", []string{`^(2|5|12)$`, number, number, `^\d+$`, number, `^≈ \d+$`, `^≈ \d+$`}, 3},
		{"Sizes", []string{`^(2|5|12)$`, number, ratio, number, ratio, number, `^(\d+\.\d\d|NaN)$`, `^\d+ \(\d+\)$`}, 3},
	}
	machine, text, _ := strings.Cut(out, "\n### ")
	if !regexp.MustCompile(`^Measured on \d+ cores.*PostgreSQL \d+.*go1`).MatchString(machine) {
		t.Errorf("the machine is %q", machine)
	}
	tables := strings.Split(text, "\n### ")
	if len(tables) != len(want) {
		t.Fatalf("%d tables, want %d:\n%s", len(tables), len(want), out)
	}
	for i, w := range want {
		w.check(t, tables[i])
	}
	testStatements(t, tables[2])
}

// wanted is what a table must be like.
type wanted struct {
	title string
	cells []string // patterns
	rows  int
}

func (w wanted) check(t *testing.T, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if lines[0] != w.title || len(lines) != 6+w.rows {
		t.Errorf("table %q has %d lines, want %q with %d rows:\n%s", lines[0], len(lines), w.title, w.rows, text)
		return
	}
	for _, line := range append(lines[6:], lines[4]) {
		cells := cellsOf(line)
		if len(cells) != len(w.cells) {
			t.Errorf("%s: %q has %d cells, want %d", w.title, line, len(cells), len(w.cells))
			continue
		}
		for i, pattern := range w.cells {
			if line != lines[4] && !regexp.MustCompile(pattern).MatchString(cells[i]) {
				t.Errorf("%s: %q in %q is not %s", w.title, cells[i], line, pattern)
			}
		}
	}
}

// testStatements looks at the one number that is the same every time: what is asked
// where nothing is to be done does not depend on how many schemas there are.
func testStatements(t *testing.T, nothing string) {
	t.Helper()
	var counts []string
	for line := range strings.Lines(nothing) {
		if cells := cellsOf(line); len(cells) == 7 && regexp.MustCompile(`^\d+$`).MatchString(cells[0]) {
			counts = append(counts, cells[3])
		}
	}
	if len(counts) != 3 || counts[0] == "0" || counts[1] != counts[0] || counts[2] != counts[0] {
		t.Errorf("statements where there is nothing to do: %q; want the same for 2, 5 and 12 schemas", counts)
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
		"-only=create,tables": `no table "tables" (use: add-column, create, nothing, sizes)`,
		"-jobs=0":             "-jobs is 0",
		"-sizes=100,0":        `"0" is no number of schemas`,
		"-schemas=x":          "invalid value",
		"short":               `unexpected "short"`,
	})
}
