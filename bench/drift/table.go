package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/bench/internal/child"
	"github.com/cotenant/cotenant/bench/internal/large"
	"github.com/cotenant/cotenant/bench/internal/memory"
	"github.com/cotenant/cotenant/bench/internal/report"
)

// sized is what came of a fleet.
type sized struct {
	n              int
	ours, dumps    *report.Contender // seconds
	heap, resident int64             // the most that our program had, in bytes
	backend        memory.Backend    // the most that a process of the server had
}

// table compares the two ways with fleets of several sizes.
func (b *bench) table(ctx context.Context) (*report.Table, error) {
	if err := b.writeApps(); err != nil {
		return nil, err
	}
	t := &report.Table{
		Title: "Drift",
		Note: fmt.Sprintf("Which of the schemas of %d tables, %d indexes and %d foreign keys differ, %d schemas at a time; one does, in one default. cotenant drift, in a program of its own for each run, "+
			"beside pg_dump --schema-only --schema for each schema and a comparison of the texts. pg_dump is measured with %d schemas, and ≈ is that, multiplied. Seconds and milliseconds a schema; the memory is the most that our "+
			"program's heap and our program as a whole had, and the largest process of the server: its own (and with what it touched of the shared buffers).",
			large.Tables, large.Indexes, large.References, b.jobs, b.sample),
		Header: []string{"schemas", "cotenant, s", "ms a schema", "pg_dump, s", "ms a schema", "cotenant is faster by", "heap, MB", "program, MB", "server process, MB"},
	}
	made := 0
	for _, n := range b.sizes {
		s, err := b.measure(ctx, made, n)
		if err != nil {
			return nil, fmt.Errorf("%d schemas: %w", n, err)
		}
		made = n
		t.Rows = append(t.Rows, s.row())
	}
	return t, nil
}

func (s *sized) row() []string {
	seconds := s.ours.Value()
	row := []string{fmt.Sprint(s.n), fmt.Sprintf("%.2f", seconds), fmt.Sprintf("%.1f", 1000*seconds/float64(s.n)), "n/a", "n/a", "n/a"}
	if s.dumps != nil {
		dumps := s.dumps.Value()
		row = append(row[:3], fmt.Sprintf("≈ %.0f", dumps), fmt.Sprintf("%.0f", 1000*dumps/float64(s.n)), fmt.Sprintf("%.1f", s.dumps.Ratio(s.ours)))
	}
	mb := func(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/memory.Megabyte) }
	return append(row, mb(s.heap), mb(s.resident), fmt.Sprintf("%.0f (%.0f)", float64(s.backend.Own)/memory.Megabyte, float64(s.backend.Resident)/memory.Megabyte))
}

// measure makes as many schemas as are not there yet, and has both ways look at them.
func (b *bench) measure(ctx context.Context, made, n int) (*sized, error) {
	b.log.Info("creating schemas", "tenants", n-made)
	if err := b.create(ctx, made, n); err != nil {
		return nil, err
	}
	s := &sized{n: n, ours: &report.Contender{}}
	s.ours.Measure = func() (float64, error) { return b.oursTurn(ctx, s) }
	all := []*report.Contender{s.ours}
	if b.dump != "" {
		s.dumps = &report.Contender{}
		s.dumps.Measure = func() (float64, error) { return b.dumpsTurn(ctx, s) }
		all = append(all, s.dumps)
	}
	b.log.Info("measuring", "schemas", n)
	return s, report.Interleave(ctx, all, b.rounds)
}

// oursTurn has a child compare, while the server's processes are watched.
func (b *bench) oursTurn(ctx context.Context, s *sized) (float64, error) {
	if err := b.alone(ctx); err != nil {
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
		most, err := memory.WatchBackends(watching, b.url)
		seen <- watched{most, err}
	}()
	got, err := child.Start[childTask, childResult](ctx, &childTask{URL: b.url, Dir: b.dir, Jobs: b.jobs, Schemas: s.n})
	stop()
	w := <-seen
	switch {
	case err != nil:
		return 0, err
	case w.error != nil:
		return 0, w.error
	}
	s.heap, s.resident = max(s.heap, got.Heap), max(s.resident, got.Resident)
	s.backend.Own, s.backend.Resident = max(s.backend.Own, w.Own), max(s.backend.Resident, w.Resident)
	b.log.Info("cotenant", "schemas", s.n, "took", got.Took)
	return got.Took.Seconds(), nil
}

// alone waits until nobody else is connected: a process of the server takes a while to end
// when pg_dump has.
func (b *bench) alone(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, b.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var others int
		err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()").Scan(&others)
		if err != nil || others == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// dumpsTurn dumps some schemas, and returns how long all would take.
func (b *bench) dumpsTurn(ctx context.Context, s *sized) (float64, error) {
	sample := min(b.sample, s.n)
	begun := time.Now()
	if err := b.dumpAndCompare(ctx, s.n, sample); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	b.log.Info("pg_dump", "schemas", sample, "took", took)
	return took.Seconds() * float64(s.n) / float64(sample), nil
}
