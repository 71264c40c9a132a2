package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is what a storm did and found.
type Report struct {
	Way        string
	Server     string // its version
	Elapsed    time.Duration
	Operations int64
	// Switches is how often a connection was seen to serve another tenant than
	// before. Operations that do not ask for the connection are not counted.
	Switches int64
	// Written is how many rows were written by calls that ended without an error.
	Written int64
	// Faults are those injected, by kind.
	Faults map[string]int64
	// Failures are the operations that failed, by class of SQLSTATE (08, 42, 57 …),
	// "context" where the context had ended, or "other".
	Failures map[string]int64

	// Leaks are the rows that were read or written where they do not belong. It
	// must be 0.
	Leaks int64
	// Lost are rows whose write was acknowledged and that are not there. It must be 0.
	Lost int64
	// Unexplained are operations that failed as nothing that was done to them can
	// explain: a type, a table or a statement that is not found in a schema which
	// nobody touches. It must be 0.
	Unexplained int64
	// Described are the first of them in words.
	Described []string
}

// Err returns an error if something was found that must not be.
func (r *Report) Err() error {
	if r.Leaks == 0 && r.Lost == 0 && r.Unexplained == 0 {
		return nil
	}
	return fmt.Errorf("%s: %d rows leaked, %d lost, %d failures unexplained\n\t%s", r.Way, r.Leaks, r.Lost, r.Unexplained, strings.Join(r.Described, "\n\t"))
}

// Header is the head of the table that String writes rows of, in Markdown.
const Header = `| way | server | operations | a second | switches | rows written | faults | failures | leaks | lost | unexplained |
|---|---|---|---|---|---|---|---|---|---|---|`

// String is the report as a row of the table below Header.
func (r *Report) String() string {
	return fmt.Sprintf("| %s | %s | %d | %.0f | %d | %d | %s | %s | %d | %d | %d |", r.Way, r.Server, r.Operations,
		float64(r.Operations)/r.Elapsed.Seconds(), r.Switches, r.Written, counts(r.Faults), counts(r.Failures), r.Leaks, r.Lost, r.Unexplained)
}

// counts writes numbers with their names.
func counts(m map[string]int64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[name], name))
	}
	return strings.Join(parts, ", ")
}
