package adopt_test

import (
	"reflect"
	"testing"

	"github.com/cotenant/cotenant/adopt"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// A dry run says what the real one does, and writes nothing.
func TestDjangoTenants(t *testing.T) {
	t.Parallel()

	d := django(t, "django_tenants")
	before := d.all()
	dry := d.adopt(&adopt.Options{DryRun: true})
	d.same(d.all(), before)

	report := d.adopt(nil)
	dry.DryRun = false
	if !reflect.DeepEqual(report, dry) {
		t.Errorf("the dry run said\n%+v\nand it was\n%+v", dry, report)
	}
	want := []string{
		"left 1 Tenant-3: shop differs, and is nearest to 0003_supplier; + column shop_product.note text",
		"adopted 1 tenant1: shop 0003_supplier",
		"adopted 1 tenant2: shop 0002_stock (migrate will do the rest)",
	}
	d.same(groups(report), want)
	d.same(report.Columns, []string{"name", "paid_until", "on_trial"})
	d.same(report.ColumnsLeft, []string{"created_on"})
	if report.Adopted != 3 || report.Left != 1 || report.Refused+report.There+report.NewIDs+report.Rowless != 0 || report.KeptIDs != 3 || report.WWW != 1 || !report.Differ() {
		t.Errorf("%+v", report)
	}
	if n := report.Extra["table django_migrations"]; n != 3 {
		t.Errorf("%v", report.Extra)
	}
	d.same(d.registered(), []string{
		"1 public my-domain.com customers/0001_initial,customers/0002_registry",
		"2 tenant1 tenant.my-domain.com,fonzy.example shop/0001_initial,shop/0002_stock,shop/0003_supplier",
		"3 tenant2 bikes.example shop/0001_initial,shop/0002_stock",
	})
	d.same(d.rows("SELECT name, paid_until::text, on_trial FROM cotenant.tenants ORDER BY id"), []string{
		"Schemas Inc. 2016-12-05 false", "Fonzy Tenant 2014-12-05 true", "Bikes & Co. <nil> false",
	})

	// What differs is registered when that is asked for, and nothing else is touched.
	again := d.adopt(&adopt.Options{Differing: adopt.Record})
	if again.Adopted != 1 || again.There != 3 || again.Differ() {
		t.Errorf("%+v", again)
	}
	if err := d.tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.same(d.registered()[2:], []string{
		"3 tenant2 bikes.example shop/0001_initial,shop/0002_stock,shop/0003_supplier (ran)",
		"4 Tenant-3 three.my-domain.com shop/0001_initial,shop/0002_stock,shop/0003_supplier",
	})
	if last := d.adopt(nil); last.There != 4 || last.Adopted+last.Left+last.Refused != 0 || last.Differ() {
		t.Errorf("%+v", last)
	}

	// New tenants get ids behind those that were kept.
	made, err := d.tenancy.Registry().Create(t.Context(), registry.CreateParams{
		Schema: schema("tenant5"), Fields: map[string]any{"name": "Five"}, Domains: []tenant.Domain{tenant.MustParseDomain("five.example")},
	})
	if err != nil || made.ID <= 4 {
		t.Errorf("%+v, %v", made, err)
	}
}

func TestDjangoTenantSchemas(t *testing.T) {
	t.Parallel()

	d := django(t, "django_tenant_schemas")
	report := d.adopt(nil)
	if report.Source != "django-tenant-schemas: public.customers_client" || report.Adopted != 3 || report.Left != 1 {
		t.Errorf("%+v", report)
	}
	report = d.adopt(&adopt.Options{Differing: adopt.Record})
	if report.Adopted != 1 || report.There != 3 || report.Ports != 1 {
		t.Errorf("%+v", report)
	}
	d.same(d.registered(), []string{
		"1 public my-domain.com customers/0001_initial,customers/0002_registry",
		"2 tenant1 tenant.my-domain.com shop/0001_initial,shop/0002_stock,shop/0003_supplier",
		"3 tenant2 bikes.example shop/0001_initial,shop/0002_stock",
		"6 tenant3 localhost shop/0001_initial,shop/0002_stock,shop/0003_supplier",
	})
}

// Where public is in no state of the shared apps, nothing is registered.
func TestPublicDiffers(t *testing.T) {
	t.Parallel()

	d := django(t, "django_tenants")
	d.exec("ALTER TABLE public.customers_plan ADD COLUMN note text")
	before := d.all()
	report := d.adopt(nil)
	d.same(d.all(), before)
	if !report.PublicDiffers || report.Adopted != 0 || report.Left != 4 || report.Public[0].Differences[0].String() != "+ column customers_plan.note text" {
		t.Errorf("%+v", report)
	}
	if report = d.adopt(&adopt.Options{Differing: adopt.Record}); report.Adopted != 4 {
		t.Errorf("%+v", report)
	}
}

// A part of the tenants can go first.
func TestOnly(t *testing.T) {
	t.Parallel()

	d := django(t, "django_tenants")
	report := d.adopt(&adopt.Options{Only: []string{"*2"}})
	if report.Adopted != 2 || report.Left != 0 {
		t.Errorf("%+v", report)
	}
	d.same(d.rows("SELECT schema_name FROM cotenant.tenants ORDER BY id"), []string{"public", "tenant2"})
}
