// Command drift measures what it costs to find out which schemas differ: by cotenant, and
// by pg_dump of each schema and a comparison of what it writes, which is what people do.
// It starts a PostgreSQL of its own, and prints a Markdown table.
//
//	go run ./bench/drift
//
// See bench/README.md for how it measures and how to read the table.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
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
	frame.Main("drift", run)
}

// bench is what the table is made with.
type bench struct {
	sizes  []int // of fleets, ascending
	jobs   int   // schemas that are worked on at a time
	rounds int   // turns of each way, with each fleet
	sample int   // schemas that are dumped
	url    string
	dir    string // for the apps' folders
	dump   string // the program; empty where there is none for the server
	log    *slog.Logger
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	b := &bench{sizes: []int{200, 2000}, jobs: 2, rounds: 3, sample: 50, log: slog.New(slog.NewTextHandler(log, nil))}
	flags := flag.NewFlagSet("drift", flag.ContinueOnError)
	flags.SetOutput(log)
	short := flags.Bool("short", false, "a few seconds, to see that it works: the numbers mean nothing")
	flags.IntVar(&b.jobs, "jobs", b.jobs, "`number` of schemas that are worked on at a time")
	flags.IntVar(&b.rounds, "rounds", b.rounds, "`number` of turns that each way has")
	flags.Func("sizes", "`numbers` of schemas, ascending and with commas, of the fleets to compare (200,2000)", func(list string) (err error) {
		b.sizes, err = numbers(list)
		return err
	})
	var common frame.Flags
	if err := common.Parse(flags, args); err != nil {
		return err
	}
	if b.jobs < 1 || b.rounds < 1 {
		return fmt.Errorf("-jobs is %d, -rounds is %d (use 1 or more)", b.jobs, b.rounds)
	}
	if *short {
		b.sizes, b.rounds, b.sample = []int{3, 6}, 1, 2
	}
	b.dump = filepath.Join(common.BinDir, "pg_dump")
	if common.BinDir == "" {
		b.dump, _ = exec.LookPath("pg_dump")
	} else if _, err := os.Stat(b.dump); err != nil {
		b.dump = ""
	}
	// Nothing that is measured writes, so nothing waits for the disk.
	return common.Measure(ctx, out, &devpg.Options{Fast: true, Logger: b.log}, func(server *devpg.Server, dir string, out io.Writer) error {
		b.url, b.dir = server.URL(), dir
		t, err := b.table(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\n\n%s", report.Machine(server.Version(), true), t)
		return nil
	})
}

// numbers returns those that list has.
func numbers(list string) ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || len(all) > 0 && n <= all[len(all)-1] {
			return nil, fmt.Errorf("%q is no number of schemas that is higher than the one before it (use 1 or more)", text)
		}
		all = append(all, n)
	}
	return all, nil
}
