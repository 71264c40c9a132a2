package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cotenant/cotenant/bench/internal/report"
)

// concurrency makes the table of several goroutines, each with a connection of its
// own to take from the pool, over few and many tenants.
func (b *bench) concurrency(ctx context.Context) ([]*report.Table, error) {
	ways := append([]way{qualified(), handWritten()}, allOurs()...)
	t := &report.Table{
		Title: "Goroutines and tenants",
		Note: "Queries by primary key, each for a tenant drawn at random, by goroutines with as many connections. Queries a second as a ratio to qualified names (and in " +
			"thousands), and what the connections' server processes have of memory of their own: the sum (and the largest).",
		Header: []string{"goroutines", "tenants"},
	}
	for _, w := range ways {
		t.Header = append(t.Header, w.name, "memory")
	}
	for _, goroutines := range []int{1, 4, 16} {
		for _, tenants := range b.tenants {
			cells, err := b.crowd(ctx, ways, goroutines, b.shops[:tenants])
			if err != nil {
				return nil, err
			}
			t.Rows = append(t.Rows, append([]string{strconv.Itoa(goroutines), strconv.Itoa(tenants)}, cells...))
		}
	}
	return []*report.Table{t}, nil
}

// crowd makes the cells of one row.
func (b *bench) crowd(ctx context.Context, ways []way, goroutines int, shops []*shop) ([]string, error) {
	var all []*report.Contender
	var pools []*opened
	for _, w := range ways {
		o, err := b.open(ctx, w, place{b.url, goroutines, false})
		if err != nil {
			return nil, err
		}
		defer o.close()
		pools = append(pools, o)
		all = append(all, &report.Contender{Measure: throughput(10*b.slice, goroutines, func() error {
			return o.query(shops[rand.IntN(len(shops))], pk, 1+rand.Int64N(keys)) //nolint:gosec // no secret
		})})
		// On every connection most tenants' statements are to have settled.
		if err := together(goroutines, func() error {
			for range settled * len(shops) {
				if err := o.query(shops[rand.IntN(len(shops))], pk, 1); err != nil { //nolint:gosec // no secret
					return err
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	if err := report.Interleave(ctx, all, max(2, b.rounds/6)); err != nil {
		return nil, err
	}
	var cells []string
	for i, c := range all {
		memory, err := b.measureBackends(ctx, pools[i])
		if err != nil {
			return nil, err
		}
		cells = append(cells, fmt.Sprintf("%.2f (%.1f)", c.Ratio(all[0]), c.Value()/1000), memory.String())
	}
	return cells, nil
}

// throughput is a turn of goroutines that query as fast as they can; its result is
// queries a second, of all.
func throughput(slice time.Duration, goroutines int, query func() error) func() (float64, error) {
	return func() (float64, error) {
		counts := make(chan int, goroutines)
		start := time.Now()
		end := start.Add(slice)
		err := together(goroutines, func() error {
			n := 0
			for ; n == 0 || time.Now().Before(end); n++ {
				if err := query(); err != nil {
					return err
				}
			}
			counts <- n
			return nil
		})
		if err != nil {
			return 0, err
		}
		took := time.Since(start)
		sum := 0
		for range goroutines {
			sum += <-counts
		}
		return float64(sum) / took.Seconds(), nil
	}
}

// together runs f in so many goroutines and waits for all.
func together(goroutines int, f func() error) error {
	var group errgroup.Group
	for range goroutines {
		group.Go(f)
	}
	return group.Wait()
}
