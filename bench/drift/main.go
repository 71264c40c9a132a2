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
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/cotenant/cotenant/bench/internal/child"
	"github.com/cotenant/cotenant/bench/internal/report"
	"github.com/cotenant/cotenant/internal/devpg"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if child.Main(ctx, runChild) {
		return
	}
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "drift:", err)
		os.Exit(1)
	}
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

func run(ctx context.Context, args []string, out, log io.Writer) (err error) {
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
	file := flags.String("out", "", "write the table to this `file` as well")
	binDir := flags.String("postgres", "", "`directory` with the programs of the PostgreSQL to measure, pg_dump among them (default: one that is found)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected %q (flags only)", flags.Arg(0))
	}
	if b.jobs < 1 || b.rounds < 1 {
		return fmt.Errorf("-jobs is %d, -rounds is %d (use 1 or more)", b.jobs, b.rounds)
	}
	if *binDir == "" && os.Getenv("DATABASE_URL") != "" {
		return errors.New("DATABASE_URL is set, and it is a server of our own that is measured (unset DATABASE_URL, or name the server's programs with -postgres)")
	}
	if *short {
		b.sizes, b.rounds, b.sample = []int{3, 6}, 1, 2
	}
	if *file != "" {
		f, createErr := os.Create(*file)
		if createErr != nil {
			return createErr
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = io.MultiWriter(out, f)
	}
	b.dump = filepath.Join(*binDir, "pg_dump")
	if *binDir == "" {
		b.dump, _ = exec.LookPath("pg_dump")
	} else if _, err := os.Stat(b.dump); err != nil {
		b.dump = ""
	}
	// Nothing that is measured writes, so nothing waits for the disk.
	return b.start(ctx, out, &devpg.Options{BinDir: *binDir, Fast: true, Logger: b.log})
}

// start starts a server, makes the table on it, and leaves nothing behind.
func (b *bench) start(ctx context.Context, out io.Writer, options *devpg.Options) (err error) {
	if b.dir, err = os.MkdirTemp("", "cotenant-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	server, err := devpg.Start(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	b.url = server.URL()
	t, err := b.table(ctx)
	if err != nil {
		return err
	}
	machine := strings.Replace(report.Machine(server.Version()), "its ordinary settings (fsync on)", "fsync off", 1)
	fmt.Fprintf(out, "%s\n\n%s", machine, t)
	return nil
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
