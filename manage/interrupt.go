package manage

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

// interrupts is what SIGINT and SIGTERM do to a command: the first closes stop where the
// command said that it looks there (graceful), and cancels the context where it did
// not; the second cancels; the third ends the process, as if nobody listened.
type interrupts struct {
	stop     chan struct{}
	notice   atomic.Pointer[func()] // called at the first, if the command is graceful
	cancel   context.CancelFunc
	signals  chan os.Signal
	held     atomic.Bool // SIGINT is somebody else's: a program's at the same terminal
	finished sync.WaitGroup
}

type interruptsKey struct{}

// withInterrupts listens for signals until end is called.
func withInterrupts(ctx context.Context) (context.Context, *interrupts) {
	i := &interrupts{stop: make(chan struct{}), signals: make(chan os.Signal, 2)}
	ctx, i.cancel = context.WithCancel(ctx)
	signal.Notify(i.signals, os.Interrupt, syscall.SIGTERM)
	i.finished.Go(i.listen)
	return context.WithValue(ctx, interruptsKey{}, i), i
}

// gracefully says that the command ends on its own when the channel that it returns is
// closed. notice is called when that happens. done must be called in the end.
func gracefully(ctx context.Context, notice func()) (_ context.Context, stop <-chan struct{}, done func()) {
	i, ok := ctx.Value(interruptsKey{}).(*interrupts)
	done = func() {}
	if !ok { // the tree is embedded in a program that does not listen, or does so on its own
		ctx, i = withInterrupts(ctx)
		done = i.end
	}
	i.notice.Store(&notice)
	return ctx, i.stop, done
}

// outlivingReaders has the process go on where nobody reads its output any more
// ("| head"): otherwise it would end in the middle of a run. done must be called.
func outlivingReaders() (done func()) {
	closed := make(chan os.Signal, 1)
	signal.Notify(closed, syscall.SIGPIPE)
	return func() { signal.Stop(closed) }
}

// leavingInterrupts has SIGINT be the matter of a program that runs at the same terminal:
// psql ends a query by it, and goes on. done must be called when that has ended.
func leavingInterrupts(ctx context.Context) (done func()) {
	i, ok := ctx.Value(interruptsKey{}).(*interrupts)
	if !ok { // the tree is embedded in a program that sees to its signals itself
		return func() {}
	}
	i.held.Store(true)
	return func() { i.held.Store(false) }
}

// next waits for a signal, and reports whether there was one before the end.
func (i *interrupts) next() bool {
	for s := range i.signals {
		if s != os.Interrupt || !i.held.Load() {
			return true
		}
	}
	return false
}

func (i *interrupts) listen() {
	if !i.next() {
		return
	}
	if notice := i.notice.Load(); notice != nil {
		close(i.stop)
		(*notice)()
		if !i.next() {
			return
		}
	}
	signal.Stop(i.signals)
	i.cancel()
}

func (i *interrupts) end() {
	signal.Stop(i.signals)
	close(i.signals)
	i.finished.Wait()
	i.cancel()
}
