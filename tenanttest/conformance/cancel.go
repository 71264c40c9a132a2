package conformance

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cotenant/cotenant/tenant"
)

// cancelTraps are calls that end before their time.
func cancelTraps() []trap {
	return []trap{
		{"cancelled at random moments", cancelledAnytime},
		{"cancelled by the server with a write behind", cancelledByServer},
		{"backend killed", killed},
	}
}

// cancelledAnytime has calls time out within the moments that they take.
func cancelledAnytime(tr *trial) {
	random := rand.New(rand.NewPCG(1, uint64(tr.a.ID))) //nolint:gosec // not a secret
	for i := range 150 {
		t := []*tenant.Tenant{tr.a, tr.b}[i%2]
		ctx, cancel := context.WithTimeout(tr.as(t), time.Duration(random.IntN(2500))*time.Microsecond)
		if i%3 == 0 {
			found, err := all[int64](ctx, tr, "SELECT owner FROM things")
			if err == nil {
				tr.own(t, found)
			}
		} else {
			_, _ = tr.Exec(ctx, insertThing, t.ID)
		}
		cancel()
	}
	tr.owns(tr, tr.a)
	tr.owns(tr, tr.b)
}

// strike tells the server again and again to do something to the backends of the
// way in, until the returned function is called.
func (tr *trial) strike(function string) (stop func()) {
	ctx, cancel := context.WithCancel(tr.ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			_ = tr.town.strike(tr.ctx, function) // to its end: none comes later
		}
	})
	return func() { cancel(); wg.Wait() }
}

// strike calls a function such as pg_cancel_backend for a backend that is not ours.
func (w *town) strike(ctx context.Context, function string) error {
	_, err := w.plain.Exec(ctx, "SELECT "+function+`(pid) FROM pg_catalog.pg_stat_activity
		WHERE datname = current_database() AND application_name <> $1 AND backend_type = 'client backend' ORDER BY random() LIMIT 1`, plainName)
	return err
}

// cancelledByServer: what the cancel request hits may be the statement that sets the
// path; the application's must not be executed then.
func cancelledByServer(tr *trial) {
	stop := tr.strike("pg_cancel_backend")
	for i := range 400 {
		t := []*tenant.Tenant{tr.a, tr.b}[i%2]
		if i%4 < 2 {
			_, _ = tr.Exec(tr.as(t), insertThing, t.ID)
		} else {
			_, _ = tr.Exec(tr.as(t), withID("INSERT INTO things VALUES ($id); SELECT 1", t))
		}
	}
	stop()
	tr.recovers(tr.a)
	tr.recovers(tr.b)
}

func killed(tr *trial) {
	for i := range 12 {
		t := []*tenant.Tenant{tr.a, tr.b}[i%2]
		tr.owns(tr, t)
		tr.must("kill", tr.town.strike(tr.ctx, "pg_terminate_backend"))
		_, _ = tr.Exec(tr.as(t), insertThing, t.ID)
		tr.recovers(t)
	}
}

// recovers reads until a call succeeds: a connection that was killed fails once.
func (tr *trial) recovers(t *tenant.Tenant) {
	tr.Helper()
	var err error
	for range 5 {
		if err = tr.tries(tr, t); err == nil {
			tr.owns(tr, t)
			return
		}
	}
	tr.Errorf("after five calls: %v", err)
}
