package manage

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/tenant"
)

func (p *program) addDomainCommand(use string) *cobra.Command {
	var f tenantFlags
	var primary bool
	cmd := &cobra.Command{
		Use:     use,
		Short:   "Have a host name lead to a tenant",
		Long:    "Add has a host name, without port and www, lead to a tenant. Running programs see that at once.",
		Example: fmt.Sprintf("  %[1]s domain add acme acme.org\n  %[1]s domain add acme acme.org --primary   in place of the one that is", p.config.name()),
		Args:    exactly("the schema of a tenant", "a domain"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withTenancy(cmd, &f, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
				domain, err := parseDomain(args[1])
				if err != nil {
					return err
				}
				t, err := tenantOf(ctx, tenancy, args[0])
				if err != nil {
					return err
				}
				if err := tenancy.Registry().AddDomain(ctx, t, domain, primary); err != nil {
					return err
				}
				return f.told(cmd, tenancy, t, "has "+domain.String())
			})
		},
	}
	what := newGroup("What is done")
	what.flags.BoolVar(&primary, "primary", false, "make it the tenant's primary domain")
	addGroups(cmd, "", what, f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	p.completeSchemas(cmd, &f.databaseFlags, 1)
	return cmd
}

func (p *program) removeDomainCommand(use string) *cobra.Command {
	var f tenantFlags
	cmd := &cobra.Command{
		Use:     use,
		Short:   "Have a host name lead nowhere",
		Long:    "Remove has a host name lead to no tenant. Running programs see that at once.",
		Example: fmt.Sprintf("  %s domain remove acme.org", p.config.name()),
		Args:    exactly("a domain"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withTenancy(cmd, &f, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
				domain, err := parseDomain(args[0])
				if err != nil {
					return err
				}
				t, err := tenancy.Registry().ByDomain(ctx, domain)
				if errors.Is(err, tenant.ErrTenantNotFound) {
					return fmt.Errorf("domain %q leads to no tenant", domain)
				}
				if err != nil {
					return err
				}
				if err := tenancy.Registry().RemoveDomain(ctx, t, domain); err != nil {
					return err
				}
				return f.told(cmd, tenancy, t, "no longer has "+domain.String())
			})
		},
	}
	addGroups(cmd, "", f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	return cmd
}

// exactly takes as many arguments as there are descriptions of them.
func exactly(what ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		for i, arg := range args {
			if arg == "" {
				return fmt.Errorf("argument %d is empty", i+1)
			}
		}
		if len(args) == len(what) {
			return nil
		}
		text := what[0]
		if len(what) > 1 {
			text += " and " + what[1]
		}
		return fmt.Errorf("there are %d arguments (give it %s)", len(args), text)
	}
}

func parseSchema(name string) (tenant.Schema, error) {
	schema, err := tenant.ParseSchema(name)
	if err != nil {
		return schema, usagef("%v", err)
	}
	return schema, nil
}

func parseDomain(text string) (tenant.Domain, error) {
	domain, err := tenant.ParseDomain(text)
	if err != nil {
		return domain, usagef("%v", err)
	}
	return domain, nil
}
