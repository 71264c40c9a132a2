package manage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
)

// connect opens the tenancy that cmd is about. app, if it is not empty, is the app that
// the command line names, and log is where a log goes. Close must be called on what it returns.
func (p *program) connect(ctx context.Context, cmd *cobra.Command, f *runFlags, app string, log io.Writer) (*cotenant.Tenancy, error) {
	config, err := p.tenancyConfig(cmd, &f.databaseFlags)
	if err != nil {
		return nil, err
	}
	if err := checkApp(cmd, config, app); err != nil {
		return nil, err
	}
	if config.Logger == nil {
		level := slog.LevelError // warnings are in the report
		if f.verbosity > 2 {
			level = slog.LevelInfo
		}
		config.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level}))
	}
	tenancy, err := p.open(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := excluded(ctx, tenancy, f.selection.Exclude); err != nil {
		tenancy.Close()
		return nil, err
	}
	return tenancy, nil
}

// work is what a run does to the fleet.
type work func(context.Context, *migrate.Fleet, migrate.RunOptions) (*migrate.Report, error)

// run does the work and shows how it goes.
func (p *program) run(cmd *cobra.Command, f *runFlags, app string, do work) error {
	ctx := cmd.Context()
	show := newReporter(cmd, &f.outputFlags)
	tenancy, err := p.connect(ctx, cmd, f, app, show)
	if err != nil {
		return err
	}
	defer tenancy.Close()
	ctx, stop, done := gracefully(ctx, func() {
		show.note("stopping: the schemas in flight are finished (Ctrl-C again interrupts them)")
	})
	defer done()
	defer outlivingReaders()()
	options := f.options
	options.Stop, options.OnStart, options.OnResult = stop, show.start, show.result
	begun := time.Now()
	report, err := do(ctx, tenancy.Fleet(), options)
	took := time.Since(begun)
	show.end()
	if report == nil {
		return asUsage(err)
	}
	err = outcome(report, err)
	show.finish(report, err, took)
	return err
}

// outcome returns the error of a run without what was told of its schemas already.
func outcome(report *migrate.Report, err error) error {
	run, ok := errors.AsType[*migrate.RunError](err)
	switch {
	case !ok:
		return err
	case report.Failed == 0 && !errors.Is(run.Err, migrate.ErrInterrupted) && !errors.Is(run.Err, migrate.ErrStopped):
		return run.Err
	}
	var what []string
	if report.Failed > 0 {
		what = append(what, schemas(report.Failed)+" failed (see above)")
	}
	if report.Interrupted > 0 {
		what = append(what, fmt.Sprintf("in %s the migration in flight was rolled back, or stopped where it runs outside of a transaction, what was done before stays", schemas(report.Interrupted)))
	}
	what = append(what, "the same command again does what is left")
	text := strings.Join(what, "; ")
	switch {
	case errors.Is(run.Err, migrate.ErrInterrupted):
		return fmt.Errorf("%w: %s", migrate.ErrInterrupted, text) // whatever interrupted it
	case run.Err != nil:
		return fmt.Errorf("%w; %s", run.Err, text)
	}
	return errors.New(text)
}

// schemas counts them.
func schemas(n int) string {
	if n == 1 {
		return "1 schema"
	}
	return fmt.Sprintf("%d schemas", n)
}
