package manage

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// tenantsGroup is the heading of the help that the commands about tenants stand under.
const tenantsGroup = "tenants"

func (p *program) tenantCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "tenant",
		GroupID: tenantsGroup,
		Short:   "Create, list, change and delete tenants",
		Long: `The commands about tenants. Those who come from django-tenant-schemas or django-tenants
find them under the names that they know: create_tenant, list_tenants, delete_tenant,
rename_schema, create_missing_schemas, create_domain, delete_domain.`,
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.createCommand("create [SCHEMA]"), p.missingSchemasCommand("create-missing"), p.deleteCommand("delete SCHEMA"), p.listTenantsCommand("list"), p.renameCommand("rename SCHEMA NEW"), p.updateCommand("update SCHEMA"))
	return cmd
}

func (p *program) domainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "domain",
		GroupID: tenantsGroup,
		Short:   "Say which host names lead to a tenant",
		Args:    knownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.addDomainCommand("add SCHEMA DOMAIN"), p.removeDomainCommand("remove DOMAIN"))
	return cmd
}

// seedCommands are the commands about tenants under the names that django-tenant-schemas
// and its peers give them.
func (p *program) seedCommands() []*cobra.Command {
	commands := []*cobra.Command{
		p.createCommand("create_tenant"), p.deleteCommand("delete_tenant SCHEMA"), p.listTenantsCommand("list_tenants"), p.renameCommand("rename_schema SCHEMA NEW"),
		p.addDomainCommand("create_domain SCHEMA DOMAIN"), p.removeDomainCommand("delete_domain DOMAIN"), p.missingSchemasCommand("create_missing_schemas"),
	}
	for _, cmd := range commands {
		cmd.Aliases = []string{hyphens(cmd.Name())}
		cmd.Hidden = true // they are in the help under their own names
	}
	return commands
}

// tenantFlags are those of the commands about single tenants.
type tenantFlags struct {
	databaseFlags
	outputFlags
}

// withTenancy calls f with the tenancy.
func (p *program) withTenancy(cmd *cobra.Command, f *tenantFlags, do func(ctx context.Context, tenancy *cotenant.Tenancy) error) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	tenancy, err := p.connect(cmd.Context(), cmd, &runFlags{databaseFlags: f.databaseFlags, outputFlags: f.outputFlags}, "", cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer tenancy.Close()
	return noTenancy(cmd, tenancy, do(cmd.Context(), tenancy))
}

// tenantOf returns the tenant of a schema, or an error that names the nearest one.
func tenantOf(ctx context.Context, tenancy *cotenant.Tenancy, name string) (*tenant.Tenant, error) {
	schema, err := tenant.ParseSchema(name)
	if err != nil {
		return nil, err
	}
	t, err := tenancy.Registry().BySchema(ctx, schema)
	if !errors.Is(err, tenant.ErrTenantNotFound) {
		return t, err
	}
	names, err := schemaNamesOf(ctx, tenancy)
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("schema %q: no tenant has it%s", name, didYouMeanOf(name, names, "there are no tenants: make one with tenant create"))
}

// schemaNamesOf are the schemas of all tenants.
func schemaNamesOf(ctx context.Context, tenancy *cotenant.Tenancy) (names []string, err error) {
	for t, err := range tenancy.Registry().All(ctx) {
		if t != nil {
			names = append(names, t.Schema.String())
		} else if _, bad := errors.AsType[*registry.RowError](err); !bad {
			return nil, err
		}
	}
	return names, nil
}

// say prints a line of the outcome, unless it is not wanted.
func (f *outputFlags) say(cmd *cobra.Command, format string, args ...any) {
	if f.verbosity > 0 && !f.json {
		fmt.Fprintf(cmd.OutOrStdout(), format+"\n", args...)
	}
}
