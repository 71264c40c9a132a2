package registry_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

func TestUpdate(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, "ALTER TABLE cotenant.tenants ADD COLUMN name text UNIQUE, ADD COLUMN paid_until date")
	acme, other := f.create(t, "acme"), f.create(t, "other")
	if _, err := f.BySchema(t.Context(), acme.Schema); err != nil { // into the cache
		t.Fatal(err)
	}
	updated, err := f.Update(t.Context(), acme, map[string]any{"name": "Acme", "paid_until": "2027-12-05"})
	if err != nil || updated.Fields.Get("name") != "Acme" {
		t.Fatalf("Update = %v, %v", updated, err)
	}
	if found, err := f.BySchema(t.Context(), acme.Schema); err != nil || found.Fields.Get("name") != "Acme" {
		t.Errorf("BySchema = %v, %v", found, err)
	}
	if updated, err = f.Update(t.Context(), acme, map[string]any{"paid_until": nil}); err != nil || updated.Fields.Get("paid_until") != nil || updated.Fields.Get("name") != "Acme" {
		t.Errorf("Update to NULL = %v, %v", updated, err)
	}
	for _, tt := range []struct {
		fields map[string]any
		want   string
	}{
		{nil, "no columns are given"},
		{map[string]any{"schema_name": "x"}, `column "schema_name" is cotenant's own`},
		{map[string]any{"nme": "x"}, `column "nme"`},
		{map[string]any{"paid_until": "soon"}, `"soon"`},
	} {
		if _, err := f.Update(t.Context(), acme, tt.fields); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Update(%v): %v, want %q", tt.fields, err, tt.want)
		}
	}
	if _, err := f.Update(t.Context(), other, map[string]any{"name": "Acme"}); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := f.Update(t.Context(), nil, map[string]any{"name": "x"}); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("Update of nil: %v", err)
	}
	if err := f.Delete(t.Context(), other, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Update(t.Context(), other, map[string]any{"name": "x"}); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("Update of a tenant that is gone: %v", err)
	}
}

func TestRename(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{Builder: builder("CREATE TABLE products (id int)")}, false)
	f.create(t, "other")
	f.exec(t, "CREATE SCHEMA nobodys")
	acme := f.create(t, "acme")
	if _, err := f.BySchema(t.Context(), acme.Schema); err != nil {
		t.Fatal(err)
	}
	renamed, err := f.Rename(t.Context(), acme, tenant.MustParseSchema("Initech"))
	if err != nil || renamed.Schema.String() != "Initech" || !renamed.Is(acme) {
		t.Fatalf("Rename = %v, %v", renamed, err)
	}
	if got := f.text(t, `SELECT count(*)::text FROM "Initech".products`); got != "0" {
		t.Errorf("products: %s", got)
	}
	if _, err := f.BySchema(t.Context(), acme.Schema); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("under the old name: %v", err)
	}
	if found, err := f.BySchema(t.Context(), renamed.Schema); err != nil || !found.Is(acme) {
		t.Errorf("under the new name: %v, %v", found, err)
	}
	if again, err := f.Rename(t.Context(), acme, tenant.MustParseSchema("initech")); err != nil || again.Schema.String() != "initech" {
		t.Errorf("in another case: %v, %v", again, err)
	}
	if _, err := f.Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("acme")}); !errors.Is(err, tenant.ErrSchemaTaken) {
		t.Errorf("Create under the old name: %v", err)
	}
	for _, name := range []string{"acme", "initech"} { // it may have its own back
		if _, err := f.Rename(t.Context(), acme, tenant.MustParseSchema(name)); err != nil {
			t.Errorf("Rename back to %s: %v", name, err)
		}
	}
	before := f.text(t, everything)
	for name, want := range map[string]error{"other": tenant.ErrSchemaTaken, "OTHER": tenant.ErrSchemaTaken, "Nobodys": tenant.ErrSchemaTaken, "public": tenant.ErrInvalidSchema} {
		if _, err := f.Rename(t.Context(), acme, tenant.MustParseSchema(name)); !errors.Is(err, want) {
			t.Errorf("Rename to %s: %v", name, err)
		}
	}
	if after := f.text(t, everything); after != before {
		t.Errorf("%s, want %s", after, before)
	}
	f.exec(t, "DROP SCHEMA initech CASCADE")
	if _, err := f.Rename(t.Context(), acme, tenant.MustParseSchema("new")); !errors.Is(err, tenant.ErrSchemaNotFound) {
		t.Errorf("Rename without a schema: %v", err)
	}
}

func TestDomains(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	acme, other := f.create(t, "acme"), f.create(t, "other")
	second := tenant.MustParseDomain("acme.org")
	if _, err := f.ByDomain(t.Context(), second); !errors.Is(err, tenant.ErrTenantNotFound) { // which is remembered
		t.Fatal(err)
	}
	domains := func(want string) {
		t.Helper()
		if got, err := f.Domains(t.Context(), acme); err != nil || fmt.Sprint(got) != want {
			t.Errorf("Domains = %v, %v, want %s", got, err, want)
		}
	}
	for _, step := range []struct {
		primary bool
		want    string
	}{{false, "[acme.example.com acme.org]"}, {false, "[acme.example.com acme.org]"}, {true, "[acme.org acme.example.com]"}, {false, "[acme.org acme.example.com]"}} {
		if err := f.AddDomain(t.Context(), acme, second, step.primary); err != nil {
			t.Fatal(err)
		}
		domains(step.want)
	}
	if found, err := f.ByDomain(t.Context(), second); err != nil || !found.Is(acme) {
		t.Errorf("ByDomain = %v, %v", found, err)
	}
	if err := f.AddDomain(t.Context(), other, second, true); !errors.Is(err, tenant.ErrDomainTaken) || !strings.Contains(err.Error(), `"acme"`) {
		t.Errorf("a domain of another tenant: %v", err)
	}
	if got := f.text(t, "SELECT string_agg(domain, ' ' ORDER BY domain) FROM cotenant.domains WHERE is_primary"); got != "acme.org other.example.com" {
		t.Errorf("primary: %s", got)
	}
	if err := f.RemoveDomain(t.Context(), other, second); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("remove another's domain: %v", err)
	}
	if err := f.RemoveDomain(t.Context(), acme, second); err == nil || !strings.Contains(err.Error(), "it is the primary one, and there are others") {
		t.Errorf("remove the primary one: %v", err)
	}
	if err := f.AddDomain(t.Context(), acme, tenant.MustParseDomain("acme.example.com"), true); err != nil {
		t.Fatal(err)
	}
	if err := f.RemoveDomain(t.Context(), acme, second); err != nil {
		t.Fatal(err)
	}
	domains("[acme.example.com]")
	if _, err := f.ByDomain(t.Context(), second); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("a domain that was removed: %v", err)
	}
	// Where none is primary any of them can go, and the next that is added becomes it.
	f.exec(t, "UPDATE cotenant.domains SET is_primary = false; INSERT INTO cotenant.domains SELECT unnest(ARRAY['a.org', 'b.org']), tenant_id FROM cotenant.domains WHERE domain = 'acme.example.com'")
	if err := f.RemoveDomain(t.Context(), acme, tenant.MustParseDomain("a.org")); err != nil {
		t.Errorf("remove one of those that are not primary: %v", err)
	}
	if err := f.AddDomain(t.Context(), acme, tenant.MustParseDomain("b.org"), false); err != nil {
		t.Error(err)
	}
	domains("[b.org acme.example.com]")
}

func TestColumns(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, `CREATE TYPE plan AS ENUM ('free', 'pro'); CREATE DOMAIN short AS varchar(10) DEFAULT 'x' NOT NULL;
		ALTER TABLE cotenant.tenants ADD COLUMN name text NOT NULL, ADD COLUMN plan plan NOT NULL DEFAULT 'free', ADD COLUMN "Tags" text[], ADD COLUMN gone int,
		ADD COLUMN price numeric(10,2) CHECK (price > 0), ADD COLUMN double text GENERATED ALWAYS AS (schema_name || 'x') STORED, ADD COLUMN code short;
		ALTER TABLE cotenant.tenants DROP COLUMN gone; COMMENT ON COLUMN cotenant.tenants.name IS 'of the customer'`)
	got, err := f.Columns(t.Context())
	want := []registry.Column{
		{Name: "status", Type: "text", Default: "'active'::text", Labels: []string{}},
		{Name: "name", Type: "text", Required: true, Comment: "of the customer", Labels: []string{}},
		{Name: "plan", Type: "plan", Default: "'free'::plan", Labels: []string{"free", "pro"}},
		{Name: "Tags", Type: "text[]", Labels: []string{}},
		{Name: "price", Type: "numeric(10,2)", Constraints: map[string]string{"tenants_price_check": "CHECK ((price > (0)::numeric))"}, Labels: []string{}},
		{Name: "code", Type: "short", Labels: []string{}},
	}
	for i := range want {
		want[i].Table = `"cotenant"."tenants"`
		if want[i].Constraints == nil {
			want[i].Constraints = map[string]string{}
		}
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Columns = %+v, %v", got, err)
	}
}

func TestCreateSchema(t *testing.T) {
	t.Parallel()

	var created, synced int
	f := newFixture(t, registry.Config{
		Builder:         builder("CREATE TABLE products (id int)"),
		OnTenantCreated: func(context.Context, pgx.Tx, *tenant.Tenant) error { created++; return nil },
		OnSchemaSynced:  func(context.Context, *tenant.Tenant) error { synced++; return nil },
	}, false)
	f.create(t, "public")
	f.create(t, "kept")
	gone := f.create(t, "gone")
	f.exec(t, "DROP SCHEMA gone CASCADE; INSERT INTO cotenant.tenants (schema_name) VALUES ('by-hand'); CREATE TABLE cotenant.schema_versions (tenant_id bigint PRIMARY KEY, namespace oid, digest text)")
	f.exec(t, fmt.Sprintf("INSERT INTO cotenant.schema_versions VALUES (%d, 1, 'x')", gone.ID))
	var made []string
	for each, err := range f.WithoutSchema(t.Context()) {
		if err == nil {
			err = f.CreateSchema(t.Context(), each)
		}
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, each.Schema.String())
	}
	if got := fmt.Sprint(made); got != "[gone by-hand]" || created != 5 || synced != 5 {
		t.Errorf("made %s; %d created, %d synced", got, created, synced)
	}
	if got := f.text(t, `SELECT concat_ws(' ', to_regclass('gone.products'), to_regclass('"by-hand".products'), (SELECT count(*) FROM cotenant.schema_versions))`); got != `gone.products "by-hand".products 0` {
		t.Errorf("there is %s", got)
	}
	for each, err := range f.WithoutSchema(t.Context()) {
		t.Errorf("still without a schema: %v, %v", each, err)
	}
	if err := f.CreateSchema(t.Context(), gone); !errors.Is(err, tenant.ErrSchemaTaken) {
		t.Errorf("CreateSchema again: %v", err)
	}
	// One that was renamed by hand is there.
	f.exec(t, fmt.Sprintf("INSERT INTO cotenant.schema_versions SELECT %d, 'gone'::regnamespace, 'x'", gone.ID))
	f.exec(t, "ALTER SCHEMA gone RENAME TO elsewhere")
	if err := f.CreateSchema(t.Context(), gone); !errors.Is(err, tenant.ErrSchemaTaken) || !strings.Contains(err.Error(), `ALTER SCHEMA "elsewhere" RENAME TO "gone"`) {
		t.Errorf("CreateSchema of one that was renamed: %v", err)
	}
}
