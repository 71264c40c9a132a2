// Package locktable says how many locks a server has room for. Who takes more in one
// transaction gets "out of shared memory", and so does what others do meanwhile.
package locktable

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"
)

// Capacity is the room of the server's table of locks, and what it is made of: a share for
// each process that it may have, and each prepared transaction (InitLocks in PostgreSQL's
// source, NLOCKENTS; the manual's formula leaves the server's own processes out).
type Capacity struct{ PerTransaction, Transactions int }

// Locks is how many locks there is room for, of all sessions together.
func (c Capacity) Locks() int { return c.PerTransaction * c.Transactions }

// Setting is what max_locks_per_transaction is to be for that many locks in one
// transaction: with a quarter more for all others, a multiple of 64.
func (c Capacity) Setting(locks int) int {
	return 64 * int(math.Ceil(1.25*float64(locks)/float64(c.Transactions)/64))
}

const capacitySQL = `SELECT s.locks, s.connections + s.prepared + s.autovacuum + 1 + s.workers + s.senders
FROM (SELECT pg_catalog.current_setting('max_locks_per_transaction')::integer AS locks,
	pg_catalog.current_setting('max_connections')::integer AS connections,
	pg_catalog.current_setting('max_prepared_transactions')::integer AS prepared,
	coalesce(pg_catalog.current_setting('autovacuum_worker_slots', true), pg_catalog.current_setting('autovacuum_max_workers'))::integer AS autovacuum,
	pg_catalog.current_setting('max_worker_processes')::integer AS workers,
	pg_catalog.current_setting('max_wal_senders')::integer AS senders) AS s`

// Read asks the server.
func Read(ctx context.Context, db interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) (c Capacity, err error) {
	err = db.QueryRow(ctx, capacitySQL, pgx.QueryExecModeExec).Scan(&c.PerTransaction, &c.Transactions)
	return c, err
}
