package manage

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cotenant/cotenant"
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
	// JSON reports whether --json was given: Run is to print one JSON object a line then,
	// each with the schema in it, and nothing else on Stdout. It is for Run to heed: what it
	// prints is not looked at.
	JSON bool
	// Stderr and Stdout are where output goes. Where several tenants are worked on at a
	// time, each line has the schema in front, but for those of Stdout with --json.
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
					call.Args, call.JSON = args, f.json
					return c.Run(ctx, call)
				})
			})
		},
	}
	if c.Args == "" {
		cmd.Args = noArgs
	}
	groups := f.groups(p.config.Project)
	for _, g := range groups {
		if flag := g.flags.Lookup("json"); flag != nil {
			flag.Usage = "one JSON object a line, for programs, if this command has that"
		}
	}
	if c.Flags != nil {
		own := newGroup("Flags of the command")
		c.Flags(own.flags)
		groups = append([]flagGroup{own}, groups...)
	}
	addGroups(cmd, "", groups...)
	p.completeSchemas(cmd, &f.databaseFlags, 0)
	return cmd
}
