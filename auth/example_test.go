package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/auth"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// Two tenants have a user of the same name, who are two people.
func Example() {
	ctx := context.Background()
	url, done := testdb.Example() // in a program: os.Getenv("DATABASE_URL")
	defer done()
	tenancy, err := cotenant.Open(ctx, &cotenant.Config{DatabaseURL: url, TenantApps: []migrate.App{auth.App()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenancy.Close()
	if err := tenancy.Migrate(ctx); err != nil {
		fmt.Println(err)
		return
	}
	users, err := auth.New(tenancy.DB(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"acme", "globex"} {
		t, err := tenancy.Registry().Create(ctx, registry.CreateParams{Schema: tenant.MustParseSchema(name)})
		if err != nil {
			fmt.Println(err)
			return
		}
		ctx := tenant.NewContext(ctx, t) // in a handler: r.Context()
		_, err = users.Create(ctx, auth.CreateParams{Username: "admin", Password: "the garden of " + name, Staff: true, Superuser: true})
		if err != nil {
			fmt.Println(err)
			return
		}
		u, err := users.Authenticate(ctx, auth.Credentials{
			Address: netip.MustParseAddr("192.0.2.1"), Username: "Admin", Password: "the garden of acme",
		})
		switch {
		case errors.Is(err, auth.ErrCredentials):
			fmt.Println(name, err)
		case err == nil:
			may, _ := users.HasPermission(ctx, u, "shop.change_order")
			fmt.Println(name, u.Username, may)
		}
	}
	_, err = users.ByUsername(ctx, "admin")
	fmt.Println(errors.Is(err, tenant.ErrNoTenant))
	// Output:
	// acme admin true
	// globex the user name or the password is wrong
	// true
}
