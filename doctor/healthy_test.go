package doctor_test

import (
	"log/slog"
	"testing"

	"github.com/cotenant/cotenant/doctor"
	"github.com/cotenant/cotenant/examples/shop"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// A tenancy that was just made has nothing that is broken or will hurt.
func TestHealthy(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme", "Big-Co", "globex")
	report := c.examine(t)
	for _, f := range report.Findings {
		if f.Severity != doctor.Note {
			t.Error(text(f))
		} else {
			t.Log(text(f))
		}
	}
	if report.Tenants != 3 || report.Checks != len(doctor.Checks()) {
		t.Errorf("%d tenants and %d checks, want 3 and %d", report.Tenants, report.Checks, len(doctor.Checks()))
	}
}

// So has the shop that the command demo makes.
func TestDemoIsHealthy(t *testing.T) {
	t.Parallel()
	tenancy, err := shop.Open(t.Context(), testdb.New(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer tenancy.Close()
	for _, name := range []string{"public", "tenant1", "tenant2"} {
		_, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{
			Schema: tenant.MustParseSchema(name), Domains: []tenant.Domain{tenant.MustParseDomain(name + ".localhost")}, Fields: map[string]any{"name": name},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	report, err := doctor.Examine(t.Context(), &doctor.Config{Connect: tenancy.Connect, DB: tenancy.DB(), Fleet: tenancy.Fleet(), MaxConns: tenancy.MaxConns()})
	if err != nil {
		t.Fatal(err)
	}
	nothingElse(t, report)
	if report.Tenants != 2 {
		t.Errorf("%d tenants", report.Tenants)
	}
	for _, f := range report.Findings {
		if f.Check != "timeouts" {
			t.Error(text(f))
		}
	}
}
