package report

import (
	"cmp"
	"context"
	"slices"
)

// Contender is what is measured beside others: a way in one column of a table.
type Contender struct {
	// Measure has one turn, and returns its result: microseconds, or
	// operations per second.
	Measure func() (float64, error)
	// Results are those of each turn that counts.
	Results []float64
}

// Interleave gives every contender a short turn, then every one the next, and so
// on, beginning with another one in each round. What else happens on the machine,
// and every slow drift of its clock or its caches, so hits all of them alike; in
// longer runs, one after the other, it would look like a difference between them. The
// first round does not count: it connects and prepares.
func Interleave(ctx context.Context, contenders []*Contender, rounds int) error {
	for round := range rounds + 1 {
		for i := range contenders {
			if err := ctx.Err(); err != nil {
				return err
			}
			c := contenders[(round+i)%len(contenders)]
			result, err := c.Measure()
			if err != nil {
				return err
			}
			if round > 0 {
				c.Results = append(c.Results, result)
			}
		}
	}
	return nil
}

// Value is the median of the turns. A mean would be that of whoever was interrupted.
func (c *Contender) Value() float64 { return Median(c.Results) }

// Ratio compares with another contender, turn by turn: the two of a round were
// close together in time, so that the median of their ratios is steadier than the
// ratio of the medians.
func (c *Contender) Ratio(other *Contender) float64 {
	ratios := make([]float64, len(c.Results))
	for i := range ratios {
		ratios[i] = c.Results[i] / other.Results[i]
	}
	return Median(ratios)
}

// Median returns the middle one, the higher of two.
func Median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
