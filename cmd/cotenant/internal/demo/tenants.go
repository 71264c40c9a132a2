package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// client is a tenant of the demo and what it sells.
type client struct {
	schema, domain, name string
	onTrial              bool
	products             []product
}

type product struct {
	name, price string
	currency    string
	stock       int
}

// clients are the tenants of the demo, public first: it serves the main site.
func clients() []client {
	return []client{
		{schema: "public", domain: "localhost", name: "Schemas Inc."},
		{schema: "tenant1", domain: "tenant1.localhost", name: "Fonzy Tenant", onTrial: true, products: []product{
			{"Leather jacket", "199.00", "USD", 3},
			{"Comb", "2.50", "USD", 120},
		}},
		{schema: "tenant2", domain: "tenant2.localhost", name: "Bikes & Co.", products: []product{
			{"Touring bike", "1249.00", "EUR", 5},
			{"Bell", "9.90", "EUR", 60},
			{"Patch kit", "4.20", "EUR", 200},
		}},
	}
}

// createTenants makes those of the demo's tenants that are not there from an
// earlier run, and fills the shops.
func createTenants(ctx context.Context, stdout io.Writer, tenancy *cotenant.Tenancy, port string) error {
	for _, c := range clients() {
		begun := time.Now()
		t, err := c.create(ctx, tenancy)
		switch {
		case errors.Is(err, tenant.ErrSchemaTaken):
			t, err = tenancy.Registry().BySchema(ctx, tenant.MustParseSchema(c.schema))
			if err != nil {
				return err
			}
			fmt.Fprintf(stdout, "tenant %q is there from an earlier run\n", c.schema)
		case err != nil:
			return err
		default:
			fmt.Fprintf(stdout, "tenant %q created in %d ms: http://%s\n", c.schema, time.Since(begun).Milliseconds(), net.JoinHostPort(c.domain, port))
		}
		if err := c.fill(tenant.NewContext(ctx, t), tenancy); err != nil {
			return err
		}
	}
	return nil
}

func (c client) create(ctx context.Context, tenancy *cotenant.Tenancy) (*tenant.Tenant, error) {
	return tenancy.Registry().Create(ctx, registry.CreateParams{
		Domains: []tenant.Domain{tenant.MustParseDomain(c.domain)},
		Fields:  map[string]any{"name": c.name, "on_trial": c.onTrial},
		Schema:  tenant.MustParseSchema(c.schema),
	})
}

// fill puts the products into the shop of the tenant in ctx, through the
// application's pool. Those that are there from an earlier run get their stock back.
func (c client) fill(ctx context.Context, tenancy *cotenant.Tenancy) error {
	for _, p := range c.products {
		_, err := tenancy.DB().Exec(ctx, "INSERT INTO products (name, price, currency, stock) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET stock = excluded.stock",
			p.name, p.price, p.currency, p.stock)
		if err != nil {
			return err
		}
	}
	return nil
}
