package doctor

import (
	"context"
	"fmt"
)

// transactionsOld finds sessions whose transaction is older than the patience. A migration
// of a table that it has read waits for it, and all others wait for the migration; CREATE
// INDEX CONCURRENTLY waits for every one of them (manual, CREATE INDEX).
func transactionsOld(ctx context.Context, e *exam) ([]Finding, error) {
	findings, err := e.grouped(ctx, `SELECT a.pid || ' of ' || quote_ident(a.usename) || coalesce(' (' || nullif(a.application_name, '') || ')', ''),
			justify_interval(date_trunc('second', clock_timestamp() - a.xact_start)) || CASE WHEN a.state LIKE 'idle%' THEN ', and idle' ELSE '' END, NULL::text
		FROM pg_stat_activity AS a WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() AND a.xact_start < clock_timestamp() - $1::interval`,
		func(g group) Finding {
			return Finding{
				Severity: Warning,
				Subject:  "process " + g.what,
				Message:  "its transaction is open for " + g.detail,
				Reason:   "migrations wait for its locks, CREATE INDEX CONCURRENTLY for its end, and VACUUM removes nothing that it could still see",
				Cure:     "end it: SELECT pg_terminate_backend(pid); let idle_in_transaction_session_timeout do so",
			}
		}, e.patience())
	if err != nil || e.facts.super {
		return findings, err
	}
	var sees bool
	if err := e.row(ctx, "SELECT pg_has_role('pg_read_all_stats', 'USAGE')").Scan(&sees); err != nil || sees {
		return findings, err
	}
	return append(findings, Finding{
		Severity: Note,
		Subject:  fmt.Sprintf("login %q", e.facts.login),
		Message:  "it does not see the transactions of other logins",
		Reason:   "old ones that migrations wait for are not told",
		Cure:     "let an administrator: GRANT pg_read_all_stats TO " + quote(e.facts.login),
	}), nil
}

// replicationSlots finds slots that nobody reads from, for longer than the patience where
// the server knows (from PostgreSQL 17 on): the server keeps all that was written since,
// until the disk is full, and a logical one the catalog's dead rows as well (manual,
// "Replication Slots").
func replicationSlots(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT s.slot_name, coalesce(pg_size_pretty(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, s.restart_lsn)), 'nothing yet'), NULL::text
		FROM pg_replication_slots AS s WHERE NOT s.active AND NOT s.temporary AND coalesce((to_jsonb(s) ->> 'inactive_since')::timestamptz < clock_timestamp() - $1::interval, true)`,
		func(g group) Finding {
			return Finding{
				Severity: Warning,
				Subject:  fmt.Sprintf("replication slot %q", g.what),
				Message:  "nobody reads from it, and the server keeps for it: " + g.detail,
				Reason:   "it grows until the disk is full, and VACUUM does not remove what the slot may need",
				Cure:     "let the subscriber or standby go on; or SELECT pg_drop_replication_slot(" + literal(g.what) + ") if it is gone for good",
			}
		}, e.patience())
}
