package conformance

import (
	"context"
	"testing"
	"time"
)

// patience is how long a case may take: one that hangs has failed. On two busy cores some
// take half a minute with the race detector.
const patience = 3 * time.Minute

// A trap is a case: a way to read or write another tenant's row, and what must
// happen instead.
type trap struct {
	name string
	run  func(*trial)
}

// Run takes way through every case, each a subtest with tenants of its own. url is
// that of the database for a superuser, without a pooler.
func Run(t *testing.T, way Way, url string) {
	t.Helper()
	w, err := newTown(t.Context(), url, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	for _, group := range [][]trap{
		typeTraps(), valueTraps(), copyTraps(), batchTraps(), transactionTraps(), ownerTraps(), pathTraps(), carryTraps(),
		aloneTraps(), goneTraps(), waitTraps(), cancelTraps(), protocolTraps(), preparedTraps(), handTraps(), stdTraps(),
	} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				c.run(newTrial(ctx, t, way, w))
			})
		}
	}
}
