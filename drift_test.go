package cotenant_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cotenant/cotenant/drift"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// A fresh build that waits for somebody else's lock is given up after its attempts, and
// done when the lock is free.
func TestDriftWaitsForLocksAsLongAsIsSaid(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	tenancy := open(t, address, keyToShared(), []string{"base"}, []string{"shop"}, lockTimeout(20*time.Millisecond))
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("acme")}); err != nil {
		t.Fatal(err)
	}
	tx := insertInto(t, address, "public.plans")
	_, err := tenancy.Drift(t.Context(), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "a fresh build, to compare with: ") || !strings.Contains(err.Error(), "lock timeout") {
		t.Errorf("while the table is locked: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := tenancy.Drift(t.Context(), nil, &drift.Options{Access: true, ColumnOrder: true, Comments: true})
	if err != nil || report.Same != 1 || report.Drifted() {
		t.Errorf("%+v, %v", report, err)
	}
}

// public is compared with the shared apps, alone, and without the extensions in it.
func TestDriftShared(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	apps := fstest.MapFS{
		"base/schema.sql": file("CREATE TABLE public.plans (id int PRIMARY KEY); CREATE VIEW public.few AS SELECT * FROM public.plans"),
		"shop/schema.sql": file("CREATE TABLE a (id int)"),
	}
	tenancy := open(t, address, apps, []string{"base"}, []string{"shop"})
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := tenancy.Drift(t.Context(), &migrate.Selection{Shared: true}, nil)
	if err != nil || report.Same != 1 || report.Drifted() {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := tenancy.Direct().Exec(tenant.Public(t.Context()), "ALTER TABLE plans ADD COLUMN name text"); err != nil {
		t.Fatal(err)
	}
	report, err = tenancy.Drift(t.Context(), &migrate.Selection{Shared: true}, nil)
	if err != nil || report.Differ != 1 || report.Groups[0].Differences[0].String() != "+ column plans.name text" {
		t.Errorf("%+v, %v", report, err)
	}
	for want, c := range map[string]struct {
		selection migrate.Selection
		options   drift.Options
	}{
		"drift: schema public is compared alone (select it with Shared": {migrate.Selection{Schemas: []string{"public", "acme"}}, drift.Options{}},
		"drift: schema public has no like":                              {migrate.Selection{Shared: true}, drift.Options{Majority: true}},
		"shared and schema exclude each other":                          {migrate.Selection{Shared: true, Schemas: []string{"acme"}}, drift.Options{}},
	} {
		if _, err := tenancy.Drift(t.Context(), &c.selection, &c.options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

// Columns that a shared app adds to the registry do not keep public from being compared.
func TestDriftSharedWithRegistry(t *testing.T) {
	t.Parallel()

	apps := fstest.MapFS{"base/migrations/0001_initial.sql": file("CREATE TABLE plans (id int PRIMARY KEY); ALTER TABLE cotenant.tenants ADD COLUMN plan int REFERENCES plans")}
	tenancy := open(t, testdb.New(t), apps, []string{"base"}, nil)
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := tenancy.Drift(t.Context(), &migrate.Selection{Shared: true}, nil)
	if err != nil || report.Same != 1 || report.Drifted() {
		t.Errorf("%+v, %v", report, err)
	}
}
