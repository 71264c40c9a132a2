package adopt_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/adopt"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
)

// Tenancy.Adopt is Run over the apps of a tenancy. Here the other system has no table of its
// tenants, and one of the schemas is behind.
func Example() {
	ctx := context.Background()
	url, done := testdb.Example() // in a program: os.Getenv("DATABASE_URL")
	defer done()
	if err := makeSchemas(ctx, url); err != nil {
		fmt.Println(err)
		return
	}
	apps := fstest.MapFS{
		"shop/migrations/0001_initial.sql": {Data: []byte("CREATE TABLE orders (id bigint PRIMARY KEY)")},
		"shop/migrations/0002_note.sql":    {Data: []byte("ALTER TABLE orders ADD COLUMN note text")},
	}
	tenancy, err := cotenant.Open(ctx, &cotenant.Config{DatabaseURL: url, TenantApps: migrate.Dirs(apps, "shop")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenancy.Close()

	report, err := tenancy.Adopt(ctx, &adopt.Options{
		Source: adopt.Source{Schemas: []string{"tenant_*"}, DomainPattern: "{schema}.example.com"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, g := range report.Groups {
		fmt.Println(g.Outcome, g.Schemas, g.States)
	}
	if err := tenancy.Migrate(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("ready:", tenancy.Ready(ctx) == nil)
	// Output:
	// adopted [tenant_a] [shop 0002_note]
	// adopted [tenant_b] [shop 0001_initial (migrate will do the rest)]
	// ready: true
}

// makeSchemas is the other system.
func makeSchemas(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `CREATE SCHEMA tenant_a; CREATE TABLE tenant_a.orders (id bigint PRIMARY KEY, note text);
		CREATE SCHEMA tenant_b; CREATE TABLE tenant_b.orders (id bigint PRIMARY KEY)`, pgx.QueryExecModeSimpleProtocol)
	return err
}
