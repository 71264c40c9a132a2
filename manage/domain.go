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
	f := tenantFlags{databaseFlags: databaseFlags{noApps: true}}
	var primary, quietly bool
	schema, host := &operand{what: "the schema of a tenant", flag: "schema"}, &operand{what: "a domain", flag: "domain-domain"}
	about := operands{schema, host}
	cmd := &cobra.Command{
		Use:     use,
		Short:   "Have a host name lead to a tenant",
		Long:    "Add has a host name, without port and www, lead to a tenant. Running programs see that at once.",
		Example: fmt.Sprintf("  %[1]s domain add acme acme.org\n  %[1]s domain add acme acme.org --primary   in place of the one that is", p.config.name()),
		Args:    about.take,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenancy(cmd, &f, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
				domain, err := parseDomain(host.value)
				if err != nil {
					return err
				}
				t, err := tenantOf(ctx, tenancy, schema.value)
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
	what.flags.BoolVar(&primary, "domain-is-primary", false, "the same")
	what.flags.BoolVar(&quietly, "noinput", false, "it asks nothing")
	about.add(what)
	addGroups(cmd, "", what, f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	p.completeSchemas(cmd, &f.databaseFlags, 1)
	return cmd
}

func (p *program) removeDomainCommand(use string) *cobra.Command {
	f := tenantFlags{databaseFlags: databaseFlags{noApps: true}}
	var quietly bool
	host := &operand{what: "a domain", flag: "domain-domain"}
	about := operands{host}
	cmd := &cobra.Command{
		Use:     use,
		Short:   "Have a host name lead nowhere",
		Long:    "Remove has a host name lead to no tenant. Running programs see that at once.",
		Example: fmt.Sprintf("  %s domain remove acme.org", p.config.name()),
		Args:    about.take,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenancy(cmd, &f, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
				domain, err := parseDomain(host.value)
				if err != nil {
					return err
				}
				t, err := tenancy.Registry().ByDomain(ctx, domain)
				if errors.Is(err, tenant.ErrTenantNotFound) {
					return noDomain(ctx, tenancy, domain)
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
	what := newGroup("What is done")
	what.flags.BoolVar(&quietly, "noinput", false, "it asks nothing")
	about.add(what)
	addGroups(cmd, "", what, f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	p.completeDomains(cmd, &f.databaseFlags)
	return cmd
}

// noDomain says that a domain leads to no tenant, and which was meant.
func noDomain(ctx context.Context, tenancy *cotenant.Tenancy, domain tenant.Domain) error {
	var tenants []*tenant.Tenant
	for t, err := range tenancy.Registry().All(ctx) {
		if err == nil { // it is not about other rows
			tenants = append(tenants, t)
		}
	}
	domains, err := tenancy.Registry().DomainsOf(ctx, tenants...)
	if err != nil {
		return err
	}
	var names []string
	for _, t := range tenants {
		for _, d := range domains[t.ID] {
			names = append(names, d.String())
		}
	}
	return fmt.Errorf("domain %q leads to no tenant%s", domain, didYouMeanOf(domain.String(), names, "no domain does"))
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
