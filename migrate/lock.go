package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/schemalock"
)

// errBusy says that another program changes a schema.
var errBusy = errors.New("another program is changing the schema")

func errBusyUnless(locked bool) error {
	if locked {
		return nil
	}
	return errBusy
}

// tryLock takes the lock of a schema for the session, if nobody has it.
func (c changer) tryLock(ctx context.Context, t target) (locked bool, err error) {
	err = c.conn.QueryRow(ctx, "SELECT pg_catalog.pg_try_advisory_lock($1)", pgx.QueryExecModeExec, schemalock.Key(t.id)).Scan(&locked)
	if err != nil {
		return false, fmt.Errorf("schema %q: lock: %w", t.schema, err)
	}
	return locked, nil
}

// discard releases the lock, and what files did to the session. It does so even when
// the caller has given up.
func (c changer) discard(ctx context.Context) error {
	if c.conn.IsClosed() {
		return nil // the server did, with the session
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	var err error
	if c.conn.PgConn().CustomData()[keptQueries] != nil {
		delete(c.conn.PgConn().CustomData(), keptQueries)
		err = c.conn.DeallocateAll(ctx)
	}
	if err == nil {
		_, err = c.conn.Exec(ctx, "DISCARD ALL")
	}
	if err != nil {
		_ = c.conn.Close(ctx)
		return fmt.Errorf("unlock: %w", err)
	}
	return nil
}
