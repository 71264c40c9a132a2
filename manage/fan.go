package manage

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// forTenants calls f for each tenant that is selected, and sums up. Public is first and alone,
// and then the others are, flags.jobs at a time. At Ctrl-C the calls that are under way are
// finished, and at a second one interrupted.
func forTenants(ctx context.Context, cmd *cobra.Command, tenancy *cotenant.Tenancy, flags *fanFlags, f func(context.Context, *TenantCall) error) error {
	total, err := flags.selected(ctx, tenancy)
	if err == nil {
		err = excluded(ctx, tenancy, flags.selection.Exclude)
	}
	if err != nil {
		return err
	}
	var stop <-chan struct{}
	if !flags.atOnce {
		var done func()
		ctx, stop, done = gracefully(ctx, func() {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: stopping: the tenants that it is at are finished (Ctrl-C again interrupts them)\n", cmd.Root().Name())
		})
		defer done()
	}
	defer outlivingReaders()()
	fan := &fan{cmd: cmd, tenancy: tenancy, flags: flags, call: f, alone: total == 1, begun: time.Now()}
	todo := make(chan job)
	var work sync.WaitGroup
	for range flags.jobs {
		work.Go(func() {
			for j := range todo {
				switch {
				case fan.isUnread():
				case j.bad != nil:
					fan.bad(j.bad)
				default:
					fan.run(ctx, j.tenant)
				}
			}
		})
	}
	err = flags.eachSelected(ctx, tenancy, func(t *tenant.Tenant) error {
		if fan.isUnread() {
			return errUnread
		}
		select {
		case <-stop:
			return migrate.ErrStopped
		default:
		}
		if t.IsPublic() { // and nobody begins before it is finished
			fan.run(ctx, t)
			return nil
		}
		select {
		case todo <- job{tenant: t}:
			return nil
		case <-stop:
			return migrate.ErrStopped
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}, func(bad *registry.RowError) {
		select { // in its turn: what a call writes is one at a time
		case todo <- job{bad: bad}:
		case <-stop:
		case <-ctx.Done():
		}
	})
	close(todo)
	work.Wait()
	return fan.outcome(total, err)
}

// job is a tenant to make the call for, or a row for which there can be none.
type job struct {
	tenant *tenant.Tenant
	bad    *registry.RowError
}

// fan is a call for many tenants.
type fan struct {
	cmd     *cobra.Command
	tenancy *cotenant.Tenancy
	flags   *fanFlags
	call    func(context.Context, *TenantCall) error
	alone   bool // there is one tenant
	begun   time.Time

	mu           sync.Mutex
	done, failed int
	last         error
	unread       bool // nobody reads the output any more
}

// run makes the call for a tenant.
func (f *fan) run(ctx context.Context, t *tenant.Tenant) {
	c := &TenantCall{Stderr: f.cmd.ErrOrStderr(), Stdout: f.cmd.OutOrStdout(), Tenancy: f.tenancy, Tenant: t}
	flush := func() {}
	switch {
	case f.alone:
	case f.flags.jobs > 1:
		prefix := t.Schema.String() + ": "
		out, err := &lines{mu: &f.mu, w: c.Stdout, prefix: prefix}, &lines{mu: &f.mu, w: c.Stderr, prefix: prefix}
		if f.flags.json {
			out.prefix = "" // each line is an object, which names the schema itself
		}
		c.Stdout, c.Stderr = out, err
		flush = func() { out.end(); err.end() }
	case f.flags.verbosity > 0:
		fmt.Fprintf(c.Stderr, "=== %s\n", t.Schema)
	}
	err := protected(func() error { return f.call(contextOf(ctx, t), c) })
	flush()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.done++
		return
	}
	f.failed++
	f.last = err
	f.unread = f.unread || isUnread(err)
	if !f.alone && !f.unread {
		text := err.Error()
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			text = "interrupted"
		}
		fmt.Fprintf(f.cmd.ErrOrStderr(), "%s: %s: %s: %s\n", f.cmd.Root().Name(), f.cmd.Name(), t.Schema, text)
	}
}

// bad counts a row for which no call can be made.
func (f *fan) bad(err *registry.RowError) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed++
	f.last = err
	if !f.alone && !f.unread {
		fmt.Fprintf(f.cmd.ErrOrStderr(), "%s: %s: %v\n", f.cmd.Root().Name(), f.cmd.Name(), err)
	}
}

// errUnread ends a run whose output nobody reads: | head has what it wants.
var errUnread = errors.New("the output is closed")

func (f *fan) isUnread() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unread
}

// isUnread reports whether a call failed because nobody reads its output: a write of ours,
// or a program that was killed for one.
func isUnread(err error) bool {
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		const ofShell = 128 + int(syscall.SIGPIPE) // a program of its was killed
		status, ok := failed.Sys().(syscall.WaitStatus)
		return ok && status.Signaled() && status.Signal() == syscall.SIGPIPE || failed.ExitCode() == ofShell
	}
	return errors.Is(err, syscall.EPIPE)
}

// contextOf returns ctx with the tenant in it.
func contextOf(ctx context.Context, t *tenant.Tenant) context.Context {
	if t.IsPublic() && t.ID == 0 {
		return tenant.Public(ctx)
	}
	return tenant.NewContext(ctx, t)
}

// protected returns what f panics with as an error.
func protected(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// outcome sums up. Err is what ended the list of tenants.
func (f *fan) outcome(total int, err error) error {
	if f.alone && err == nil {
		return f.last
	}
	if f.flags.verbosity > 0 {
		text := fmt.Sprintf("%d done", f.done)
		if f.failed > 0 {
			text += fmt.Sprintf(", %d failed", f.failed)
		}
		if left := total - f.done - f.failed; left > 0 {
			text += fmt.Sprintf(", %d untouched", left)
		}
		fmt.Fprintf(f.cmd.ErrOrStderr(), "%s: %s (%s)\n", f.cmd.Name(), text, round(time.Since(f.begun)))
	}
	if f.failed > 0 && !f.unread {
		failed := fmt.Errorf("it failed for %s (see above)", tenantsText(f.failed))
		if err == nil {
			return failed
		}
		err = fmt.Errorf("%w; %w", err, failed) // in one line
	}
	return err
}

func tenantsText(n int) string {
	if n == 1 {
		return "1 tenant"
	}
	return fmt.Sprintf("%d tenants", n)
}
