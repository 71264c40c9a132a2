package sqlc_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/examples/libraries/sqlc/db"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// What doc.go says of batches, copies, enums and arrays of them.
func TestWatch(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	open := func(types ...string) *cotenant.Tenancy {
		tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{
			DatabaseURL: address,
			DB:          &pgxtenant.Config{Types: types},
			TenantApps:  migrate.Dirs(apps, "apps/shop"),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(tenancy.Close)
		return tenancy
	}
	tenancy, without := open("order_status"), open()
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	paid := []db.OrderStatus{db.OrderStatusPaid}
	for _, name := range []string{"acme", "globex"} {
		created, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema(name)})
		if err != nil {
			t.Fatal(err)
		}
		ctx := tenant.NewContext(t.Context(), created)
		queries := db.New(tenancy.DB())
		if _, err := queries.AddProducts(ctx, []db.AddProductsParams{{Name: name, Stock: 5}, {Name: name, Stock: 7}}); err != nil {
			t.Fatal(err)
		}
		queries.Restock(ctx, []db.RestockParams{{ID: 1, Quantity: 10}, {ID: 2, Quantity: 10}}).QueryRow(func(i int, stock int32, err error) {
			if want := []int32{15, 17}[i]; err != nil || stock != want {
				t.Errorf("%s: product %d: %d in stock, %v; want %d", name, i+1, stock, err, want)
			}
		})
		for _, each := range []*cotenant.Tenancy{tenancy, without} {
			_, err = each.DB().CopyFrom(ctx, pgx.Identifier{"orders"}, []string{"product_id", "quantity", "status"},
				pgx.CopyFromRows([][]any{{1, 1, db.OrderStatusPaid}}))
			if err != nil {
				t.Errorf("%s: copy an enum: %v", name, err)
			}
		}
		orders, err := queries.ListOrders(ctx, paid)
		if err != nil || len(orders) != 2 || orders[0].Name != name || orders[0].Status != db.OrderStatusPaid {
			t.Errorf("%s: orders %+v, %v; want the two that were copied", name, orders, err)
		}
		if _, err := db.New(without.DB()).ListOrders(ctx, paid); err == nil || !strings.Contains(err.Error(), "unknown type") {
			t.Errorf("%s: an array of enums without Types: %v; want it refused", name, err)
		}
	}
}
