package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cotenant/cotenant/tenant"
)

// Storm has many goroutines do everything at once over many tenants, with faults,
// and counts. It needs no memory for operations that are done.
//
// The error is about the storm itself: that it could not be. What it found is in the
// Report; see its Err.
func Storm(ctx context.Context, way Way, cfg Config) (*Report, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	w, err := newTown(ctx, cfg.URL, 6)
	if err != nil {
		return nil, err
	}
	defer w.close()
	s := &storm{town: w, way: way, config: cfg}
	tenants, err := w.settleMany(ctx, cfg.Tenants)
	if err != nil {
		return nil, fmt.Errorf("settle tenants: %w", err)
	}
	for i, t := range tenants {
		s.houses = append(s.houses, &house{Tenant: t, stable: i%4 < 2 || cfg.Calm || !way.Proves})
	}
	if s.access, err = way.Open(ctx, cfg.Connections); err != nil {
		return nil, fmt.Errorf("open %s: %w", way.Name, err)
	}
	start := time.Now()
	s.blow(ctx)
	elapsed := time.Since(start)
	s.broken = append(s.broken, s.stmts.close())
	s.access.Close()
	if err := errors.Join(s.broken...); err != nil {
		return nil, err
	}
	return s.report(ctx, elapsed)
}

// storm is a storm that goes on.
type storm struct {
	town   *town
	way    Way
	access Access
	config Config
	houses []*house
	stmts  stmts

	begun  atomic.Int64          // operations
	last   [1 << 16]atomic.Int64 // the tenant that a server process was last seen with, by process id
	mu     sync.Mutex            // guards what follows
	sum    tally
	found  findings
	broken []error // why the storm cannot go on
}

// house is a tenant's schema.
type house struct {
	*tenant.Tenant
	stable  bool         // it is neither renamed nor dropped
	written atomic.Int64 // rows, acknowledged
	away    sync.Mutex   // held by who renames or drops it
	busy    sync.RWMutex // held for reading by operations
}

// settled waits until the operations that go on have ended. Those that begin now
// have to wait as well.
func (h *house) settled() {
	h.busy.Lock()
	h.busy.Unlock() //nolint:staticcheck // what matters is to have had it
}

// findings are what must not be.
type findings struct {
	leaks, lost, unexplained int64
	described                []string
}

// describe keeps the first of them in words.
func (f *findings) describe(format string, args ...any) {
	if len(f.described) < described {
		f.described = append(f.described, fmt.Sprintf(format, args...))
	}
}

// blow runs the goroutines until all operations are done.
func (s *storm) blow(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	soft := ctx
	if s.config.Duration > 0 {
		var stop context.CancelFunc
		soft, stop = context.WithTimeout(ctx, s.config.Duration)
		defer stop()
	}
	var wg sync.WaitGroup
	for g := range s.config.Goroutines {
		w := newWorker(s, uint64(g))
		wg.Go(func() {
			for soft.Err() == nil && s.begun.Add(1) <= s.config.Operations {
				if err := w.operate(ctx); err != nil {
					s.mu.Lock()
					s.broken = append(s.broken, err)
					s.mu.Unlock()
					cancel()
				}
			}
			s.mu.Lock()
			s.sum.add(&w.tally)
			s.mu.Unlock()
		})
	}
	wg.Wait()
}

// leak takes note of rows that were read or written where they do not belong.
func (s *storm) leak(n int64, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found.leaks += n
	s.found.describe("leak: "+format, args...)
}

// served takes note of the server process that served a tenant, and reports whether
// it served another before.
func (s *storm) served(pid int32, t *tenant.Tenant) bool {
	before := s.last[pid&(1<<16-1)].Swap(t.ID)
	return before != 0 && before != t.ID
}

// report counts the rows in every schema.
func (s *storm) report(ctx context.Context, elapsed time.Duration) (*Report, error) {
	homes := map[string]int64{tenant.PublicSchema().String(): nobody}
	for _, h := range s.houses {
		homes[h.Schema.String()] = h.ID
	}
	c, err := s.town.count(ctx, func(schema string) (int64, bool) {
		id, ok := homes[schema]
		return id, ok || !strings.HasPrefix(schema, "pg_") // a schema that nobody knows is nobody's
	})
	if err != nil {
		return nil, err
	}
	var server string
	if err := s.town.plain.QueryRow(ctx, "SHOW server_version").Scan(&server); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.houses {
		if missing := h.written.Load() + rows - c.found[h.Schema.String()]; h.stable && missing > 0 {
			s.found.lost += missing
			s.found.describe("lost: %d rows of %v that were acknowledged", missing, h)
		}
	}
	server, _, _ = strings.Cut(server, " ")
	return &Report{
		Way: s.way.Name, Server: server, Elapsed: elapsed,
		Operations: s.sum.operations, Switches: s.sum.switches, Written: s.sum.written, Faults: s.sum.faults, Failures: s.sum.failures,
		Leaks: s.found.leaks + c.strays, Lost: s.found.lost, Unexplained: s.found.unexplained,
		Described: append(s.found.described, c.where...),
	}, nil
}
