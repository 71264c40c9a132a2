package migrate_test

import (
	"errors"
	"testing"

	"github.com/cotenant/cotenant/migrate"
)

// More digests than there are plans remembered: what cannot be planned ends the run before
// a tenant's schema is touched all the same.
func TestManyDigests(t *testing.T) {
	t.Parallel()

	if testing.Short() {
		t.Skip("it makes 1,010 schemas")
	}
	s := newShops(t, 1010)
	execute(t, s.conn, `DO $$ BEGIN FOR i IN 1..1010 LOOP EXECUTE format('INSERT INTO s%s.cotenant_migrations VALUES (%L, %L, %L)', i, 'old' || i, '1_x', 'x'); END LOOP; END $$`)
	execute(t, s.conn, "INSERT INTO s1.cotenant_migrations VALUES ('shop', '0099_newer', 'x'); DELETE FROM cotenant.schema_versions WHERE tenant_id > 0")
	fleet := newFleet(t, withConfig(t, shopConfig(2)), s.url)
	report, err := fleet.Migrate(t.Context(), nil)
	if report != nil || !errors.Is(err, migrate.ErrNewer) {
		t.Errorf("Migrate: %v, %v", report, err)
	}
	has(t, err, `schema "s1"`, "no tenant's schema was touched")
	if got := column(t, s.conn, "SELECT relname::text FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid WHERE attname = 'c2'"); len(got) != 0 {
		t.Errorf("touched: %d", len(got))
	}
	plan, err := fleet.Plan(t.Context(), nil)
	if err != nil || len(plan.Retired) != 100 || len(plan.Groups) != 3 {
		t.Errorf("Plan: %d groups, %d apps that are on no list, %v", len(plan.Groups), len(plan.Retired), err)
	}
}
