package manage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// TenantCommand is a command that runs for every tenant, public included, or for those that
// --schema, --exclude and --skip-public leave, --jobs at a time. A tenant for which it fails
// does not keep it from running for the others.
type TenantCommand struct {
	// Args describes the arguments in the help: "[FILE…]". Defaults to none, and then
	// there may be none.
	Args string
	// Example is shown in the help. Defaults to none.
	Example string
	// Flags adds flags of the command's own. Defaults to none.
	Flags func(flags *pflag.FlagSet)
	// Long describes it in the help. Defaults to Short.
	Long string
	// Name of the command. Required.
	Name string
	// Run does the work for one tenant, which is in ctx too. It is called for several at
	// a time where --jobs says so. Required.
	Run func(ctx context.Context, call *TenantCall) error
	// Short describes it in a line. Defaults to none.
	Short string
}

// TenantCall is what a TenantCommand is to do for a tenant.
type TenantCall struct {
	// Args are the arguments of the command line.
	Args []string
	// Stderr and Stdout are where output goes. Where several tenants are worked on at a
	// time, each line has the schema in front.
	Stderr, Stdout io.Writer
	// Tenancy is the database that the tenant is of.
	Tenancy *cotenant.Tenancy
	// Tenant is whom it is about.
	Tenant *tenant.Tenant
}

// fanFlags are the flags of what runs for many tenants.
type fanFlags struct {
	tenantFlags
	selectFlags
	jobs      int
	publicToo bool // public counts also where no tenant has it
	// atOnce has the first Ctrl-C interrupt the tenants that it is at: what they do is one
	// transaction each, and what they read may have been cut by the same Ctrl-C.
	atOnce bool
}

func (f *fanFlags) groups(project bool) []flagGroup {
	which := newGroup("For which tenants (default all, public too)")
	s := &f.selection
	which.flags.StringArrayVar(&s.Schemas, "schema", nil, "only those whose schema has this `name` or pattern, such as 'acme*' (repeatable)")
	which.flags.StringArrayVar(&s.Exclude, "exclude", nil, "not those of this `name` or pattern (repeatable)")
	which.flags.BoolVar(&s.SkipPublic, "skip-public", false, "not public")
	which.flags.IntVar(&f.jobs, "jobs", 1, "for `N` tenants at a time")
	return []flagGroup{which, f.outputFlags.group(), f.databaseFlags.group(project)}
}

// one is the flag of what runs for one tenant.
func (f *fanFlags) one() flagGroup {
	which := newGroup("Which tenant")
	which.flags.StringArrayVar(&f.selection.Schemas, "schema", nil, "`NAME` of its schema (default: it is asked for)")
	return which
}

func (f *fanFlags) check(cmd *cobra.Command) error {
	if f.jobs < 1 {
		return usagef("--jobs is %d (give it 1 or more, or leave it out)", f.jobs)
	}
	return f.selectFlags.check(cmd)
}

// command makes the command of c.
func (c *TenantCommand) command(p *program) *cobra.Command {
	var f fanFlags
	cmd := &cobra.Command{
		Use:     strings.TrimSpace(c.Name + " " + c.Args),
		GroupID: ownGroup,
		Short:   c.Short,
		Long:    c.Long,
		Example: c.Example,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			return p.withTenancy(cmd, &f.tenantFlags, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
				return forTenants(ctx, cmd, tenancy, &f, func(ctx context.Context, call *TenantCall) error {
					call.Args = args
					return c.Run(ctx, call)
				})
			})
		},
	}
	if c.Args == "" {
		cmd.Args = noArgs
	}
	groups := f.groups(p.config.Project)
	if c.Flags != nil {
		own := newGroup("Flags of the command")
		c.Flags(own.flags)
		groups = append([]flagGroup{own}, groups...)
	}
	addGroups(cmd, "", groups...)
	p.completeSchemas(cmd, &f.databaseFlags, 0)
	return cmd
}

// forTenants calls f for each tenant that is selected, and sums up. At Ctrl-C the calls that
// are under way are finished, and at a second one interrupted.
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
	todo := make(chan *tenant.Tenant)
	var work sync.WaitGroup
	for range flags.jobs {
		work.Go(func() {
			for t := range todo {
				if !fan.isUnread() {
					fan.run(ctx, t)
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
		select {
		case todo <- t:
			return nil
		case <-stop:
			return migrate.ErrStopped
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}, fan.bad)
	close(todo)
	work.Wait()
	return fan.outcome(total, err)
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
		out, err := &lines{mu: &f.mu, w: c.Stdout, prefix: t.Schema.String() + ": "}, &lines{mu: &f.mu, w: c.Stderr, prefix: t.Schema.String() + ": "}
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

// lines writes whole lines, each with a prefix. Others that share mu write between them.
type lines struct {
	mu     *sync.Mutex
	w      io.Writer
	prefix string
	rest   []byte // of a line that has not ended
}

// Write keeps what is no whole line yet.
func (l *lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var whole []byte
	for left := text; ; {
		end := bytes.IndexByte(left, '\n')
		if end < 0 {
			l.rest = append(l.rest, left...)
			break
		}
		whole = append(whole, l.prefix...)
		whole = append(whole, l.rest...)
		whole = append(whole, left[:end+1]...)
		l.rest, left = l.rest[:0], left[end+1:]
	}
	if len(whole) == 0 {
		return len(text), nil
	}
	if _, err := l.w.Write(whole); err != nil {
		return 0, err
	}
	return len(text), nil
}

// end writes what is left.
func (l *lines) end() {
	if len(l.rest) > 0 {
		_, _ = l.Write([]byte("\n"))
	}
}
