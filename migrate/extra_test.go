package migrate_test

import (
	"testing"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// Tenants' tables use what is in an extra schema, as the migrator role: at creation, by
// a migration, and by a sync of a schema that exists. One that is missing is no error.
func TestExtraSchemas(t *testing.T) {
	t.Parallel()

	for _, login := range logins() {
		t.Run(login, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t, login)
			execute(t, g.conn, "CREATE SCHEMA \"Extra\"; CREATE TYPE \"Extra\".colour AS ENUM ('red'); CREATE TABLE \"Extra\".units (id int PRIMARY KEY)")
			if login != "super" {
				execute(t, g.conn, `ALTER SCHEMA "Extra" OWNER TO `+g.name+`; ALTER TABLE "Extra".units OWNER TO `+g.name)
			}
			g.config.ExtraSchemas = []tenant.Schema{tenant.MustParseSchema("Extra"), tenant.MustParseSchema("missing")}
			g.tenants = append(g.tenants, "wiki")
			g.write("shop/migrations/1_a.sql", "CREATE TABLE a (c colour DEFAULT 'red', unit int REFERENCES units)",
				"wiki/schema.sql", "CREATE TABLE page (c colour DEFAULT 'red')")
			if report, err := g.run(t); err != nil || report.Unguarded != "" {
				t.Fatalf("%+v, %v", report, err)
			}
			g.create(t, "acme")
			g.write("shop/migrations/2_b.sql", "CREATE TABLE b (c colour DEFAULT 'red', unit int REFERENCES units)",
				"wiki/schema.sql", "CREATE TABLE page (c colour DEFAULT 'red'); CREATE TABLE note (c colour DEFAULT 'red', unit int REFERENCES units)")
			report, err := g.fleetOver(t, g.login).Sync(t.Context(), &migrate.SyncOptions{Migrate: true})
			if err != nil || report.Unguarded != "" {
				t.Fatalf("%+v, %v", report, err)
			}
			g.is(t, "acme", "a b note page", "shop/1_a shop/2_b wiki/schema.sql")
			if got := column(t, g.conn, "SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname = 'acme'"); len(got) != 1 || got[0] != g.role {
				t.Errorf("owners: %q", got)
			}
		})
	}
}
