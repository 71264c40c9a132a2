package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/locktable"
)

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

// locksOfTenant finds that the largest tenant could not be dropped in one transaction: DROP
// SCHEMA CASCADE would end with "out of shared memory", and take others' locks with it.
func locksOfTenant(ctx context.Context, e *exam) ([]Finding, error) {
	if e.facts.tenants == 0 {
		return nil, nil
	}
	c, err := locktable.Read(ctx, e.tx)
	if err != nil {
		return nil, err
	}
	var schema string
	var locks int
	err = e.row(ctx, e.spaces()+largestSQL).Scan(&schema, &locks)
	if errors.Is(err, pgx.ErrNoRows) { // no schema of theirs has a table
		return nil, nil
	}
	if err != nil || locks <= c.Locks()*4/5 {
		return nil, err
	}
	return []Finding{{
		Severity: Warning,
		Subject:  fmt.Sprintf("schema %q", schema),
		Message:  fmt.Sprintf("to drop it takes about %d locks, and the server has room for %d", locks, c.Locks()),
		Reason:   "DROP SCHEMA … CASCADE fails with \"out of shared memory\", and so does what others do meanwhile",
		Cure:     fmt.Sprintf("max_locks_per_transaction = %d (it is %d), and restart the server; or have tenant delete drop it, a batch of tables at a time", c.Setting(locks), c.PerTransaction),
		Count:    1, Schemas: []string{schema},
	}}, nil
}

// locksOfDump finds that pg_dump of the whole database would fail: it locks every table
// first, and reads every sequence, in one transaction.
func locksOfDump(ctx context.Context, e *exam) ([]Finding, error) {
	c, err := locktable.Read(ctx, e.tx)
	if err != nil {
		return nil, err
	}
	var locks int
	if err := e.row(ctx, "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'f', 'S') AND oid >= 16384").Scan(&locks); err != nil {
		return nil, err
	}
	if locks <= c.Locks()*4/5 {
		return nil, nil
	}
	return []Finding{{
		Severity: Warning,
		Subject:  fmt.Sprintf("pg_dump of database %q", e.facts.database),
		Message:  fmt.Sprintf("it takes %d locks, and the server has room for %d", locks, c.Locks()),
		Reason:   "it fails with \"out of shared memory\", and so does what others do meanwhile",
		Cure: fmt.Sprintf("dump a tenant at a time (pg_dump -n), or take base backups (pg_basebackup); or max_locks_per_transaction = %d (it is %d), and restart the server",
			c.Setting(locks), c.PerTransaction),
	}}, nil
}
