package doctor

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
)

// capacity is the room of the server's table of locks, and what it is made of: a share for
// each process that it may have, and each prepared transaction (InitLocks in PostgreSQL's
// source, NLOCKENTS; the manual's formula leaves the server's own processes out).
type capacity struct{ perTransaction, transactions int }

func (c capacity) locks() int { return c.perTransaction * c.transactions }

// setting is what max_locks_per_transaction is to be for that many locks in one
// transaction: with a quarter more for all others, a multiple of 64.
func (c capacity) setting(locks int) int {
	return 64 * int(math.Ceil(1.25*float64(locks)/float64(c.transactions)/64))
}

func (e *exam) capacity(ctx context.Context) (c capacity, err error) {
	err = e.row(ctx, `SELECT current_setting('max_locks_per_transaction')::integer, current_setting('max_connections')::integer + current_setting('max_prepared_transactions')::integer
		+ coalesce(current_setting('autovacuum_worker_slots', true), current_setting('autovacuum_max_workers'))::integer + 1
		+ current_setting('max_worker_processes')::integer + current_setting('max_wal_senders')::integer`).Scan(&c.perTransaction, &c.transactions)
	return c, err
}

// largestSQL counts what is in the largest of the tenants' schemas. DROP SCHEMA CASCADE
// takes a lock for each: tables, sequences, indexes, with those of TOAST, and for types,
// constraints, defaults, triggers, rules and functions as well. 22 tables with 22 sequences,
// 44 indexes and 20 foreign keys were 375 locks on PostgreSQL 15.18.
const largestSQL = `, largest AS MATERIALIZED (
		SELECT t.space, t.name FROM pg_class AS c JOIN tenant AS t ON t.space = c.relnamespace AND t.name <> 'public' GROUP BY t.space, t.name ORDER BY count(*) DESC, t.name LIMIT 1
	), relation AS MATERIALIZED (SELECT c.oid, c.reltoastrelid FROM pg_class AS c WHERE c.relnamespace = (SELECT space FROM largest))
	SELECT l.name, (SELECT count(*) + 2 * count(nullif(reltoastrelid, 0)) FROM relation)
		+ (SELECT count(*) FROM pg_type AS t WHERE t.typnamespace = l.space) + (SELECT count(*) FROM pg_constraint AS k WHERE k.connamespace = l.space)
		+ (SELECT count(*) FROM pg_attrdef AS d WHERE d.adrelid IN (SELECT oid FROM relation)) + (SELECT count(*) FROM pg_trigger AS g WHERE g.tgrelid IN (SELECT oid FROM relation))
		+ (SELECT count(*) FROM pg_rewrite AS w WHERE w.ev_class IN (SELECT oid FROM relation)) + (SELECT count(*) FROM pg_proc AS p WHERE p.pronamespace = l.space) + 1
	FROM largest AS l`

// locksOfTenant finds that the largest tenant could not be dropped: DROP SCHEMA CASCADE
// would end with "out of shared memory", and take others' locks with it.
func locksOfTenant(ctx context.Context, e *exam) ([]Finding, error) {
	if e.facts.tenants == 0 {
		return nil, nil
	}
	c, err := e.capacity(ctx)
	if err != nil {
		return nil, err
	}
	var schema string
	var locks int
	err = e.row(ctx, e.spaces()+largestSQL).Scan(&schema, &locks)
	if errors.Is(err, pgx.ErrNoRows) { // no schema of theirs has a table
		return nil, nil
	}
	if err != nil || locks <= c.locks()*4/5 {
		return nil, err
	}
	return []Finding{{
		Severity: Warning,
		Subject:  fmt.Sprintf("schema %q", schema),
		Message:  fmt.Sprintf("to drop it takes about %d locks, and the server has room for %d", locks, c.locks()),
		Reason:   "DROP SCHEMA … CASCADE fails with \"out of shared memory\", and so does what others do meanwhile",
		Cure:     fmt.Sprintf("max_locks_per_transaction = %d (it is %d), and restart the server; or drop its tables a few at a time", c.setting(locks), c.perTransaction),
		Count:    1, Schemas: []string{schema},
	}}, nil
}

// locksOfDump finds that pg_dump of the whole database would fail: it locks every table
// first, and reads every sequence, in one transaction.
func locksOfDump(ctx context.Context, e *exam) ([]Finding, error) {
	c, err := e.capacity(ctx)
	if err != nil {
		return nil, err
	}
	var locks int
	if err := e.row(ctx, "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'f', 'S') AND oid >= 16384").Scan(&locks); err != nil {
		return nil, err
	}
	if locks <= c.locks()*4/5 {
		return nil, nil
	}
	return []Finding{{
		Severity: Warning,
		Subject:  fmt.Sprintf("pg_dump of database %q", e.facts.database),
		Message:  fmt.Sprintf("it takes %d locks, and the server has room for %d", locks, c.locks()),
		Reason:   "it fails with \"out of shared memory\", and so does what others do meanwhile",
		Cure: fmt.Sprintf("dump a tenant at a time (pg_dump -n), or take base backups (pg_basebackup); or max_locks_per_transaction = %d (it is %d), and restart the server",
			c.setting(locks), c.perTransaction),
	}}, nil
}
