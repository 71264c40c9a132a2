package main

import (
	"context"
	"fmt"

	"github.com/cotenant/cotenant/bench/internal/child"
	"github.com/cotenant/cotenant/bench/internal/memory"
	"github.com/cotenant/cotenant/bench/internal/report"
)

// sized is what runs over a fleet took.
type sized struct {
	*report.Contender
	heap, resident []float64      // the most that the program had, of each run, in bytes
	most           memory.Backend // the most that a process of the server had, of all runs
}

// grow makes the table of fleets of different sizes.
func (b *bench) grow(ctx context.Context) (*report.Table, error) {
	var all []*sized
	var contenders []*report.Contender
	for _, n := range b.sizes {
		f, err := b.small(ctx, n)
		if err != nil {
			return nil, err
		}
		s := &sized{Contender: &report.Contender{}}
		s.Measure = func() (float64, error) { return b.sizedTurn(ctx, f, s) }
		all, contenders = append(all, s), append(contenders, s.Contender)
	}
	b.log.Info("measuring", "table", "sizes")
	if err := report.Interleave(ctx, contenders, b.rounds); err != nil {
		return nil, err
	}
	t := &report.Table{
		Title: "Sizes",
		Note: fmt.Sprintf("A column for small schemas, %d at a time, by cotenant in a program of its own for each run. The rate is of the run from the open tenancy to its report; the memory is "+
			"the most that the program's heap and the program as a whole had, and the largest process of the server: its own (and with what it touched of the shared buffers). "+
			"Ratios are to the first row.", b.jobs),
		Header: []string{"schemas", "schemas/s", "ratio", "heap, MB", "ratio", "program, MB", "ratio", "server process, MB"},
	}
	first := all[0]
	for i, s := range all {
		heap, resident := report.Median(s.heap), report.Median(s.resident)
		t.Rows = append(t.Rows, []string{
			fmt.Sprint(b.sizes[i]), fmt.Sprintf("%.0f", s.Value()), fmt.Sprintf("%.2f", s.Ratio(first.Contender)),
			fmt.Sprintf("%.1f", heap/memory.Megabyte), fmt.Sprintf("%.2f", heap/report.Median(first.heap)),
			fmt.Sprintf("%.1f", resident/memory.Megabyte), fmt.Sprintf("%.2f", resident/report.Median(first.resident)),
			fmt.Sprintf("%.0f (%.0f)", float64(s.most.Own)/memory.Megabyte, float64(s.most.Resident)/memory.Megabyte),
		})
	}
	return t, nil
}

// sizedTurn adds a column, by a child, while the server's processes are watched.
func (b *bench) sizedTurn(ctx context.Context, f *fleet, s *sized) (float64, error) {
	f.round++
	dir, err := b.smallApps(f.round)
	if err != nil {
		return 0, err
	}
	if err := execute(ctx, f.url, "CHECKPOINT"); err != nil {
		return 0, err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	type watched struct {
		memory.Backend
		error
	}
	seen := make(chan watched, 1)
	go func() {
		most, err := memory.WatchBackends(watching, f.url)
		seen <- watched{most, err}
	}()
	got, err := child.Start[childTask, childResult](ctx, &childTask{URL: f.url, Dir: dir, Jobs: b.jobs, Behind: len(f.schemas)})
	stop()
	w := <-seen
	if err != nil {
		return 0, err
	}
	if w.error != nil {
		return 0, w.error
	}
	if err := f.check(ctx, f.round, "cotenant_migrations", cotenantRecord(f.round)); err != nil {
		return 0, err
	}
	s.most.Own, s.most.Resident = max(s.most.Own, w.Own), max(s.most.Resident, w.Resident)
	s.heap, s.resident = append(s.heap, float64(got.Heap)), append(s.resident, float64(got.Resident))
	b.log.Info("turn", "schemas", len(f.schemas), "round", f.round, "took", got.Took)
	return float64(len(f.schemas)) / got.Took.Seconds(), nil
}
