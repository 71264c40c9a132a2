package manage

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/tenant"
)

// updateFlags are the flags of tenant update.
type updateFlags struct {
	tenantFlags
	columnFlags
	nulls []string
}

func (p *program) updateCommand(use string) *cobra.Command {
	var f updateFlags
	what := newGroup("What is changed")
	f.addSet(what)
	what.flags.StringArrayVar(&f.nulls, "unset", nil, "`COLUMN` that becomes NULL (repeatable)")
	groups := []flagGroup{what, f.outputFlags.group(), f.databaseFlags.group(p.config.Project)}
	cmd := &cobra.Command{
		Use:   use,
		Short: "Change the columns of a tenant",
		Long: `Update sets columns of a tenant's row. There is a flag for each column that was added to
cotenant.tenants, which PostgreSQL checks. Running programs see the change at once.`,
		Example:            fmt.Sprintf("  %[1]s tenant update acme --paid_until=2027-12-05 --on_trial=false\n  %[1]s tenant update acme --status=suspended --unset=paid_until", p.config.name()),
		DisableFlagParsing: true, // there is a flag for each column
	}
	addGroups(cmd, "", groups...)
	p.completeColumns(cmd, &f.databaseFlags, 1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.withColumns(cmd, args, groups, &f.tenantFlags, &f.columnFlags, func(tenancy *cotenant.Tenancy, rest []string) error {
			return f.update(cmd, tenancy, rest)
		})
	}
	return cmd
}

func (f *updateFlags) update(cmd *cobra.Command, tenancy *cotenant.Tenancy, args []string) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	if len(args) != 1 {
		return usagef("there %s (give it the schema of one tenant)", areArguments(len(args)))
	}
	ctx := cmd.Context()
	t, err := tenantOf(ctx, tenancy, args[0])
	if err != nil {
		return err
	}
	fields, err := f.fields(ctx, tenancy.Registry())
	if err != nil {
		return err
	}
	for _, name := range f.nulls {
		switch _, given := fields[name]; {
		case f.values[name] == nil:
			return usagef("--unset: the tenants' table has no column %q that can be set%s", name, didYouMean("", name, f.names))
		case given:
			return usagef("column %q is both set and unset (leave one out)", name)
		}
		fields[name] = nil
	}
	if len(fields) == 0 {
		return usagef("no column is given (see the flags)")
	}
	if t, err = tenancy.Registry().Update(ctx, t, fields); err != nil {
		return f.asUsage(err)
	}
	return f.told(cmd, tenancy, t, "updated")
}

// told prints a tenant that something was done with.
func (f *tenantFlags) told(cmd *cobra.Command, tenancy *cotenant.Tenancy, t *tenant.Tenant, what string) error {
	if !f.json {
		f.say(cmd, "tenant %q %s", t.Schema, what)
		return nil
	}
	domains, err := tenancy.Registry().Domains(cmd.Context(), t)
	if err != nil {
		return err
	}
	return writeJSON(cmd.OutOrStdout(), newTenantLine(t, domains))
}
