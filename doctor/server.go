package doctor

import (
	"context"
	"fmt"
)

// fixedIn are the minor releases, by major version, from which a rolled back SET SESSION
// AUTHORIZATION leaves a session its role (CVE-2024-10978): a session without it could do
// as the migrator role, or not as it, what it should not.
func fixedIn(major int) int {
	return map[int]int{14: 14, 15: 9, 16: 5, 17: 1}[major]
}

// outdated is the release that a server of this server_version_num should at least be of,
// empty if it is.
func outdated(version int) string {
	major, minor := version/10000, version%10000
	if fixed := fixedIn(major); minor < fixed {
		return fmt.Sprintf("%d.%d", major, fixed)
	}
	return ""
}

// serverVersion finds a server without the minor releases that cotenant's roles need.
func serverVersion(_ context.Context, e *exam) ([]Finding, error) {
	fixed := outdated(e.facts.version)
	if fixed == "" {
		return nil, nil
	}
	return []Finding{{
		Severity: Warning,
		Subject:  "PostgreSQL " + e.facts.name,
		Message:  "rolling back a SET SESSION AUTHORIZATION can leave a session another role (CVE-2024-10978)",
		Reason:   "what a tenant's migration does could run as a role that may do more, or less",
		Cure:     "upgrade to " + fixed + " or later: the data stay as they are",
	}}, nil
}

// standby says that the server is one: what it holds is examined all the same.
func standby(_ context.Context, e *exam) ([]Finding, error) {
	if !e.facts.standby {
		return nil, nil
	}
	return []Finding{{
		Severity: Note,
		Subject:  fmt.Sprintf("database %q", e.facts.database),
		Message:  "the server is a standby",
		Reason:   "sessions, locks, connections and what autovacuum does are those of this server, and not of the primary; nothing can be mended here",
		Cure:     "examine the primary, too",
	}}, nil
}

// timeouts says which time-outs the login does without.
func timeouts(ctx context.Context, e *exam) ([]Finding, error) {
	var lock, idle bool // off. Our own session has a lock_timeout
	err := e.row(ctx, `SELECT (SELECT reset_val = '0' FROM pg_settings WHERE name = 'lock_timeout'), (SELECT reset_val = '0' FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout')`).
		Scan(&lock, &idle)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, t := range []struct {
		off                 bool
		name, reason, value string
	}{
		{lock, "lock_timeout", "a statement that waits for a lock is waited for by all that come behind it, without end; migrations set their own", "5s"},
		{idle, "idle_in_transaction_session_timeout", "a program that stops within a transaction keeps its locks, and dead rows, without end", "5min"},
	} {
		if t.off {
			findings = append(findings, Finding{
				Severity: Note,
				Subject:  t.name,
				Message:  fmt.Sprintf("login %q has none", e.facts.login),
				Reason:   t.reason,
				Cure:     fmt.Sprintf("ALTER ROLE %s SET %s = '%s'", quote(e.facts.login), t.name, t.value),
			})
		}
	}
	return findings, nil
}

// transactionIDs finds that the database's oldest transaction is too old: VACUUM FREEZE
// visits each table once in autovacuum_freeze_max_age transactions, and many schemas are
// many tables. At some two billion the server takes no more commands (manual,
// "Preventing Transaction ID Wraparound Failures").
func transactionIDs(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT a.kind, concat_ws(' ', a.age, a.age > a.failsafe, a.due), NULL::text FROM pg_database AS d, LATERAL (VALUES
			('transaction', age(d.datfrozenxid)::bigint, current_setting('vacuum_failsafe_age')::bigint, current_setting('autovacuum_freeze_max_age')::bigint),
			('multixact', mxid_age(d.datminmxid)::bigint, current_setting('vacuum_multixact_failsafe_age')::bigint, current_setting('autovacuum_multixact_freeze_max_age')::bigint)
		) AS a (kind, age, failsafe, due) WHERE d.datname = current_database() AND (a.age > 2 * a.due OR a.age > a.failsafe)`,
		func(g group) Finding {
			var age, freeze int64
			var failsafe string
			_, _ = fmt.Sscan(g.detail, &age, &failsafe, &freeze) // the query has written it
			f := Finding{
				Severity: Warning,
				Subject:  fmt.Sprintf("database %q", e.facts.database),
				Message:  fmt.Sprintf("its oldest %s id is %d transactions old, and autovacuum should see to that from %d on", g.what, age, freeze),
				Reason:   "autovacuum does not keep up with the number of tables; at some 2.1 billion the server takes no more writes",
				Cure:     "VACUUM (FREEZE) the tables with the greatest age(relfrozenxid); look for old transactions and replication slots; raise autovacuum_max_workers and autovacuum_vacuum_cost_limit",
			}
			if failsafe == "t" {
				f.Severity = Error
			}
			return f
		})
}
