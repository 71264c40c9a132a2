package cotenant_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/tenant"
)

// tenants opens a tenancy with public and n tenants more.
func tenants(t *testing.T, n int) *cotenant.Tenancy {
	t.Helper()
	tenancy := open(t, testdb.New(t), fstest.MapFS{}, nil, nil)
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	create(t, tenancy, "public")
	for i := range n {
		create(t, tenancy, fmt.Sprintf("t%d", i))
	}
	return tenancy
}

// Each calls for every tenant, in its own schema, and one that fails says so.
func TestEach(t *testing.T) {
	t.Parallel()

	tenancy := tenants(t, 10)
	odd := errors.New("odd")
	for _, config := range []*cotenant.EachConfig{nil, {Jobs: 1}, {Jobs: 100}, {SkipPublic: true}} {
		var atOnce, most atomic.Int64
		seen := map[string]error{}
		for each, err := range tenancy.Each(t.Context(), config, func(ctx context.Context, each *tenant.Tenant) error {
			n := atOnce.Add(1)
			defer atOnce.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			var schema string
			if err := tenancy.DB().QueryRow(ctx, "SELECT current_schema()").Scan(&schema); err != nil || schema != each.Schema.String() {
				t.Errorf("%v: ran in %s, %v", each, schema, err)
			}
			if each.ID%2 == 1 {
				return odd
			}
			return nil
		}) {
			seen[each.Schema.String()] = err
			if errors.Is(err, odd) != (each.ID%2 == 1) {
				t.Errorf("%v: %v", each, err)
			}
		}
		want := 11
		if config != nil && config.SkipPublic {
			want = 10
		}
		if len(seen) != want {
			t.Errorf("%v: called for %v", config, seen)
		}
		if config != nil && config.Jobs > 0 && most.Load() > int64(config.Jobs) {
			t.Errorf("%v: %d at a time", config, most.Load())
		}
	}
	for each, err := range tenancy.Each(t.Context(), &cotenant.EachConfig{Jobs: -1}, nil) {
		if each != nil || err == nil || !strings.Contains(err.Error(), "EachConfig.Jobs is -1") {
			t.Errorf("Each: %v, %v", each, err)
		}
	}
}

// Where the loop is left, or the context ends, or f panics, the calls under way
// are told, and have returned when the loop has.
func TestEachStops(t *testing.T) {
	t.Parallel()

	tenancy := tenants(t, 10)
	var calls, returned atomic.Int64
	waits := func(ctx context.Context, each *tenant.Tenant) error {
		if calls.Add(1) > 1 {
			<-ctx.Done()
		}
		returned.Add(1)
		return ctx.Err()
	}
	for range tenancy.Each(t.Context(), &cotenant.EachConfig{Jobs: 3}, waits) {
		break
	}
	if n := calls.Load(); n != returned.Load() || n > 4 {
		t.Errorf("after break: %d calls, %d returned", n, returned.Load())
	}

	calls.Store(0)
	returned.Store(0)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var failed error
	for each, err := range tenancy.Each(ctx, &cotenant.EachConfig{Jobs: 3}, waits) {
		cancel()
		if each == nil {
			failed = err
		}
	}
	if !errors.Is(failed, context.Canceled) || calls.Load() != returned.Load() {
		t.Errorf("after the end of the context: %v, %d calls, %d returned", failed, calls.Load(), returned.Load())
	}

	func() {
		defer func() {
			if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "boom") || !strings.Contains(fmt.Sprint(p), `tenant "`) {
				t.Errorf("recovered %v", p)
			}
		}()
		for range tenancy.Each(t.Context(), nil, func(context.Context, *tenant.Tenant) error { panic("boom") }) {
		}
		t.Error("the loop ended")
	}()
}

// A function that ends its goroutine, as t.FailNow does, is an error of its tenant.
func TestEachGoexit(t *testing.T) {
	t.Parallel()

	tenancy := tenants(t, 3)
	n := 0
	for each, err := range tenancy.Each(t.Context(), &cotenant.EachConfig{Jobs: 1}, func(context.Context, *tenant.Tenant) error {
		runtime.Goexit()
		return nil
	}) {
		if n++; each == nil || err == nil || !strings.Contains(err.Error(), "Goexit") {
			t.Errorf("%v: %v", each, err)
		}
	}
	if n < 3 {
		t.Errorf("%d outcomes", n)
	}
}
