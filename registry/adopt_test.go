package registry_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// A schema that is there becomes a tenant, with what else the caller does, or nothing of it.
func TestAdopt(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, "ALTER TABLE cotenant.tenants ADD COLUMN name text")
	f.exec(t, "CREATE SCHEMA acme")
	f.exec(t, "CREATE SCHEMA beta")
	if err := f.ReserveIDs(t.Context(), 20); err != nil {
		t.Fatal(err)
	}
	none := func(context.Context, pgx.Tx, *tenant.Tenant) error { return nil }
	host := tenant.MustParseDomain("acme.example")
	acme, err := f.Adopt(t.Context(), registry.AdoptParams{
		Schema: tenant.MustParseSchema("acme"), ID: 7, Fields: map[string]any{"name": "Acme"}, Domains: []tenant.Domain{host},
	}, none)
	if err != nil || acme.ID != 7 || acme.Fields.Get("name") != "Acme" {
		t.Fatalf("%+v, %v", acme, err)
	}
	if found, err := f.ByDomain(t.Context(), host); err != nil || found.ID != 7 {
		t.Errorf("%+v, %v", found, err)
	}
	beta := registry.AdoptParams{Schema: tenant.MustParseSchema("beta")}
	failed := errors.New("no")
	for _, tt := range []struct {
		params registry.AdoptParams
		record func(context.Context, pgx.Tx, *tenant.Tenant) error
		want   error
	}{
		{registry.AdoptParams{Schema: tenant.MustParseSchema("ACME")}, none, tenant.ErrSchemaNotFound},
		{registry.AdoptParams{Schema: acme.Schema}, none, tenant.ErrSchemaTaken},
		{registry.AdoptParams{Schema: beta.Schema, Domains: []tenant.Domain{host}}, none, tenant.ErrDomainTaken},
		{registry.AdoptParams{}, none, tenant.ErrInvalidSchema},
		{beta, func(context.Context, pgx.Tx, *tenant.Tenant) error { return failed }, failed},
	} {
		if _, err := f.Adopt(t.Context(), tt.params, tt.record); !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v; want %v", tt.params, err, tt.want)
		}
	}
	if _, err := f.Adopt(t.Context(), registry.AdoptParams{Schema: beta.Schema, ID: 7}, none); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("an id that is taken: %v", err)
	}
	if _, err := f.BySchema(t.Context(), beta.Schema); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("something is left: %v", err)
	}
	if now, err := f.Adopt(t.Context(), beta, none); err != nil || now.ID <= 20 {
		t.Errorf("%+v, %v", now, err)
	}
	taken, err := f.Taken(t.Context(), []string{"Acme", "other"}, []tenant.Domain{host}, []int64{5})
	if err != nil || len(taken.Tenants) != 1 || taken.Tenants["acme"].Schema != "acme" || taken.Tenants["acme"].ID != 7 || !slices.Equal(taken.Tenants["acme"].Domains, []string{host.String()}) || taken.Domains[host.String()] != "acme" || taken.IDs[5] {
		t.Errorf("%+v, %v", taken, err)
	}
}
