// Command access measures what it costs to reach a tenant's tables: by cotenant,
// by what people write by hand, and by schema-qualified names, which are the limit.
// It starts a PostgreSQL of its own, and prints Markdown tables of ratios.
//
//	go run ./bench/access
//
// See bench/README.md for how it measures and how to read the tables.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/cotenant/cotenant/bench/internal/frame"
	"github.com/cotenant/cotenant/bench/internal/report"
	"github.com/cotenant/cotenant/internal/devpg"
)

func main() {
	frame.Main("access", run)
}

// scale is how much is measured.
type scale struct {
	rounds  int           // how often each way has its turn in a table
	slice   time.Duration // how long a turn is
	atLeast int           // how many queries it measures however long they take
	tenants [3]int        // one, some, many
	hot     int           // a few that a cache has room for
}

// section makes tables.
type section struct {
	name string
	make func(*bench, context.Context) ([]*report.Table, error)
}

func sections() []section {
	return []section{
		{"queries", (*bench).queries},
		{"pooled", (*bench).pooled},
		{"concurrency", (*bench).concurrency},
		{"cache", (*bench).cache},
		{"wire", (*bench).wire},
	}
}

// bench is what the tables are made with.
type bench struct {
	scale
	url   string
	shops []*shop
	pools int // that were opened
	log   *slog.Logger
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	flags := flag.NewFlagSet("access", flag.ContinueOnError)
	flags.SetOutput(log)
	quick := flags.Bool("quick", false, "a few seconds, to see that it works: the numbers mean nothing")
	rounds := flags.Int("slices", 0, "`number` of turns that each way has in a table (0: enough for a quiet machine)")
	tables := flags.String("tables", strings.Join(names(), ","), "which tables, in `names` with commas")
	var common frame.Flags
	if err := common.Parse(flags, args); err != nil {
		return err
	}
	if *rounds < 0 {
		return fmt.Errorf("-slices is %d (use 1 or more)", *rounds)
	}
	wanted, err := choose(*tables)
	if err != nil {
		return err
	}
	b := &bench{
		scale: scale{rounds: 60, slice: 15 * time.Millisecond, atLeast: 11, tenants: [3]int{1, 100, 1000}, hot: 10},
		log:   slog.New(slog.NewTextHandler(log, nil)),
	}
	if *quick {
		b.scale = scale{rounds: 2, slice: time.Millisecond, atLeast: 3, tenants: [3]int{1, 3, 10}, hot: 2}
	}
	b.rounds = cmp.Or(*rounds, b.rounds)
	// With its ordinary settings: fsync is on.
	return common.Measure(ctx, out, &devpg.Options{Logger: b.log}, func(server *devpg.Server, _ string, out io.Writer) error {
		b.url = server.URL()
		return b.print(ctx, out, wanted, server.Version())
	})
}

// print makes the tables and writes each as soon as it is done.
func (b *bench) print(ctx context.Context, out io.Writer, wanted []section, version string) error {
	b.log.Info("creating schemas", "tenants", b.tenants[2])
	var err error
	if b.shops, err = openShops(ctx, b.url, b.tenants[2]); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n", report.Machine(version, false))
	for _, r := range wanted {
		b.log.Info("measuring", "table", r.name)
		tables, err := r.make(b, ctx)
		if err != nil {
			return fmt.Errorf("table %s: %w", r.name, err)
		}
		for _, t := range tables {
			fmt.Fprintf(out, "\n%s", t)
		}
	}
	return nil
}

// choose returns the sections that list names.
func choose(list string) ([]section, error) {
	var chosen []section
	for name := range strings.SplitSeq(list, ",") {
		i := slices.Index(names(), strings.TrimSpace(name))
		if i < 0 {
			return nil, fmt.Errorf("no table %q (use: %s)", name, strings.Join(names(), ", "))
		}
		chosen = append(chosen, sections()[i])
	}
	return chosen, nil
}

func names() []string {
	var names []string
	for _, r := range sections() {
		names = append(names, r.name)
	}
	return names
}
