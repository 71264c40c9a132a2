package registry

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// heartbeat is how often a silent connection is asked whether it is alive:
	// a router that dropped it does not tell.
	heartbeat = 30 * time.Second
	// Pauses between two attempts to connect.
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// listen hears of changes until ctx ends. Whenever it begins to hear anew it
// forgets everything, since it cannot know what it missed.
func (r *Registry) listen(ctx context.Context) {
	pause := firstPause
	for {
		heard, err := r.hear(ctx)
		if ctx.Err() != nil {
			return
		}
		if heard {
			pause = firstPause
		}
		r.config.Logger.WarnContext(ctx, "registry: not listening for changes of tenants", "error", err, "retry_in", pause)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		pause = min(2*pause, lastPause)
	}
}

// hear listens on one connection until it breaks, and reports whether it got as
// far as to listen.
func (r *Registry) hear(ctx context.Context) (heard bool, err error) {
	conn, err := r.config.Listen(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(ctx, "LISTEN cotenant_changed"); err != nil {
		return false, err
	}
	r.cache.forgetEverything()
	defer r.cache.forgetEverything()
	for {
		if err := r.await(ctx, conn); err != nil {
			return true, err
		}
	}
}

// await handles the next notification, or a silence of a heartbeat.
func (r *Registry) await(ctx context.Context, conn *pgx.Conn) error {
	waitCtx, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	n, err := conn.WaitForNotification(waitCtx)
	if err == nil {
		r.cache.forget(n.Payload)
		return nil
	}
	if conn.IsClosed() || ctx.Err() != nil {
		return err
	}
	pingCtx, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	return conn.Ping(pingCtx)
}
