package manage

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
)

func (p *program) shellCommand() *cobra.Command {
	var f fanFlags
	cmd := &cobra.Command{
		Use:     "dbshell [-- ARGS…]",
		GroupID: tenantsGroup,
		Short:   "Open psql in the schema of a tenant",
		Long: `Dbshell runs psql in the schema of a tenant: that of --schema, or the one that is asked for.
It is over the direct connection. What stands behind -- is for psql.`,
		Example: fmt.Sprintf("  %[1]s dbshell --schema=customer1\n  %[1]s dbshell --schema=customer1 -- -c '\\dt'", p.config.name()),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				return usagef("%q is no argument of it (write -- before what is for psql)", args[0])
			}
			if err := f.check(cmd); err != nil {
				return err
			}
			config, err := p.tenancyConfig(cmd, &f.databaseFlags)
			if err != nil {
				return err
			}
			psql, err := newExternal(config, append([]string{"psql"}, args...))
			if err != nil {
				return err
			}
			return p.withTenancy(cmd, &f.tenantFlags, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
				t, err := f.chosen(ctx, cmd, tenancy)
				if err != nil {
					return err
				}
				defer leavingInterrupts(ctx)()
				return psql.run(ctx, cmd, &TenantCall{Stderr: cmd.ErrOrStderr(), Stdout: cmd.OutOrStdout(), Tenancy: tenancy, Tenant: t}, true)
			})
		},
	}
	f.jobs, f.noApps = 1, true
	addGroups(cmd, "", f.one(), f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	p.completeSchemas(cmd, &f.databaseFlags, 0)
	return cmd
}
