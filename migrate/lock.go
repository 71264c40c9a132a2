package migrate

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// lockClass sets the keys of our advisory locks apart from the application's:
// the upper 16 bits of the key, above the tenant's id.
const lockClass int64 = 0x7C07 << 48

// Pauses between two tries of a lock.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// lock takes the lock of t's schema for the session of conn, by the tenant's id,
// since the name can change; public has id 0. It tries and polls: a session that
// waits in pg_advisory_lock holds a snapshot, which makes CREATE INDEX
// CONCURRENTLY elsewhere deadlock.
func (m *Migrator) lock(ctx context.Context, conn *pgx.Conn, t *tenant.Tenant) (unlock func() error, err error) {
	key := lockClass
	if !t.IsPublic() {
		key |= t.ID
	}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		var locked bool
		err := conn.QueryRow(ctx, "SELECT pg_catalog.pg_try_advisory_lock($1)", pgx.QueryExecModeExec, key).Scan(&locked)
		if err != nil {
			return nil, fmt.Errorf("schema %q: lock: %w", t.Schema, err)
		}
		if locked {
			break
		}
		if pause == firstPause {
			m.logger.InfoContext(ctx, "waiting for another migration of the schema", "schema", t.Schema.String())
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("schema %q: another program migrates it: %w", t.Schema, ctx.Err())
		}
	}
	return func() error {
		if conn.IsClosed() {
			return nil // the server released the lock with the session
		}
		// The lock must go even when the caller has given up, and with it what
		// the files did to the session.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, "DISCARD ALL"); err != nil {
			_ = conn.Close(ctx) // the server releases the lock with the session
			return fmt.Errorf("schema %q: unlock: %w", t.Schema, err)
		}
		return nil
	}, nil
}
