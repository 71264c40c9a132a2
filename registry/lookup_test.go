package registry_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// One query answers a burst of look-ups of one host, and none is needed after.
func TestLookupsAreCounted(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.create(t, "acme")
	r := f.open(t, registry.Config{}, false) // one whose cache is empty
	domain := tenant.MustParseDomain("acme.example.com")
	before := f.queries.n.Load()
	burst := func() {
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 1000 {
			wg.Go(func() {
				<-start
				if found, err := r.ByDomain(t.Context(), domain); err != nil || found.Schema.String() != "acme" {
					t.Errorf("ByDomain = %v, %v", found, err)
				}
			})
		}
		close(start)
		wg.Wait()
	}
	burst()
	if n := f.queries.n.Load() - before; n != 1 {
		t.Errorf("%d queries for the first burst, want 1", n)
	}
	burst()
	if n := f.queries.n.Load() - before; n != 1 {
		t.Errorf("%d queries after the second burst, want still 1", n)
	}
}

// A name that leads nowhere is asked for once in UnknownTTL.
func TestUnknownIsRemembered(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{UnknownTTL: time.Hour}, false)
	before := f.queries.n.Load()
	for range 10 {
		if _, err := f.ByDomain(t.Context(), tenant.MustParseDomain("nobody.example.com")); !errors.Is(err, tenant.ErrTenantNotFound) {
			t.Fatalf("ByDomain: %v", err)
		}
	}
	if n := f.queries.n.Load() - before; n != 1 {
		t.Errorf("%d queries, want 1", n)
	}

	r := f.open(t, registry.Config{UnknownTTL: time.Nanosecond}, false)
	before = f.queries.n.Load()
	for range 3 {
		_, _ = r.ByDomain(t.Context(), tenant.MustParseDomain("nobody.example.com"))
	}
	if n := f.queries.n.Load() - before; n != 3 {
		t.Errorf("%d queries after the memory has passed, want 3", n)
	}
}

// The time to live bounds how long a tenant is served from the cache.
func TestCacheTTL(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{CacheTTL: time.Nanosecond}, false)
	f.create(t, "acme")
	before := f.queries.n.Load()
	for range 3 {
		if _, err := f.ByDomain(t.Context(), tenant.MustParseDomain("acme.example.com")); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.queries.n.Load() - before; n != 3 {
		t.Errorf("%d queries, want 3", n)
	}
}

// A look-up that begins after a change does not get the answer of one that began
// before it, although that is still under way.
func TestLookupAfterAChange(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	// The look-ups read through a view that waits for a lock, and see the tables
	// as they were when they began.
	f.exec(t, `ALTER TABLE cotenant.domains RENAME TO real_domains;
		CREATE FUNCTION public.gate() RETURNS bool LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END$$;
		CREATE VIEW cotenant.domains AS SELECT d.* FROM public.gate() AS g, cotenant.real_domains AS d WHERE g`)
	gate, err := f.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = gate.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := gate.Exec(t.Context(), "SELECT pg_advisory_xact_lock(7)"); err != nil {
		t.Fatal(err)
	}
	lookup := func() <-chan error {
		result := make(chan error, 1)
		go func() {
			_, err := f.ByDomain(t.Context(), tenant.MustParseDomain("acme.example.com"))
			result <- err
		}()
		return result
	}
	first := lookup()
	f.await(t, "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
	f.exec(t, "INSERT INTO cotenant.tenants (schema_name) VALUES ('acme'); INSERT INTO cotenant.real_domains SELECT 'acme.example.com', id, true FROM cotenant.tenants")
	f.Forget("domain acme.example.com")
	second := lookup()
	f.await(t, "SELECT count(*) = 2 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
	if err := gate.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-first; !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("the look-up from before the change: %v", err)
	}
	if err := <-second; err != nil {
		t.Errorf("the look-up from after the change: %v", err)
	}
}

// A caller that gives up does not take the answer from the others.
func TestLookupOutlivesItsFirstCaller(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.create(t, "acme")
	r := f.open(t, registry.Config{}, false)
	// The table is locked, so that the look-up waits.
	tx, err := f.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), "LOCK TABLE cotenant.tenants IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan error, 1), make(chan error, 1)
	lookup := func(ctx context.Context, result chan<- error) {
		_, err := r.ByDomain(ctx, tenant.MustParseDomain("acme.example.com"))
		result <- err
	}
	go lookup(ctx, first)
	f.await(t, "SELECT count(*) = 1 FROM pg_locks WHERE relation = 'cotenant.tenants'::regclass AND NOT granted")
	go lookup(t.Context(), second)
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first caller: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-second; err != nil {
		t.Errorf("the second caller: %v", err)
	}
}

// await polls until a query returns true, at most a minute.
func (f *fixture) await(t *testing.T, sql string) {
	t.Helper()
	f.eventually(t, func() bool {
		var ok bool
		if err := f.pool.QueryRow(t.Context(), sql).Scan(&ok); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return ok
	})
}

// eventually polls until condition holds, at most a minute.
func (f *fixture) eventually(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not come within a minute")
		}
	}
}

// Without the tables the error says what to do.
func TestTablesMissing(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, "DROP SCHEMA cotenant CASCADE")
	_, err := f.ByDomain(t.Context(), tenant.MustParseDomain("acme.example.com"))
	var pgErr interface{ SQLState() string }
	if !errors.As(err, &pgErr) || pgErr.SQLState() != "42P01" || errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("ByDomain: %v", err)
	}
	if want := "migrate the shared apps first"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("ByDomain: %v; want %q", err, want)
	}
	if _, err := f.Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("acme")}); err == nil || !strings.Contains(err.Error(), "migrate the shared apps first") {
		t.Errorf("Create: %v", err)
	}
	for _, err := range f.All(t.Context()) {
		if err == nil || !strings.Contains(err.Error(), "migrate the shared apps first") {
			t.Errorf("All: %v", err)
		}
	}
}

// Decoys of our tables, in public and in the tenant, on any search path, are never
// read nor written.
func TestDecoys(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{Builder: builder(`
		CREATE TABLE tenants AS SELECT 99::bigint AS id, 'decoy'::text AS schema_name;
		CREATE TABLE domains AS SELECT 'decoy.example.com'::text AS domain, 99::bigint AS tenant_id, true AS is_primary`)}, false)
	f.exec(t, `
		CREATE TABLE public.tenants AS SELECT 98::bigint AS id, 'decoy'::text AS schema_name;
		CREATE TABLE public.domains AS SELECT 'decoy.example.com'::text AS domain, 98::bigint AS tenant_id, true AS is_primary`)
	acme := f.create(t, "acme")
	f.exec(t, "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = acme, public', current_database()); END$$")
	f.pool.Reset()
	if got := f.text(t, "SELECT schema_name FROM tenants"); got != "decoy" {
		t.Fatalf("the decoys are not on the path: %s", got)
	}

	r := f.open(t, registry.Config{}, false)
	if _, err := r.ByDomain(t.Context(), tenant.MustParseDomain("decoy.example.com")); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("ByDomain of the decoy: %v", err)
	}
	if _, err := r.BySchema(t.Context(), tenant.MustParseSchema("decoy")); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("BySchema of the decoy: %v", err)
	}
	if _, err := r.ByID(t.Context(), 99); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("ByID of the decoy: %v", err)
	}
	if domains, err := r.Domains(t.Context(), acme); err != nil || fmt.Sprint(domains) != "[acme.example.com]" {
		t.Errorf("Domains = %v, %v", domains, err)
	}
	var all []string
	for each, err := range r.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, each.Schema.String())
	}
	if fmt.Sprint(all) != "[acme]" {
		t.Errorf("All = %v", all)
	}
	if _, err := r.Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("beta"), Domains: []tenant.Domain{tenant.MustParseDomain("decoy.example.com")}}); err != nil {
		t.Errorf("Create: %v", err)
	}
	if got := f.text(t, "SELECT concat((SELECT count(*) FROM public.tenants), (SELECT count(*) FROM public.domains), (SELECT count(*) FROM acme.tenants), (SELECT count(*) FROM acme.domains))"); got != "1111" {
		t.Errorf("rows of the decoys: %s", got)
	}
}

// A column that is added or dropped while the program runs breaks nothing, and
// shows at the next look-up.
func TestColumnsChange(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{CacheTTL: time.Nanosecond}, false)
	f.create(t, "acme")
	for _, tt := range []struct {
		sql  string
		want string
	}{
		{"ALTER TABLE cotenant.tenants ADD COLUMN name text DEFAULT 'Acme'", `{"name":"Acme"}`},
		{"ALTER TABLE cotenant.tenants ADD COLUMN seats int DEFAULT 3", `{"name":"Acme","seats":3}`},
		{"ALTER TABLE cotenant.tenants DROP COLUMN name", `{"seats":3}`},
		{"ALTER TABLE cotenant.tenants ALTER COLUMN seats TYPE text", `{"seats":"3"}`},
	} {
		f.exec(t, tt.sql)
		found, err := f.ByDomain(t.Context(), tenant.MustParseDomain("acme.example.com"))
		if err != nil {
			t.Fatalf("%s: %v", tt.sql, err)
		}
		if got, err := found.Fields.MarshalJSON(); err != nil || string(got) != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.sql, got, err, tt.want)
		}
	}
}
