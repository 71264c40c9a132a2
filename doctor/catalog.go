package doctor

import (
	"context"
	"fmt"
	"strings"
)

const (
	largeCatalog = 2 << 30 // bytes, of 2,000 schemas of 22 tables it is 700 MB
	manyDead     = 50_000  // rows
)

// catalogSize says how large the catalog is, where it is large: a backend keeps what it has
// read of it, a hundred schemas of 22 tables and 50 indexes are some 30 MB, and what looks
// at all of it, such as pg_dump and psql's \d, takes its time.
func catalogSize(ctx context.Context, e *exam) ([]Finding, error) {
	return catalogOver(ctx, e, largeCatalog)
}

func catalogOver(ctx context.Context, e *exam, limit int64) ([]Finding, error) {
	var bytes int64
	var size, largest string
	err := e.row(ctx, `WITH sized AS MATERIALIZED (SELECT c.relname, pg_total_relation_size(c.oid) AS size FROM pg_class AS c WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r')
		SELECT coalesce(sum(size), 0)::bigint, pg_size_pretty(sum(size)),
			(SELECT string_agg(relname || ' ' || pg_size_pretty(size), ', ') FROM (SELECT relname, size FROM sized ORDER BY size DESC LIMIT 4) AS s) FROM sized`).Scan(&bytes, &size, &largest)
	if err != nil || bytes < limit {
		return nil, err
	}
	return []Finding{{
		Severity: Note,
		Subject:  fmt.Sprintf("database %q", e.facts.database),
		Message:  fmt.Sprintf("its catalog has %s: %s", size, largest),
		Reason:   "a backend keeps what it has read of it, and what looks at all of it takes its time",
		Cure:     "let shared_buffers hold it, and connections not live for ever (pool_max_conn_lifetime); beyond some 10,000 schemas, another database",
	}}, nil
}

// catalogBloat finds tables of the catalog of which more rows are dead than alive. Many
// migrations leave them, as each UPDATE does; autovacuum should have been there at a fifth.
func catalogBloat(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT c.relname, pg_stat_get_dead_tuples(c.oid) || ' rows are dead and ' || pg_stat_get_live_tuples(c.oid) || ' alive, '
			|| coalesce('last vacuumed at ' || date_trunc('second', greatest(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid))), 'never vacuumed since the statistics began'), NULL::text
		FROM pg_class AS c WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND pg_stat_get_dead_tuples(c.oid) > greatest($1, pg_stat_get_live_tuples(c.oid))`,
		func(g group) Finding {
			return Finding{
				Severity: Warning,
				Subject:  "pg_catalog." + quote(g.what),
				Message:  g.detail,
				Reason:   "every look-up of a table or a column wades through them, and a new connection reads more",
				Cure:     "end old transactions, prepared ones and replication slots that keep them; then VACUUM pg_catalog." + quote(g.what) + " as its owner",
			}
		}, manyDead)
}

// autovacuumOff finds that nothing cleans up: many schemas are many tables, and the
// catalog changes with each migration.
func autovacuumOff(ctx context.Context, e *exam) ([]Finding, error) {
	var off []string
	err := e.row(ctx, "SELECT array_agg(s) FILTER (WHERE current_setting(s) = 'off') FROM unnest(ARRAY['autovacuum', 'track_counts']) AS s").Scan(&off)
	if err != nil || len(off) == 0 {
		return nil, err
	}
	return []Finding{{
		Severity: Warning,
		Subject:  strings.Join(off, " and "),
		Message:  "off",
		Reason:   "dead rows stay, the catalog's among them, statistics grow old, and transaction ids run out without warning",
		Cure:     strings.Join(off, " and ") + " = on in postgresql.conf",
	}}, nil
}
