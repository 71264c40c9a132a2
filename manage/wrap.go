package manage

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cotenant/cotenant"
)

const wrapHelp = `
COMMAND is any command of this program that takes --schema, or one of the program's own,
which gets the tenant in its context. After -- it is any other program: it finds the
schema through PGOPTIONS, PGHOST, PGDATABASE … and DATABASE_URL, over the direct
connection, which is tried first; COTENANT_SCHEMA and COTENANT_TENANT_ID name the tenant.
pg_dump, which pays no regard to the path, gets -n. In a script
give it that, and quotes around the name, which is a pattern that folds case otherwise.`

// tenantCommandCommand is tenant_command: a command or a program for one tenant.
func (p *program) tenantCommandCommand() *cobra.Command {
	f := fanFlags{jobs: 1}
	groups := []flagGroup{f.one(), f.outputFlags.group(), f.databaseFlags.group(p.config.Project)}
	cmd := &cobra.Command{
		Use:                "tenant_command COMMAND [ARGS…] | -- PROGRAM [ARGS…]",
		Aliases:            []string{"tenant-command"},
		GroupID:            tenantsGroup,
		Short:              "Run a command or a program for one tenant",
		Long:               "Tenant_command runs a command or a program in the schema of one tenant: that of --schema, or\nthe one that is asked for.\n" + wrapHelp,
		Example:            fmt.Sprintf("  %[1]s tenant_command migrate --schema=customer1\n  %[1]s tenant_command --schema=customer1 -- psql -c 'SELECT count(*) FROM orders'\n  %[1]s tenant_command --schema=customer1 -- pg_dump -f customer1.sql", p.config.name()),
		DisableFlagParsing: true, // they are the command's
	}
	addGroups(cmd, "", groups...)
	p.completeCommands(cmd, &f.databaseFlags)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		wrapped, err := p.unwrap(cmd, &f, args)
		if err != nil || wrapped == nil {
			return err
		}
		return p.withTenancy(cmd, &f.tenantFlags, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
			t, err := f.chosen(ctx, cmd, tenancy)
			if err != nil {
				return err
			}
			call := &TenantCall{Stderr: cmd.ErrOrStderr(), Stdout: cmd.OutOrStdout(), Tenancy: tenancy, Tenant: t}
			if wrapped.program != nil {
				defer leavingInterrupts(ctx)()
			}
			return wrapped.run(contextOf(ctx, t), cmd, call, true)
		})
	}
	return cmd
}

// runCommand is run: a command or a program for every tenant.
func (p *program) runCommand() *cobra.Command {
	var f fanFlags
	groups := f.groups(p.config.Project)
	cmd := &cobra.Command{
		Use:                "run COMMAND [ARGS…] | -- PROGRAM [ARGS…]",
		Aliases:            []string{"all_tenants_command", "all-tenants-command"},
		GroupID:            tenantsGroup,
		Short:              "Run a command or a program for every tenant",
		Long:               "Run runs a command or a program in the schema of every tenant, public included, or of those\nthat are selected. One that fails does not keep it from running for the others. Programs\nhave nothing to read on standard input, and are finished at Ctrl-C; a second interrupts\nthem, a third kills them.\n" + wrapHelp,
		Example:            fmt.Sprintf("  %[1]s run --skip-public --jobs=4 -- psql -f report.sql\n  %[1]s run --schema='eu_*' -- sh -c 'pg_dump -n \"\\\"$COTENANT_SCHEMA\\\"\" > \"$COTENANT_SCHEMA.sql\"'", p.config.name()),
		DisableFlagParsing: true, // they are the command's
	}
	addGroups(cmd, "", groups...)
	p.completeCommands(cmd, &f.databaseFlags)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		wrapped, err := p.unwrap(cmd, &f, args)
		if err != nil || wrapped == nil {
			return err
		}
		if wrapped.takesSchemas {
			return wrapped.once(cmd.Context(), cmd)
		}
		if wrapped.program == nil && f.jobs > 1 {
			return usagef("%s cannot run for several tenants at a time (leave --jobs out)", wrapped.args[0])
		}
		if wrapped.program != nil && f.json {
			return usagef("--json: what is printed is the program's (leave it out)")
		}
		return p.withTenancy(cmd, &f.tenantFlags, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
			// Not before: by now, what writes into a pipe has begun.
			if what := unread(cmd); what != "" && wrapped.program != nil {
				return usagef("standard input is %s, and the programs of all tenants would have to read it (give it to the program as an argument: psql -f FILE; or add </dev/null if it is not for them)", what)
			}
			return forTenants(ctx, cmd, tenancy, &f, func(ctx context.Context, call *TenantCall) error { return wrapped.run(ctx, cmd, call, false) })
		})
	}
	return cmd
}

// unwrap takes the flags of cmd from its arguments, and returns what the rest is: a command
// of the tree, or a program. It is nil if help was asked for, and shown.
func (p *program) unwrap(cmd *cobra.Command, f *fanFlags, args []string) (*wrapped, error) {
	own, rest, external := splitArgs(cmd.Flags(), args)
	if err := cmd.Flags().Parse(own); err != nil {
		return nil, flagError(cmd, err)
	}
	if help, _ := cmd.Flags().GetBool("help"); help && len(rest) == 0 {
		return nil, cmd.Help()
	}
	if err := f.check(cmd); err != nil {
		return nil, err
	}
	switch {
	case len(rest) == 0:
		return nil, usagef("there is no command (name one, or write -- and a program)")
	case external:
		f.noApps = true
		config, err := p.tenancyConfig(cmd, &f.databaseFlags)
		if err != nil {
			return nil, err
		}
		program, err := newExternal(config, rest)
		if err != nil {
			return nil, err
		}
		return &wrapped{program: program}, nil
	}
	return p.inTree(cmd, rest)
}

// wrapped is what runs for a tenant: a program, or a command of the tree.
type wrapped struct {
	program      *external
	config       Config
	args         []string // of the command
	takesSchemas bool     // the command has --schema
}

// inTree finds a command of the tree that can run for one tenant.
func (p *program) inTree(cmd *cobra.Command, args []string) (*wrapped, error) {
	target, _, err := New(p.config).Find(args)
	if err != nil || !target.HasParent() {
		if err = knownCommand(cmd.Root(), args[:1]); err == nil {
			err = usagef("there is no command %q (to run a program, write -- before it)", args[0])
		}
		return nil, err
	}
	if !p.wraps(target) {
		return nil, usagef("%s is not about one schema (run it by itself)", target.CommandPath())
	}
	return &wrapped{config: p.config, args: args, takesSchemas: takesSchemas(target)}, nil
}

// wraps reports whether a command can run for one tenant: it has --schema, or is one of the
// program's own, or below one, and not about the whole database.
func (p *program) wraps(cmd *cobra.Command) bool {
	top := cmd
	for top.HasParent() && top.Parent().HasParent() {
		top = top.Parent()
	}
	_, whole := cmd.Annotations[WholeDatabase]
	own := slices.ContainsFunc(p.config.Commands, func(c *cobra.Command) bool { return c.Name() == top.Name() })
	return takesSchemas(cmd) || own && !whole
}

func takesSchemas(cmd *cobra.Command) bool {
	return cmd.Flags().Lookup("schema") != nil && !cmd.DisableFlagParsing
}

// run runs it for the tenant of a call; alone if it is for no other.
func (w *wrapped) run(ctx context.Context, cmd *cobra.Command, call *TenantCall, alone bool) error {
	if w.program != nil {
		return w.program.run(ctx, cmd, call, alone)
	}
	root := w.tree(call.Stdout, call.Stderr)
	target, rest, err := root.Find(w.args)
	if err != nil {
		return err
	}
	var flags []string
	if w.takesSchemas {
		flags = append(given(cmd, target, "config", "database-url", "direct-url", "apps-dir", "quiet", "verbosity", "json"), "--schema="+call.Tenant.Schema.String())
	} else {
		// A command of the program's own is the same one every time: it keeps the
		// context of the first, and what its flags were.
		target.SetContext(ctx)
		reset(target.Flags())
	}
	root.SetArgs(slices.Concat(pathOf(target), flags, rest))
	return root.ExecuteContext(ctx)
}

// once runs a command that takes schemas for all that cmd selects.
func (w *wrapped) once(ctx context.Context, cmd *cobra.Command) error {
	root := w.tree(cmd.OutOrStdout(), cmd.ErrOrStderr())
	target, rest, err := root.Find(w.args)
	if err != nil {
		return err
	}
	flags := given(cmd, target, "config", "database-url", "direct-url", "apps-dir", "quiet", "verbosity", "json", "schema", "exclude", "skip-public", "jobs")
	root.SetArgs(slices.Concat(pathOf(target), flags, rest))
	return root.ExecuteContext(ctx)
}

// pathOf are the names that lead to a command.
func pathOf(cmd *cobra.Command) []string { return strings.Fields(cmd.CommandPath())[1:] }

// tree is the commands anew.
func (w *wrapped) tree(stdout, stderr io.Writer) *cobra.Command {
	config := w.config
	config.Args, config.Stdout, config.Stderr = nil, stdout, stderr
	return New(config)
}

// given are those of cmd's flags that were given, and that target has, as arguments.
func given(cmd, target *cobra.Command, names ...string) (args []string) {
	for _, name := range names {
		flag := cmd.Flags().Lookup(name)
		if flag == nil || !flag.Changed || target.Flags().Lookup(name) == nil {
			continue
		}
		values := []string{flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			args = append(args, "--"+name+"="+value)
		}
	}
	return args
}
