package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// Two tenants get a new migration; a third, whose data stands in its way, keeps what it
// has, and does not keep the others from it.
func ExampleFleet_Migrate() {
	ctx := context.Background()
	url, done := testdb.Example() // in a program: os.Getenv("DATABASE_URL")
	defer done()
	apps := files("shop/migrations/0001_initial.sql", "CREATE TABLE orders (number int)")
	if err := createShops(ctx, url, apps, "acme", "globex", "initech"); err != nil {
		fmt.Println(err)
		return
	}
	maps.Copy(apps, files("shop/migrations/0002_unique.sql", "ALTER TABLE orders ADD UNIQUE (number)"))
	tenancy, err := cotenant.Open(ctx, &cotenant.Config{DatabaseURL: url, TenantApps: migrate.Dirs(apps, "shop")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenancy.Close()
	if _, err := tenancy.DB().Exec(tenant.Public(ctx), "INSERT INTO initech.orders VALUES (1), (1)"); err != nil {
		fmt.Println(err)
		return
	}

	report, err := tenancy.Fleet().Migrate(ctx, &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Jobs: 2}})
	fmt.Println(err != nil, "-", report)
	for _, failure := range report.Failures {
		var refused *migrate.StatementError
		if errors.As(failure.Err, &refused) {
			fmt.Printf("%s: %s:%d: %s\n", failure.Schema, refused.File, refused.Line, refused.Statement)
		}
	}
	// Output:
	// true - 2 done, 1 failed, 0 untouched, 1 up to date
	// initech: shop/migrations/0002_unique.sql:1: ALTER TABLE orders ADD UNIQUE (number)
}

// A plan says what Migrate would do, in groups of schemas that need the same, and changes
// nothing.
func ExampleFleet_Plan() {
	ctx := context.Background()
	url, done := testdb.Example() // in a program: os.Getenv("DATABASE_URL")
	defer done()
	apps := files("shop/migrations/0001_initial.sql", "CREATE TABLE orders (number int)")
	if err := createShops(ctx, url, apps, "acme", "globex"); err != nil {
		fmt.Println(err)
		return
	}
	maps.Copy(apps, files("shop/migrations/0002_unique.sql", "ALTER TABLE orders ADD UNIQUE (number)"))
	tenancy, err := cotenant.Open(ctx, &cotenant.Config{DatabaseURL: url, TenantApps: migrate.Dirs(apps, "shop")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenancy.Close()

	plan, err := tenancy.Fleet().Plan(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, group := range plan.Groups {
		fmt.Println(group.Count, group.Schemas)
		for _, step := range group.Steps {
			fmt.Println(" ", step.Action, step.App, step.Name, step.SQL)
		}
	}
	fmt.Println("behind:", plan.Behind())
	// Output:
	// 1 [public]
	// 2 [acme globex]
	//   apply shop 0002_unique [ALTER TABLE orders ADD UNIQUE (number)]
	// behind: true
}

// createShops is the program as it was before: it has created tenants.
func createShops(ctx context.Context, url string, apps fs.FS, names ...string) error {
	tenancy, err := cotenant.Open(ctx, &cotenant.Config{DatabaseURL: url, TenantApps: migrate.Dirs(apps, "shop")})
	if err != nil {
		return err
	}
	defer tenancy.Close()
	if err := tenancy.Migrate(ctx); err != nil {
		return err
	}
	for _, name := range names {
		if _, err := tenancy.Registry().Create(ctx, registry.CreateParams{Schema: tenant.MustParseSchema(name)}); err != nil {
			return err
		}
	}
	return nil
}
