package sqlc_test

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/examples/libraries/sqlc/db"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

//go:embed apps
var apps embed.FS

// Example runs generated queries for two tenants.
func Example() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// tenant "acme" took order 1: {ID:1 ProductID:1 Quantity:2 Status:open}
	// four more: not enough in stock
	// tenant "acme" has [{ID:1 Name:hammer of acme Stock:3}], orders [{ID:1 Name:hammer of acme Quantity:2 Status:open}]
	// tenant "globex" has [{ID:1 Name:hammer of globex Stock:5}], orders []
	// nobody: no tenant in the context (use tenant.NewContext, or tenant.Public for the shared tables)
}

// order takes an order, if there is enough in stock.
func order(ctx context.Context, database *pgxtenant.DB, product int64, quantity int32) (taken db.Order, err error) {
	err = database.BeginFunc(ctx, func(tx pgx.Tx) error {
		queries := db.New(tx)
		left, err := queries.TakeFromStock(ctx, db.TakeFromStockParams{ID: product, Quantity: quantity})
		if err != nil {
			return err
		}
		if left < 0 {
			return errors.New("not enough in stock")
		}
		taken, err = queries.AddOrder(ctx, db.AddOrderParams{ProductID: product, Quantity: quantity})
		return err
	})
	return taken, err
}

func run(ctx context.Context) error {
	tenancy, err := cotenant.Open(ctx, &cotenant.Config{
		DatabaseURL: os.Getenv("DATABASE_URL"),
		DB:          &pgxtenant.Config{Types: []string{"order_status"}}, // so that pgx knows arrays of it
		TenantApps:  migrate.Dirs(apps, "apps/shop"),
	})
	if err != nil {
		return err
	}
	defer tenancy.Close()
	if err := tenancy.Migrate(ctx); err != nil {
		return err
	}
	for _, name := range []string{"acme", "globex"} {
		created, err := tenancy.Registry().Create(ctx, registry.CreateParams{Schema: tenant.MustParseSchema(name)})
		if err != nil {
			return err
		}
		ctx := tenant.NewContext(ctx, created) // what the middleware does for a request
		if _, err := db.New(tenancy.DB()).AddProducts(ctx, []db.AddProductsParams{{Name: "hammer of " + name, Stock: 5}}); err != nil {
			return err
		}
	}

	acme, err := tenancy.Registry().BySchema(ctx, tenant.MustParseSchema("acme"))
	if err != nil {
		return err
	}
	taken, err := order(tenant.NewContext(ctx, acme), tenancy.DB(), 1, 2)
	if err != nil {
		return err
	}
	fmt.Printf("%v took order %d: %+v\n", acme, taken.ID, taken)
	_, err = order(tenant.NewContext(ctx, acme), tenancy.DB(), 1, 4)
	fmt.Println("four more:", err)

	for each, err := range tenancy.Registry().All(ctx) {
		if err != nil {
			return err
		}
		if err := show(tenant.NewContext(ctx, each), each, db.New(tenancy.DB())); err != nil {
			return err
		}
	}
	_, err = db.New(tenancy.DB()).ListProducts(ctx)
	fmt.Println("nobody:", err)
	return nil
}

// show prints what one tenant has.
func show(ctx context.Context, t *tenant.Tenant, queries *db.Queries) error {
	products, err := queries.ListProducts(ctx)
	if err != nil {
		return err
	}
	orders, err := queries.ListOrders(ctx, []db.OrderStatus{db.OrderStatusOpen})
	if err != nil {
		return err
	}
	fmt.Printf("%v has %+v, orders %+v\n", t, products, orders)
	return nil
}
