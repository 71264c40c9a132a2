package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cotenant/cotenant/bench/internal/report"
	"github.com/cotenant/cotenant/migrate"
)

// idle are runs with nothing to do.
type idle struct {
	open, migrate, status float64 // ms, from nothing to the tenancy, and from there to the report and the status
	statements            int     // of the second
}

// nothing makes the table of runs in which every schema is where it should be.
func (b *bench) nothing(ctx context.Context) (*report.Table, error) {
	kept, each, err := b.gooseIdle(ctx)
	if err != nil {
		return nil, err
	}
	t := &report.Table{
		Title: "Nothing to do",
		Note: fmt.Sprintf("Milliseconds of a run over schemas that are all where they should be. *Open* is what comes before: the program connects, looks at the server and reads the "+
			"files. Statements are what the run itself sends, counted on the wire. *Status* is what \"cotenant status\" asks. goose was measured over %d schemas, %d at a time, and what stands here with a ≈ is that, multiplied.", b.looped, b.jobs),
		Header: []string{"schemas", "cotenant, ms", "open, ms", "statements", "status, ms", "goose, connections kept, ms", "goose, a connection for each, ms"},
	}
	for _, n := range b.sizes {
		i, err := b.idle(ctx, n)
		if err != nil {
			return nil, err
		}
		times := float64(n) / float64(b.looped)
		t.Rows = append(t.Rows, []string{
			fmt.Sprint(n), fmt.Sprintf("%.1f", i.migrate), fmt.Sprintf("%.1f", i.open), fmt.Sprint(i.statements), fmt.Sprintf("%.1f", i.status), fmt.Sprintf("≈ %.0f", kept*times), fmt.Sprintf("≈ %.0f", each*times),
		})
	}
	return t, nil
}

// idle measures cotenant over n schemas.
func (b *bench) idle(ctx context.Context, n int) (*idle, error) {
	f, err := b.small(ctx, n)
	if err != nil {
		return nil, err
	}
	dir, err := b.smallApps(f.round)
	if err != nil {
		return nil, err
	}
	b.log.Info("measuring", "table", "nothing", "schemas", n)
	var opens, runs, statuses []float64
	var statements []int
	for range b.repeats + 1 {
		tap := &tap{}
		start := time.Now()
		t, err := open(ctx, f.url, dir, tap)
		if err != nil {
			return nil, err
		}
		opened := time.Now()
		tap.take()
		err = migrateAll(ctx, t, &migrate.RunOptions{Jobs: b.jobs}, 0)
		opens, runs = append(opens, milliseconds(opened.Sub(start))), append(runs, milliseconds(time.Since(opened)))
		// The registry listens as soon as it can, which may be now.
		sent := slices.DeleteFunc(tap.take(), func(s sent) bool { return strings.HasPrefix(s.sql, "LISTEN ") })
		statements = append(statements, len(sent))
		if err == nil {
			asked := time.Now()
			err = t.Ready(ctx)
			statuses = append(statuses, milliseconds(time.Since(asked)))
		}
		t.Close()
		if err != nil {
			return nil, err
		}
	}
	// The first one finds the server's caches empty.
	return &idle{report.Median(opens[1:]), report.Median(runs[1:]), report.Median(statuses[1:]), report.Median(statements[1:])}, nil
}

// gooseIdle measures goose, both ways: milliseconds for as many schemas as it has.
func (b *bench) gooseIdle(ctx context.Context) (kept, each float64, err error) {
	base, err := b.small(ctx, b.looped)
	if err != nil {
		return 0, 0, err
	}
	var f *fleet
	err = b.prepare(ctx, func() (err error) {
		if f, err = b.copy(ctx, base, "idle_goose"); err != nil {
			return err
		}
		return b.adopt(ctx, f)
	})
	if err != nil {
		return 0, 0, err
	}
	dir, err := b.smallApps(0)
	if err != nil {
		return 0, 0, err
	}
	var all []*report.Contender
	for _, way := range []turn{gooseKept(nil), gooseEach} {
		all = append(all, &report.Contender{Measure: func() (float64, error) {
			took, err := way(ctx, b, f, dir, 0)
			return milliseconds(took), err
		}})
	}
	b.log.Info("measuring", "table", "nothing", "way", "goose")
	if err := report.Interleave(ctx, all, b.rounds); err != nil {
		return 0, 0, err
	}
	return all[0].Value(), all[1].Value(), nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
