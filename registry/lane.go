package registry

import (
	"context"
	"errors"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// ErrBusy says that so many look-ups wait for the database that this one was not
// even tried, or that it had no answer within ten seconds.
var ErrBusy = errors.New("too many look-ups at once")

// maxWaiting bounds how many look-ups wait in a lane.
const maxWaiting = 1000

// lane lets a few look-ups through at once. The others wait in a queue that is
// bounded: in a flood of made-up names, failing some is better than to keep all of
// them, and the good ones among them, waiting for seconds.
type lane struct {
	slots   *semaphore.Weighted
	waiting atomic.Int64
}

func newLane(slots int) *lane {
	return &lane{slots: semaphore.NewWeighted(int64(slots))}
}

// enter waits for a slot; leave gives it back.
func (l *lane) enter(ctx context.Context) error {
	if l.slots.TryAcquire(1) {
		return nil
	}
	defer l.waiting.Add(-1)
	if l.waiting.Add(1) > maxWaiting {
		return ErrBusy
	}
	return l.slots.Acquire(ctx, 1)
}

func (l *lane) leave() { l.slots.Release(1) }
