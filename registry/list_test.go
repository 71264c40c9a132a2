package registry_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// The list is read in pages, and holds no connection while the caller works.
func TestAll(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, "INSERT INTO cotenant.tenants (id, schema_name) SELECT i, 't' || i FROM generate_series(-3, 1201) AS i")
	before := f.queries.n.Load()
	next := int64(-3)
	for each, err := range f.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if each.ID != next || each.Schema.String() != fmt.Sprintf("t%d", next) {
			t.Fatalf("tenant %d, schema %s; want %d", each.ID, each.Schema, next)
		}
		if n := f.pool.Stat().AcquiredConns(); n != 0 {
			t.Fatalf("%d connections held in the loop", n)
		}
		next++
	}
	if next != 1202 {
		t.Errorf("the list ended before %d", next)
	}
	if n := f.queries.n.Load() - before; n != 3 {
		t.Errorf("%d queries, want 3 pages", n)
	}
	for range f.All(t.Context()) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for each, err := range f.All(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("All with a cancelled context: %v, %v", each, err)
		}
	}
}

// A row that is no good does not hide the others, and the tables' own constraints
// keep such rows out.
func TestBadRows(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.create(t, "a")
	for _, sql := range []string{
		"INSERT INTO cotenant.tenants (schema_name) VALUES ('Bad Name')",
		"INSERT INTO cotenant.tenants (schema_name) VALUES ('pg_x')",
		"INSERT INTO cotenant.tenants (schema_name) VALUES ('CoTenant')",
		"INSERT INTO cotenant.tenants (schema_name) VALUES ('Public')",
		"INSERT INTO cotenant.tenants (schema_name) VALUES (repeat('x', 64))",
		"INSERT INTO cotenant.domains (domain, tenant_id) VALUES ('Shop.example.com', 1)",
		"INSERT INTO cotenant.domains (domain, tenant_id) VALUES ('www.example.com', 1)",
	} {
		if _, err := f.pool.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "23514") {
			t.Errorf("%s: %v; want a violated check", sql, err)
		}
	}
	f.exec(t, "ALTER TABLE cotenant.tenants DROP CONSTRAINT cotenant_schema_name_check; INSERT INTO cotenant.tenants (schema_name) VALUES ('Bad Name')")
	f.create(t, "b")
	var seen []string
	for each, err := range f.All(t.Context()) {
		if err != nil {
			if bad, ok := errors.AsType[*registry.RowError](err); !ok || bad.Schema != "Bad Name" || bad.Column != "schema_name" || bad.ID == 0 {
				t.Errorf("All: %#v", err)
			}
			if !errors.Is(err, tenant.ErrInvalidSchema) || !strings.Contains(err.Error(), "tenants: id ") {
				t.Errorf("All: %v", err)
			}
			seen = append(seen, "bad")
			continue
		}
		seen = append(seen, each.Schema.String())
	}
	if fmt.Sprint(seen) != "[a bad b]" {
		t.Errorf("All = %v", seen)
	}
}

// What is odd in a row, or in a domain, keeps nobody from the tenant, nor it from being
// deleted.
func TestOddValues(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, "ALTER TABLE cotenant.tenants ADD COLUMN paid_until timestamptz; ALTER TABLE cotenant.domains DROP CONSTRAINT cotenant_domain_check")
	for _, odd := range []string{"created_at = 'infinity'", "created_at = '-infinity'", "paid_until = 'infinity'"} {
		acme := f.create(t, "acme")
		f.exec(t, "UPDATE cotenant.tenants SET "+odd+"; INSERT INTO cotenant.domains SELECT unnest(ARRAY['www.Odd.com', 'a b']), id FROM cotenant.tenants")
		found, err := f.ByID(t.Context(), acme.ID)
		if err != nil {
			t.Errorf("%s: %v", odd, err)
			f.exec(t, "DELETE FROM cotenant.tenants; DROP SCHEMA acme")
			continue
		}
		if strings.HasPrefix(odd, "created_at") != found.CreatedAt.IsZero() {
			t.Errorf("%s: created at %v", odd, found.CreatedAt)
		}
		if domains, err := f.Domains(t.Context(), acme); fmt.Sprint(domains) != "[acme.example.com]" || !errors.Is(err, tenant.ErrInvalidDomain) || !strings.Contains(err.Error(), `"www.Odd.com"`) || !strings.Contains(err.Error(), `"a b"`) {
			t.Errorf("Domains = %v, %v", domains, err)
		}
		if err := f.Delete(t.Context(), acme, &registry.DeleteParams{DropSchema: true}); err != nil {
			t.Errorf("%s: %v", odd, err)
			return
		}
		f.exec(t, "DELETE FROM cotenant.resting_names")
	}
	if got := f.text(t, everything); got != "0 tenants 0 domains 0 schemas" {
		t.Errorf("in the end: %s", got)
	}
}
