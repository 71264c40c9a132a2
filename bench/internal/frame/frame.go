// Package frame is what is around every benchmark: its flags, a server of its own, and
// where the tables go.
package frame

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/cotenant/cotenant/internal/devpg"
)

// Main calls run with the arguments of the command line, until it is done or interrupted,
// and ends the process where it fails.
func Main(name string, run func(ctx context.Context, args []string, out, log io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1) //nolint:gocritic // nothing is left to undo
	}
}

// Flags are those that every benchmark has.
type Flags struct {
	BinDir string // with the programs of PostgreSQL; empty for those that are found
	file   string
}

// Parse adds them to flags, and parses args. It refuses what are no flags, and a database
// that would not be measured.
func (f *Flags) Parse(flags *flag.FlagSet, args []string) error {
	flags.StringVar(&f.file, "out", "", "write the tables to this `file` as well")
	flags.StringVar(&f.BinDir, "postgres", "", "`directory` with the programs of the PostgreSQL to measure (default: one that is found)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected %q (flags only)", flags.Arg(0))
	}
	if f.BinDir == "" && os.Getenv("DATABASE_URL") != "" {
		return errors.New("DATABASE_URL is set, and it is a server of our own that is measured (unset DATABASE_URL, or name the server's programs with -postgres)")
	}
	return nil
}

// Measure starts a server, has do write its tables to out and to the file that was asked
// for, and leaves no server behind, nor dir, which is for files.
func (f *Flags) Measure(ctx context.Context, out io.Writer, options *devpg.Options, do func(server *devpg.Server, dir string, out io.Writer) error) (err error) {
	if f.file != "" {
		file, createErr := os.Create(f.file)
		if createErr != nil {
			return createErr
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = io.MultiWriter(out, file)
	}
	dir, err := os.MkdirTemp("", "cotenant-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	options.BinDir = f.BinDir
	server, err := devpg.Start(ctx, options)
	if err != nil {
		return err
	}
	return errors.Join(do(server, dir, out), server.Stop())
}
