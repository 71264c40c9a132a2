package manage

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/tenant"
)

// chosen returns the tenant that is selected, or asks for it.
func (f *fanFlags) chosen(ctx context.Context, cmd *cobra.Command, tenancy *cotenant.Tenancy) (*tenant.Tenant, error) {
	switch len(f.selection.Schemas) {
	case 0:
	case 1:
		if _, err := parseSchema(f.selection.Schemas[0]); err != nil {
			return nil, err
		}
		return tenantOrPublic(ctx, tenancy, f.selection.Schemas[0])
	default:
		return nil, usagef("%d schemas are given (give one, or use %s run)", len(f.selection.Schemas), cmd.Root().Name())
	}
	ask := newPrompter(cmd)
	if ask == nil {
		return nil, usagef("no schema is given, and standard input is no terminal (add --schema=NAME)")
	}
	var t *tenant.Tenant
	_, err := ask.until("Schema of the tenant (? lists them): ", func(answer string) (err error) {
		switch answer {
		case "":
			return errors.New("name a schema")
		case "?":
			return schemasOf(ctx, tenancy)
		}
		t, err = tenantOrPublic(ctx, tenancy, answer)
		return err
	})
	return t, err
}

// tenantOrPublic is tenantOf, where public is also one that has no row.
func tenantOrPublic(ctx context.Context, tenancy *cotenant.Tenancy, name string) (*tenant.Tenant, error) {
	if name != tenant.PublicSchema().String() {
		return tenantOf(ctx, tenancy, name)
	}
	t, err := tenancy.Registry().BySchema(ctx, tenant.PublicSchema())
	if errors.Is(err, tenant.ErrTenantNotFound) {
		return &tenant.Tenant{Schema: tenant.PublicSchema()}, nil
	}
	return t, err
}

// schemasOf returns the schemas of the tenants as an error, to be shown: the first hundred.
func schemasOf(ctx context.Context, tenancy *cotenant.Tenancy) error {
	var names []string
	n := 0
	for t, err := range tenancy.Registry().All(ctx) {
		if err != nil {
			return err
		}
		if n++; len(names) < most {
			names = append(names, t.Schema.String())
		}
	}
	if n == 0 {
		return errors.New("there are no tenants (make one with tenant create)")
	}
	return errors.New(someNames(names, n, most))
}
