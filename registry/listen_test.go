package registry_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// listening waits until n processes listen.
func (f *fixture) listening(t *testing.T, n int) {
	t.Helper()
	f.eventually(t, func() bool {
		var listeners int
		err := f.pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN cotenant_changed' AND state = 'idle' AND datname = current_database()").Scan(&listeners)
		if err != nil {
			t.Fatal(err)
		}
		return listeners == n
	})
}

// A change made by another process, or by psql, is seen by this one at once (the
// log has the times), although its cache keeps tenants for an hour.
func TestChangesAreHeard(t *testing.T) {
	t.Parallel()

	config := registry.Config{CacheTTL: time.Hour, UnknownTTL: time.Hour}
	f := newFixture(t, config, false)
	f.exec(t, "ALTER TABLE cotenant.tenants ADD COLUMN name text")
	r := f.open(t, config, true) // the process that hears; f.Registry is another
	f.listening(t, 1)

	domain := tenant.MustParseDomain("acme.example.com")
	lookup := func() (string, error) {
		found, err := r.ByDomain(t.Context(), domain)
		if err != nil {
			return "", err
		}
		name, _ := found.Fields.Get("name").(string)
		return found.Schema.String() + " " + name, nil
	}
	for _, step := range []struct {
		name    string
		change  func()
		want    string
		unknown bool
	}{
		{"nobody yet", func() {}, "", true},
		{"created elsewhere", func() { f.create(t, "acme") }, "acme ", false},
		{"changed with SQL", func() { f.exec(t, "UPDATE cotenant.tenants SET name = 'Acme'") }, "acme Acme", false},
		{"renamed", func() {
			f.exec(t, "ALTER SCHEMA acme RENAME TO acme2; UPDATE cotenant.tenants SET schema_name = 'acme2'")
		}, "acme2 Acme", false},
		{"domain changed", func() { f.exec(t, "UPDATE cotenant.domains SET domain = 'other.example.com'") }, "", true},
		{"domain changed back", func() { f.exec(t, "UPDATE cotenant.domains SET domain = 'acme.example.com'") }, "acme2 Acme", false},
		{"domains emptied", func() { f.exec(t, "TRUNCATE cotenant.domains") }, "", true},
		{"domain added", func() {
			f.exec(t, "INSERT INTO cotenant.domains SELECT 'acme.example.com', id, true FROM cotenant.tenants")
		}, "acme2 Acme", false},
		{"tenant deleted", func() { f.exec(t, "DELETE FROM cotenant.tenants") }, "", true},
	} {
		// What the cache knows now, it knows for an hour.
		before, errBefore := lookup()
		begun := time.Now()
		step.change()
		f.eventually(t, func() bool {
			got, err := lookup()
			return got == step.want && errors.Is(err, tenant.ErrTenantNotFound) == step.unknown
		})
		t.Logf("%s: seen after %s", step.name, time.Since(begun).Round(time.Millisecond))
		if again, err := lookup(); step.name != "nobody yet" && again == before && (err == nil) == (errBefore == nil) {
			t.Errorf("%s: the look-up did not change from %q, %v", step.name, before, errBefore)
		}
	}
}

// A schema's name that passes from one tenant to another leads to the other.
func TestSwappedSchemas(t *testing.T) {
	t.Parallel()

	config := registry.Config{CacheTTL: time.Hour}
	f := newFixture(t, config, false)
	f.create(t, "a")
	b := f.create(t, "b")
	r := f.open(t, config, true)
	f.listening(t, 1)
	for _, name := range []string{"a", "b"} {
		if _, err := r.BySchema(t.Context(), tenant.MustParseSchema(name)); err != nil {
			t.Fatal(err)
		}
	}
	f.exec(t, "UPDATE cotenant.tenants SET schema_name = 'old' WHERE schema_name = 'a'; UPDATE cotenant.tenants SET schema_name = 'a' WHERE schema_name = 'b'")
	f.eventually(t, func() bool {
		found, err := r.BySchema(t.Context(), tenant.MustParseSchema("a"))
		return err == nil && found.ID == b.ID
	})
	f.eventually(t, func() bool { // it is told by a notification of its own
		_, err := r.BySchema(t.Context(), tenant.MustParseSchema("b"))
		return errors.Is(err, tenant.ErrTenantNotFound)
	})
}

// What changed while the connection was lost is not served from the cache once it
// is back, nor before.
func TestReconnect(t *testing.T) {
	t.Parallel()

	config := registry.Config{CacheTTL: time.Hour, UnknownTTL: time.Hour}
	f := newFixture(t, config, false)
	f.exec(t, "ALTER TABLE cotenant.tenants ADD COLUMN name text")
	f.create(t, "acme")
	r := f.open(t, config, true)
	f.listening(t, 1)
	if _, err := r.ByDomain(t.Context(), tenant.MustParseDomain("acme.example.com")); err != nil {
		t.Fatal(err)
	}

	// The trigger is off, so that only the lost connection can be the news.
	f.exec(t, "ALTER TABLE cotenant.tenants DISABLE TRIGGER ALL; UPDATE cotenant.tenants SET name = 'Acme'; ALTER TABLE cotenant.tenants ENABLE TRIGGER ALL")
	f.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN cotenant_changed' AND datname = current_database()")
	f.eventually(t, func() bool {
		found, err := r.ByDomain(t.Context(), tenant.MustParseDomain("acme.example.com"))
		if err != nil {
			t.Fatal(err)
		}
		return found.Fields.Get("name") == "Acme"
	})
	f.listening(t, 1)

	// And changes are heard again.
	f.exec(t, "UPDATE cotenant.tenants SET name = 'Acme Inc.'")
	f.eventually(t, func() bool {
		found, err := r.ByDomain(t.Context(), tenant.MustParseDomain("acme.example.com"))
		return err == nil && found.Fields.Get("name") == "Acme Inc."
	})
}

// Close ends the listening, whatever it is at, at once.
func TestCloseWhileListening(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	r := f.open(t, registry.Config{}, true)
	f.listening(t, 1)
	r.Close()
	f.listening(t, 0)
	r.Close() // again is harmless
}
