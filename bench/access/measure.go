package main

import (
	"time"

	"github.com/cotenant/cotenant/bench/internal/report"
)

// unmeasured queries begin a turn: the one before left the processor's caches and the
// path its own way.
const unmeasured = 5

// settled is how often a statement must have been executed on a connection until its
// costs are those that it keeps: PostgreSQL plans it anew for the first five times, and
// before that ours describe and then prepare it.
const settled = 8

// latency is a turn of one query after the other, each timed; its result is the
// median in microseconds. ready may be nil.
func (s scale) latency(ready, query func(n int) error) func() (float64, error) {
	return func() (float64, error) {
		var times []time.Duration
		end := time.Now().Add(s.slice)
		for n := 0; len(times) < s.atLeast || time.Now().Before(end); n++ {
			if ready != nil {
				if err := ready(n); err != nil {
					return 0, err
				}
			}
			start := time.Now()
			if err := query(n); err != nil {
				return 0, err
			}
			if n >= unmeasured {
				times = append(times, time.Since(start))
			}
		}
		return float64(report.Median(times).Nanoseconds()) / 1000, nil
	}
}
