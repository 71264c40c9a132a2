// Command schemas measures what it costs to change many schemas: by cotenant, by bare
// pgx sending the same statements, which is the limit, and by goose in a loop, which
// is what people write. It starts a PostgreSQL of its own, and prints Markdown tables
// of ratios.
//
//	go run ./bench/schemas
//
// See bench/README.md for how it measures and how to read the tables.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/cotenant/cotenant/bench/internal/child"
	"github.com/cotenant/cotenant/bench/internal/frame"
	"github.com/cotenant/cotenant/bench/internal/report"
	"github.com/cotenant/cotenant/internal/devpg"
)

func main() {
	if child.Main(context.Background(), runChild) {
		return
	}
	frame.Main("schemas", run)
}

// scale is how much is measured.
type scale struct {
	rounds  int   // how often each way has its turn in a table
	schemas int   // that get a column, of each way
	jobs    int   // schemas that are worked on at a time
	created int   // tenants that are created in a turn
	looped  int   // schemas that goose looks at where there is nothing to do
	repeats int   // runs with nothing to do
	sizes   []int // of fleets
}

// section makes a table.
type section struct {
	name string
	make func(*bench, context.Context) (*report.Table, error)
}

// sections are in this order also because the last one changes what the one before it
// expects to be as it was made.
func sections() []section {
	return []section{
		{"add-column", (*bench).addColumn},
		{"create", (*bench).create},
		{"nothing", (*bench).nothing},
		{"sizes", (*bench).grow},
	}
}

// bench is what the tables are made with.
type bench struct {
	scale
	url    string // of the server
	fast   bool   // it never waits for the disk
	dir    string // for the apps' folders
	fleets map[string]*fleet
	log    *slog.Logger
	// scripts are what cotenant sends to a schema, by the round.
	scripts map[int]*script
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	b := &bench{
		scale:   scale{rounds: 3, schemas: 2000, jobs: 2, created: 20, looped: 500, repeats: 11, sizes: []int{100, 1000, 10_000}},
		fleets:  map[string]*fleet{},
		scripts: map[int]*script{},
		log:     slog.New(slog.NewTextHandler(log, nil)),
	}
	flags := flag.NewFlagSet("schemas", flag.ContinueOnError)
	flags.SetOutput(log)
	short := flags.Bool("short", false, "a few seconds, to see that it works: the numbers mean nothing")
	flags.IntVar(&b.jobs, "jobs", b.jobs, "`number` of schemas that are worked on at a time")
	flags.IntVar(&b.rounds, "rounds", b.rounds, "`number` of turns that each way has in a table")
	flags.IntVar(&b.schemas, "schemas", b.schemas, "`number` of schemas that get a column in a turn")
	flags.Func("sizes", "`numbers` of schemas, with commas, of the fleets that nothing and sizes compare (100,1000,10000)", func(list string) (err error) {
		b.sizes, err = numbers(list)
		return err
	})
	only := flags.String("only", strings.Join(names(), ","), "which tables, in `names` with commas")
	var common frame.Flags
	if err := common.Parse(flags, args); err != nil {
		return err
	}
	if b.jobs < 1 || b.rounds < 1 || b.schemas < 1 {
		return fmt.Errorf("-jobs is %d, -rounds is %d, -schemas is %d (use 1 or more)", b.jobs, b.rounds, b.schemas)
	}
	wanted, err := choose(*only)
	if err != nil {
		return err
	}
	if *short {
		b.scale = scale{rounds: 1, schemas: 5, jobs: b.jobs, created: 2, looped: 3, repeats: 1, sizes: []int{2, 5, 12}}
	}
	// With its ordinary settings: fsync is on, unless nobody reads the numbers.
	return common.Measure(ctx, out, &devpg.Options{Fast: *short, Logger: b.log}, func(server *devpg.Server, dir string, out io.Writer) error {
		b.url, b.fast, b.dir = server.URL(), *short, dir
		return b.print(ctx, out, wanted, server.Version())
	})
}

// print makes the tables and writes each as soon as it is done.
func (b *bench) print(ctx context.Context, out io.Writer, wanted []section, version string) error {
	fmt.Fprintf(out, "%s\n", report.Machine(version, false))
	for _, s := range wanted {
		t, err := s.make(b, ctx)
		if err != nil {
			return fmt.Errorf("table %s: %w", s.name, err)
		}
		fmt.Fprintf(out, "\n%s", t)
	}
	return nil
}

// choose returns the sections that list names.
func choose(list string) ([]section, error) {
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(names(), name) {
			return nil, fmt.Errorf("no table %q (use: %s)", name, strings.Join(names(), ", "))
		}
		wanted[name] = true
	}
	return slices.DeleteFunc(sections(), func(s section) bool { return !wanted[s.name] }), nil
}

// numbers returns those that list has.
func numbers(list string) ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number of schemas (use 1 or more)", text)
		}
		all = append(all, n)
	}
	return all, nil
}

func names() []string {
	var names []string
	for _, s := range sections() {
		names = append(names, s.name)
	}
	return names
}
