package main

import (
	"context"
	"regexp"
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

// The program runs, both ways find the schema that differs, which the program looks at
// itself, and the table comes out whole. Times are nobody's business here.
func TestShort(t *testing.T) {
	t.Parallel()

	out := benchtest.Printed(t, run, "-short")
	for _, pattern := range []string{
		`^Measured on \d+ cores.*PostgreSQL \d+.*fsync off.*go1`,
		`(?m)^\| 3 \| \d+\.\d\d \| [\d.]+ \| (≈ \d+|n/a) \| (\d+|n/a) \| ([\d.]+|n/a) \| [\d.]+ \| [\d.]+ \| \d+ \(\d+\) \|$`,
		`(?m)^\| 6 \| `,
	} {
		if !regexp.MustCompile(pattern).MatchString(out) {
			t.Errorf("no %s in\n%s", pattern, out)
		}
	}
}

// What cannot be is refused before a server is started.
func TestRefusals(t *testing.T) {
	t.Parallel()

	benchtest.Refused(t, run, map[string]string{
		"-jobs=0":       "-jobs is 0",
		"-sizes=100,0":  `"0" is no number of schemas`,
		"-sizes=100,20": `"20" is no number of schemas that is higher`,
		"-rounds=x":     "invalid value",
		"short":         `unexpected "short"`,
	})
}
