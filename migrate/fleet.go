package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/dberr"
)

// Fleet is a database with all its schemas. It is safe for concurrent use, by several
// programs, too.
type Fleet struct {
	migrator *Migrator
	pool     *pgxpool.Pool
}

// Fleet returns the fleet of schemas in the database that pool leads to. The pool must
// lead to the server itself, not be scoped to tenants, not cache prepared statements
// (pgx.QueryExecModeDescribeExec), and allow three connections or more.
func (m *Migrator) Fleet(pool *pgxpool.Pool) *Fleet { return &Fleet{migrator: m, pool: pool} }

// Migrate brings the schemas that are selected to where the files are: public first,
// then the tenants', several at a time. A schema that fails does not keep the others
// from being migrated; what was done before in it stays, a migration at a time. The
// error is a *RunError if single schemas failed or the run was ended. The report is there
// also beside an error, unless nothing was touched.
//
// The same call again does what is left. Two at once, in one program or several, do the
// work once.
func (f *Fleet) Migrate(ctx context.Context, options *MigrateOptions) (*Report, error) {
	var o MigrateOptions
	if options != nil {
		o = *options
	}
	return f.run(ctx, &o.RunOptions, o.request())
}

func (o *MigrateOptions) request() request {
	return request{migrate: true, app: o.App, target: o.Target, fake: o.Fake, fakeInitial: o.FakeInitial}
}

// Sync creates what the schema.sql of apps without migrations has and the schemas lack.
// It alters and drops nothing: what differs is told in the results, and needs a migration.
func (f *Fleet) Sync(ctx context.Context, options *SyncOptions) (*Report, error) {
	var o SyncOptions
	if options != nil {
		o = *options
	}
	return f.run(ctx, &o.RunOptions, request{sync: true, migrate: o.Migrate, compare: o.Verify})
}

// checkPlace refuses an app that is in none of the schemas that are selected.
func (m *Migrator) checkPlace(s *selection, app string) error {
	if app == "" {
		return nil
	}
	_, shared := find(m.shared, app)
	_, tenants := find(m.tenant, app)
	switch {
	case shared && s.public || tenants && s.tenants:
		return nil
	case tenants:
		return fmt.Errorf("app %q is one of the tenant apps, and no tenant's schema is selected (select tenants, or leave the selection out)", app)
	case shared:
		return fmt.Errorf("app %q is one of the shared apps, and public is not selected (leave the selection out)", app)
	}
	return nil
}

// OptionsError is options that cannot be meant: they contradict each other, or name an
// app or a migration that there is not. Nothing was touched.
type OptionsError struct{ Err error }

// Error says what is wrong, and the cure.
func (e *OptionsError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *OptionsError) Unwrap() error { return e.Err }

// newRun checks what is asked for, before anything is touched.
func (f *Fleet) newRun(o *RunOptions, q request) (*run, error) {
	selection, err := o.check()
	if err != nil {
		return nil, &OptionsError{err}
	}
	for name, n := range map[string]int{"canary": o.Canary, "jobs": o.Jobs, "max-failures": o.MaxFailures} {
		if n < 0 {
			return nil, &OptionsError{fmt.Errorf("%s is %d (give a number that is not negative)", name, n)}
		}
	}
	if conns := f.pool.Config().MaxConns; conns <= spare {
		return nil, fmt.Errorf("the pool has %d connections (allow %d or more)", conns, spare+1)
	}
	if err := f.migrator.resolve(&q); err != nil {
		return nil, &OptionsError{err}
	}
	if err := f.migrator.checkPlace(selection, q.app); err != nil {
		return nil, &OptionsError{err}
	}
	return &run{
		Migrator: f.migrator, pool: f.pool, options: *o, selection: selection, request: q,
		plans: make(map[string]planned),
	}, nil
}

func (f *Fleet) run(ctx context.Context, o *RunOptions, q request) (*Report, error) {
	r, err := f.newRun(o, q)
	if err != nil {
		return nil, err
	}
	err = f.migrator.privilegeError(r.fleet(ctx))
	switch {
	case ctx.Err() != nil && (err == nil || errors.Is(err, context.Cause(ctx)) || isInterrupted(ctx, err)):
		err = fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(ctx))
	case err == nil:
		err = r.stopped
	}
	err = errors.Join(err, r.finish(ctx, err == nil))
	report := r.report
	switch {
	case err != nil && report.Done+report.Failed+report.Interrupted == 0:
		return nil, err
	case err != nil || report.Failed > 0:
		return &report, &RunError{Report: &report, Err: err}
	}
	return &report, nil
}

// finish completes the report. Where nothing was done since something failed, it asks
// nothing more.
func (r *run) finish(ctx context.Context, whole bool) error {
	r.report.LeftToMigrate, r.report.LeftToSync = r.left()
	r.report.NotRun = r.notRunTexts()
	if r.report.Done+r.report.Failed == 0 && !whole {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	return r.withConn(ctx, func(c changer) (err error) {
		r.report.Orphans, err = r.orphans(ctx, c)
		if dberr.Code(err) == dberr.UndefinedTable { // public failed at its first migration
			return nil
		}
		return err
	})
}

// flush makes sure that what was done is on disk: the commit of a transaction that has
// written something is waited for, and with it all before it in the log.
func (r *run) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	err := r.ask(ctx, func(c changer) error {
		_, err := c.conn.Exec(ctx, "SELECT pg_catalog.pg_logical_emit_message(true, 'cotenant', 'flush'), "+waitedSQL, pgx.QueryExecModeExec)
		return err
	})
	if err != nil {
		return fmt.Errorf("what was done may not be on disk: %w (run it again)", err)
	}
	return nil
}

// flushOthers does so if something was committed that is not on disk yet: another program
// may have done what this one found done.
func (r *run) flushOthers(ctx context.Context) error {
	var unflushed bool
	err := r.ask(ctx, func(c changer) error {
		return c.conn.QueryRow(ctx, "SELECT pg_catalog.pg_current_wal_insert_lsn() > pg_catalog.pg_current_wal_flush_lsn()", pgx.QueryExecModeExec).Scan(&unflushed)
	})
	if err != nil || !unflushed {
		return err
	}
	return r.flush(ctx)
}

// left are the apps that the request does not see to, and something else does.
func (r *run) left() (toMigrate, toSync []string) {
	var lists [][]loadedApp
	if r.selection.public {
		lists = append(lists, r.Migrator.shared)
	}
	if r.selection.tenants {
		lists = append(lists, r.tenant)
	}
	for _, apps := range lists {
		for i := range apps {
			switch app := &apps[i]; {
			case app.name == ownApp || r.request.app != "" || slices.Contains(append(toMigrate, toSync...), app.name):
			case len(app.migrations) > 0 && !r.request.migrate:
				toMigrate = append(toMigrate, app.name)
			case len(app.migrations) == 0 && !r.request.sync:
				toSync = append(toSync, app.name)
			}
		}
	}
	return toMigrate, toSync
}

// RunError is a run in which not everything was done.
type RunError struct {
	Report *Report
	// Err is the reason where it is not that of single schemas: the run was ended, or a
	// canary failed.
	Err error
}

// Error has the first ten reasons why schemas failed, each once, and counts what was
// done, failed and left:
//
//	shop/migrations/0002_more.sql:6: type "itn" does not exist (SQLSTATE 42704); nothing of the file was kept
//		ALTER TABLE orders ADD COLUMN n itn
//		500 schemas: a, b, c, d, e and 495 more
//	499 done, 500 failed, 0 untouched, 1 up to date
func (e *RunError) Error() string {
	const most = 10
	var lines []string
	if e.Err != nil {
		lines = append(lines, e.Err.Error())
	}
	more := e.Report.Failed
	for i := range e.Report.Reasons[:min(most, len(e.Report.Reasons))] {
		reason := &e.Report.Reasons[i]
		lines = append(lines, reason.String())
		more -= reason.Count
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("%d schemas more failed, for other reasons", more))
	}
	return strings.Join(append(lines, e.Report.String()), "\n")
}

// Unwrap returns the reasons: that of the run, and those of the schemas in Failures.
func (e *RunError) Unwrap() []error {
	var errs []error
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	for _, f := range e.Report.Failures {
		errs = append(errs, f.Err)
	}
	return errs
}

// String counts: "2 done, 1 failed, 3 untouched, 994 up to date", and those that were
// interrupted, if there are any.
func (r *Report) String() string {
	text := fmt.Sprintf("%d done, %d failed, %d untouched, %d up to date", r.Done, r.Failed, r.Untouched, r.Current)
	if r.Interrupted > 0 {
		text += fmt.Sprintf(", %d interrupted", r.Interrupted)
	}
	return text
}
