package doctor

import (
	"context"
	"fmt"
	"time"
)

// scratchLeft finds what we make for a moment and what a crash may have left: databases of
// cotenant check, in which nobody is and whose names say that they were made more than an
// hour ago, as between its steps nobody is in those of a check that runs; and schemas, which are rolled back, so that one that
// can be seen was made by hand. Names that begin with cotenant are ours.
func scratchLeft(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT 'DROP DATABASE ' || quote_ident(d.datname), 'database ' || quote_ident(d.datname), NULL::text FROM pg_database AS d
			WHERE d.datname ~ '^cotenant_(check|scratch)_' AND NOT EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.datid = d.oid)
				AND coalesce(substring(d.datname::text FROM '^cotenant_check_([0-9]{14})_'), '') < to_char(now() AT TIME ZONE 'UTC' - interval '1 hour', 'YYYYMMDDHH24MISS')
		UNION ALL SELECT 'DROP SCHEMA ' || quote_ident(n.nspname) || ' CASCADE', 'schema ' || quote_ident(n.nspname), NULL FROM pg_namespace AS n WHERE n.nspname ~ '^cotenant_(scratch_|deleted_[0-9]+$)'`,
		func(g group) Finding {
			return Finding{
				Severity: Note,
				Subject:  g.detail,
				Message:  "it is a scratch one, or a deleted tenant's, that a crash has left",
				Reason:   "it takes up space, and nobody uses it",
				Cure:     g.what + ", unless a check is beginning, or a tenant being deleted, right now (what is left of tenants the next tenant delete drops, too)",
			}
		})
}

// preparedTransactions finds transactions that were prepared for a commit in two phases and
// are older than the patience. They survive a restart, keep their locks, and keep VACUUM
// from removing what is dead since then (manual, PREPARE TRANSACTION, "Notes").
func preparedTransactions(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT p.gid, 'by ' || quote_ident(p.owner) || ' ' || justify_interval(date_trunc('second', clock_timestamp() - p.prepared)) || ' ago', NULL::text
		FROM pg_prepared_xacts AS p WHERE p.database = current_database() AND p.prepared < clock_timestamp() - $1::interval`,
		func(g group) Finding {
			return Finding{
				Severity: Warning,
				Subject:  fmt.Sprintf("prepared transaction %q", g.what),
				Message:  "it was prepared " + g.detail,
				Reason:   "it keeps its locks, which migrations wait for, and dead rows of the catalog",
				Cure:     "let who prepared it end it: ROLLBACK PREPARED " + literal(g.what) + ", or COMMIT PREPARED",
			}
		}, e.patience())
}

// patience is the patience as an interval of PostgreSQL.
func (e *exam) patience() string {
	return fmt.Sprintf("%d microseconds", e.config.Patience/time.Microsecond)
}
