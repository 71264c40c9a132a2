package main

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// contender is what is measured beside others: a way in one column of a table.
type contender struct {
	// measure has one turn, and returns its result: microseconds, or
	// operations per second.
	measure func() (float64, error)
	results []float64 // of each turn
}

// interleave gives every contender a short turn, then every one the next, and so
// on, beginning with another one in each round. What else happens on the machine,
// and every slow drift of its clock or its caches, so hits all of them alike; in
// longer runs, one after the other, it would look like a difference between them. The
// first round does not count: it connects and prepares.
func interleave(ctx context.Context, contenders []*contender, rounds int) error {
	for round := range rounds + 1 {
		for i := range contenders {
			if err := ctx.Err(); err != nil {
				return err
			}
			c := contenders[(round+i)%len(contenders)]
			result, err := c.measure()
			if err != nil {
				return err
			}
			if round > 0 {
				c.results = append(c.results, result)
			}
		}
	}
	return nil
}

// value is the median of the turns. A mean would be that of whoever was interrupted.
func (c *contender) value() float64 { return median(c.results) }

// ratio compares with another contender, turn by turn: the two of a round were
// close together in time, so that the median of their ratios is steadier than the
// ratio of the medians.
func (c *contender) ratio(other *contender) float64 {
	ratios := make([]float64, len(c.results))
	for i := range ratios {
		ratios[i] = c.results[i] / other.results[i]
	}
	return median(ratios)
}

func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

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
		return float64(median(times).Nanoseconds()) / 1000, nil
	}
}
