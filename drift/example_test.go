package drift_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/drift"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// Tenancy.Drift is Find over the tenants of a tenancy and its apps.
func Example() {
	ctx := context.Background()
	url, done := testdb.Example() // in a program: os.Getenv("DATABASE_URL")
	defer done()
	apps := fstest.MapFS{"shop/schema.sql": {Data: []byte("CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10,2)); CREATE INDEX ON orders (total)")}}
	tenancy, err := cotenant.Open(ctx, &cotenant.Config{DatabaseURL: url, TenantApps: migrate.Dirs(apps, "shop")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenancy.Close()
	if err := tenancy.Migrate(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"acme", "globex", "initech"} {
		if _, err := tenancy.Registry().Create(ctx, registry.CreateParams{Schema: tenant.MustParseSchema(name)}); err != nil {
			fmt.Println(err)
			return
		}
	}

	// Somebody helps a customer.
	_, err = tenancy.Direct().Exec(tenant.Public(ctx), `ALTER TABLE globex.orders ALTER total TYPE numeric(12,2);
		DROP INDEX globex.orders_total_idx; CREATE TABLE globex.orders_old (LIKE globex.orders)`)
	if err != nil {
		fmt.Println(err)
		return
	}

	report, err := tenancy.Drift(ctx, nil, &drift.Options{Repair: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Same, "as", report.Reference)
	for _, group := range report.Groups {
		fmt.Println(group.Schemas)
		for _, difference := range group.Differences {
			fmt.Println(difference)
		}
		fmt.Print(group.Repair) // group.Script() runs it
	}
	// Output:
	// 2 as a fresh build
	// [globex]
	// ~ column orders.total: numeric(10,2) → numeric(12,2)
	// - index orders_total_idx ON orders USING btree (total)
	// + table orders_old (and 2 objects of it)
	// CREATE INDEX orders_total_idx ON orders USING btree (total);
}
