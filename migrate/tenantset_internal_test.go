package migrate

import (
	"runtime"
	"slices"
	"testing"
)

func TestTenantSet(t *testing.T) {
	t.Parallel()

	var s tenantSet
	if s.has(0) || s.has(7) {
		t.Error("the zero value has something")
	}
	ids := []int64{1, 63, 64, 65, 127, 128, 1 << 40, 1<<47 - 1}
	for _, id := range ids {
		s.add(id)
		s.add(id)
	}
	got := slices.Sorted(s.all())
	if !slices.Equal(got, ids) {
		t.Errorf("%d, want %d", got, ids)
	}
	for _, id := range ids {
		if !s.has(id) || s.has(id+2) && !slices.Contains(ids, id+2) {
			t.Errorf("%d: %t, %d: %t", id, s.has(id), id+2, s.has(id+2))
		}
	}
}

// What a run remembers of each schema is less than a byte.
func TestTenantSetIsSmall(t *testing.T) { //nolint:paralleltest // it measures the heap
	const n = 100_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	var s tenantSet
	for id := range int64(n) {
		s.add(id)
	}
	after := heap()
	if grown := after - min(before, after); grown > n {
		t.Errorf("%d ids take %d bytes", n, grown)
	}
	runtime.KeepAlive(s.words)
}
