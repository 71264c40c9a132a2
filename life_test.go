package cotenant_test

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// A tenant's life with the engine: renamed, migrated, deleted, and another one under its
// name. Who still has the first one does not get to the other's rows.
func TestLifeOfTenant(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	role := testdb.RoleName(t, address)
	var deleted string
	fsys := fstest.MapFS{"shop/migrations/1_notes.sql": file("CREATE TABLE notes (text text)")}
	settings := func(c *cotenant.Config) {
		c.Migrate = &migrate.Config{MigratorRole: role}
		c.OnTenantDeleted = func(ctx context.Context, tx pgx.Tx, _ *tenant.Tenant) error {
			return tx.QueryRow(ctx, "SELECT string_agg(text, ' ') FROM notes").Scan(&deleted)
		}
	}
	tenancy := open(t, address, fsys, nil, []string{"shop"}, settings)
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := create(t, tenancy, "acme")
	write := func(of *tenant.Tenant, text string) error {
		_, err := tenancy.DB().Exec(tenant.NewContext(t.Context(), of), "INSERT INTO notes VALUES ($1)", text)
		return err
	}
	if err := write(first, "one"); err != nil {
		t.Fatal(err)
	}
	renamed, err := tenancy.Registry().Rename(t.Context(), first, tenant.MustParseSchema("initech"))
	if err != nil {
		t.Fatal(err)
	}
	if err := write(first, "lost"); !errors.Is(err, tenant.ErrSchemaNotFound) {
		t.Errorf("under the old name: %v", err)
	}
	fsys["shop/migrations/2_at.sql"] = file("ALTER TABLE notes ADD COLUMN at timestamptz DEFAULT now()")
	newer := open(t, address, fsys, nil, []string{"shop"}, settings)
	if err := newer.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := write(renamed, "two"); err != nil {
		t.Error(err)
	}
	if err := newer.Registry().Delete(t.Context(), renamed, &registry.DeleteParams{DropSchema: true}); err != nil || deleted != "one two" {
		t.Fatalf("Delete: %v, with %q", err, deleted)
	}
	if err := write(renamed, "lost"); !errors.Is(err, tenant.ErrSchemaNotFound) {
		t.Errorf("of a tenant that is deleted: %v", err)
	}
	again := registry.CreateParams{Schema: renamed.Schema}
	if _, err := newer.Registry().Create(t.Context(), again); !errors.Is(err, tenant.ErrSchemaTaken) {
		t.Errorf("another tenant under a name that programs can still be at work for: %v", err)
	}
	again.ReuseName = true
	second, err := newer.Registry().Create(t.Context(), again)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := newer.DB().QueryRow(tenant.NewContext(t.Context(), second), "SELECT count(*) FROM notes WHERE at IS NULL").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d notes, %v", n, err)
	}
	if err := newer.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}
