package registry_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// A flood of made-up names evicts no good entry, has at most MaxMisses queries
// under way at once, and keeps at most a bounded number waiting.
func TestFloodOfUnknownNames(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{CacheSize: 2, MaxMisses: 3, UnknownSize: 100}, false)
	f.create(t, "acme")
	f.create(t, "beta")
	good := []tenant.Domain{tenant.MustParseDomain("acme.example.com"), tenant.MustParseDomain("beta.example.com")}
	for _, domain := range good {
		if _, err := f.ByDomain(t.Context(), domain); err != nil {
			t.Fatal(err)
		}
	}
	f.flood(t, f.Registry, 3, func() {})
	before := f.queries.n.Load()
	for _, domain := range good {
		if _, err := f.ByDomain(t.Context(), domain); err != nil {
			t.Error(err)
		}
	}
	if n := f.queries.n.Load() - before; n != 0 {
		t.Errorf("%d queries for names that were cached before the flood, want 0", n)
	}
}

// A name that led to a tenant before does not wait behind those that never did,
// even if it is not cached at the moment.
func TestKnownNamesInAFlood(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{CacheTTL: time.Nanosecond, MaxMisses: 1}, false)
	f.create(t, "acme")
	lookup := func() {
		if _, err := f.ByDomain(t.Context(), tenant.MustParseDomain("acme.example.com")); err != nil {
			t.Errorf("ByDomain of a good name: %v", err)
		}
	}
	lookup()
	f.flood(t, f.Registry, 2, lookup)
}

// flood looks thousands of made-up names up at once, and calls meanwhile in
// between. At most so many connections may be in use.
func (f *fixture) flood(t *testing.T, r *registry.Registry, connections int32, meanwhile func()) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 4000 {
		wg.Go(func() {
			_, err := r.ByDomain(t.Context(), tenant.MustParseDomain(fmt.Sprintf("made-up-%d.example.com", i)))
			if !errors.Is(err, tenant.ErrTenantNotFound) && !errors.Is(err, registry.ErrBusy) {
				t.Errorf("ByDomain: %v", err)
			}
			if n := f.pool.Stat().AcquiredConns(); n > connections {
				t.Errorf("%d connections in use, want at most %d", n, connections)
			}
			if i%100 == 0 {
				meanwhile()
			}
		})
	}
	wg.Wait()
}

// A database that does not answer in time is told from a caller that has none left.
func TestNoAnswer(t *testing.T) {
	t.Parallel()

	if testing.Short() {
		t.Skip("it waits for ten seconds")
	}
	f := newFixture(t, registry.Config{}, false)
	f.create(t, "acme")
	holder, err := f.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := holder.Exec(t.Context(), "LOCK TABLE cotenant.domains"); err != nil {
		t.Fatal(err)
	}
	domain := tenant.MustParseDomain("acme.example.com")
	hurried, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.ByDomain(hurried, domain); !errors.Is(err, context.Canceled) || errors.Is(err, registry.ErrBusy) {
		t.Errorf("a caller that has gone: %v", err)
	}
	if _, err := f.ByDomain(t.Context(), domain); !errors.Is(err, registry.ErrBusy) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no answer: %v", err)
	}
}
