package conformance

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cotenant/cotenant/tenant"
)

// worker is a goroutine of a storm.
type worker struct {
	storm  *storm
	random *rand.Rand
	tally  tally
	choice *chances
}

// tally is what a worker counts.
type tally struct {
	operations, switches, written int64
	faults, failures              map[string]int64
}

func newTally() tally {
	return tally{faults: make(map[string]int64), failures: make(map[string]int64)}
}

func (t *tally) add(other *tally) {
	if t.faults == nil {
		*t = newTally()
	}
	t.operations += other.operations
	t.switches += other.switches
	t.written += other.written
	for name, n := range other.faults {
		t.faults[name] += n
	}
	for name, n := range other.failures {
		t.failures[name] += n
	}
}

func newWorker(s *storm, number uint64) *worker {
	return &worker{
		storm: s, tally: newTally(), choice: s.operations(),
		random: rand.New(rand.NewPCG(s.config.Seed, number)), //nolint:gosec // not a secret
	}
}

// gust is one operation as it runs.
type gust struct {
	*worker
	Access
	*house
	written int64 // rows, if it ends without an error
}

// operate does one operation, perhaps with a fault. The error is the harness's own.
func (w *worker) operate(ctx context.Context) error {
	w.tally.operations++
	s := w.storm
	o := w.choice.pick(w.random)
	g := &gust{worker: w, Access: s.access, house: s.houses[w.random.IntN(len(s.houses))]}
	call := tenant.NewContext(ctx, g.Tenant)
	f := w.fault(g.house)
	if f.limit >= 0 {
		var cancel context.CancelFunc
		call, cancel = context.WithTimeout(call, f.limit)
		defer cancel()
	}
	done := make(chan error, 1)
	if f.run != nil {
		go func() { done <- f.run(ctx) }()
	} else {
		done <- nil
	}
	g.busy.RLock()
	err := o.run(g, call)
	g.busy.RUnlock()
	if faultErr := <-done; faultErr != nil && ctx.Err() == nil {
		return faultErr
	}
	if ctx.Err() == nil {
		w.judge(g, o, f, err)
	}
	return nil
}

// judge counts what became of an operation.
func (w *worker) judge(g *gust, o operation, f fault, err error) {
	var foreign foreignError
	if errors.As(err, &foreign) {
		w.storm.leak(1, "%s: %v", o.name, foreign)
		return
	}
	if err == nil {
		g.house.written.Add(g.written)
		w.tally.written += g.written
		return
	}
	class := "other"
	code := sqlstate(err)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		class = "context"
	case code != "":
		class = code[:2]
	case errors.Is(err, tenant.ErrSchemaNotFound):
		class = "3F"
	}
	w.tally.failures[class]++
	if g.stable && f.limit < 0 && unexplained(class, code) || w.storm.config.Calm {
		w.storm.mu.Lock()
		w.storm.found.unexplained++
		w.storm.found.describe("unexplained: %s as %v: %v", o.name, g.house, err)
		w.storm.mu.Unlock()
	}
}

// unexplained reports whether a failure is none that cancelling, killing or a
// deadlock brings about: features, authorization, data types, names, statements.
func unexplained(class, code string) bool {
	switch class {
	case "0A", "22", "23", "26", "28", "34", "3D", "3F", "42":
		return true
	}
	return code == "08P01"
}

// pick returns one of several.
func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// moment is a time within which a call may take place.
func (w *worker) moment() time.Duration {
	return time.Duration(w.random.Int64N(int64(3 * time.Millisecond)))
}

// mode returns arguments behind one of the way's modes, or behind none.
func (w *worker) mode(args ...any) []any {
	if n := len(w.storm.way.Modes); n > 0 && w.random.IntN(8) == 0 {
		return append([]any{w.storm.way.Modes[w.random.IntN(n)]}, args...)
	}
	return args
}

// text returns sql as a tenant's, with another's schema where it names one.
func (w *worker) text(g *gust, sql string) string {
	return strings.ReplaceAll(withID(withOther(sql, pick(w.random, w.storm.houses).Tenant), g.Tenant), "$name", "'storm'")
}
