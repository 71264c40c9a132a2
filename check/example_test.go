package check_test

import (
	"context"
	"fmt"
	"log"
	"testing/fstest"

	"github.com/cotenant/cotenant/check"
	"github.com/cotenant/cotenant/migrate"
)

func Example() {
	apps := fstest.MapFS{ // or an embed.FS
		"shop/migrations/0001_initial.sql": {Data: []byte(`CREATE TABLE items (id bigint PRIMARY KEY, name text);
CREATE INDEX items_name_idx ON items (name);`)},
		"shop/migrations/0002_prices.sql": {Data: []byte(`ALTER TABLE items ADD COLUMN price integer NOT NULL DEFAULT 0;
CREATE INDEX items_price_idx ON items (price);`)},
	}
	report, err := check.Run(context.Background(), &check.Config{
		Migrate: &migrate.Config{TenantApps: migrate.Dirs(apps, "shop")},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range report.Findings {
		fmt.Println(f)
		fmt.Println("because", f.Reason)
	}
	fmt.Println("failed:", report.Failed(false))
	// Output:
	// shop/migrations/0002_prices.sql:2: error: index-blocks-writes: index "items_price_idx" on "items" is built while nobody can write to the table
	// because nobody can write to the table until the index is built
	// failed: true
}
