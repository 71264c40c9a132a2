package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// invalidSQL are the indexes in the schemas, public among them, that are invalid, and that
// nobody is building: whoever does holds a ShareUpdateExclusive lock on the table, which
// all can see, also where pg_stat_progress_create_index hides what others do. VACUUM holds
// it, too: such an index is told the next time. leftover is what REINDEX CONCURRENTLY
// leaves when it is interrupted, beside the index itself, which is good (manual, REINDEX,
// "Rebuilding Indexes Concurrently"): the new one, or the old one that was to be dropped.
const invalidSQL = `SELECT x.oid, x.relname AS index, r.relname AS table, s.name AS schema, x.relkind,
		x.relname ~ '_cc(new|old)[0-9]*$' AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = x.oid) AND EXISTS (
			SELECT FROM pg_index AS oi JOIN pg_class AS o ON o.oid = oi.indexrelid
			WHERE oi.indrelid = r.oid AND oi.indisvalid AND o.relname = regexp_replace(x.relname, '_cc(new|old)[0-9]*$', '')) AS leftover
	FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_class AS r ON r.oid = i.indrelid JOIN home AS s ON s.space = x.relnamespace
	WHERE NOT i.indisvalid AND NOT EXISTS (SELECT FROM pg_locks AS l WHERE l.locktype = 'relation' AND l.relation = r.oid AND l.granted
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.mode = 'ShareUpdateExclusiveLock')`

// indexesInvalid finds indexes that a CREATE INDEX CONCURRENTLY has left that failed or was
// interrupted: no query uses them, every write keeps them up, and a unique one does not
// hold (manual, CREATE INDEX, "Building Indexes Concurrently").
func indexesInvalid(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT index, CASE relkind WHEN 'I' THEN 'partitioned ' ELSE '' END || quote_ident("table"), schema FROM (`+invalidSQL+`) AS i WHERE NOT leftover`,
		func(g group) Finding {
			f := Finding{
				Severity: Error,
				Subject:  fmt.Sprintf("index %q on %s", g.what, g.detail),
				Message:  "it is invalid",
				Reason:   "no query uses it, and every write keeps it up; if it is unique, it does not hold",
				Cure:     "run \"cotenant migrate\", which builds it anew if a migration is to; else REINDEX INDEX CONCURRENTLY " + quote(g.schemas[0], g.what) + ", or DROP INDEX CONCURRENTLY",
			}
			if strings.HasPrefix(g.detail, "partitioned ") {
				f.Cure = "build it on the partitions that lack it, and ALTER INDEX " + quote(g.schemas[0], g.what) + " ATTACH PARTITION …"
			}
			return f
		})
}

// indexesLeftOver finds what is left of a REINDEX CONCURRENTLY.
func indexesLeftOver(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT index, quote_ident("table"), schema FROM (`+invalidSQL+`) AS i WHERE leftover`,
		func(g group) Finding {
			return Finding{
				Severity: Warning,
				Subject:  fmt.Sprintf("index %q on %s", g.what, g.detail),
				Message:  "it is what a REINDEX CONCURRENTLY has left that was interrupted",
				Reason:   "no query uses it, and every write may keep it up",
				Cure:     "drop it: doctor --fix",
				Fix:      dropIndexSQL(g.schemas[0], g.what),
			}
		})
}

func dropIndexSQL(schema, index string) string { return "DROP INDEX " + quote(schema, index) }

// dropLeftOver drops those. It is safe: the index that they stand in for is there and
// valid, which is looked at again under the lock, and no constraint needs them. Others that
// are invalid are not dropped: somebody wanted them, and nothing else says so. DROP INDEX
// without CONCURRENTLY is one transaction; its lock, which is waited for no longer than a
// migration waits, is held for a change of the catalog.
func dropLeftOver(ctx context.Context, e *exam, done func(Fixed)) error {
	for after := uint32(0); ; {
		indexes, err := list(ctx, e, pgx.RowToStructByPos[leftOver],
			e.spaces()+` SELECT i.oid, i.index, i."table", i.schema FROM (`+invalidSQL+`) AS i WHERE leftover AND i.oid > $1 ORDER BY i.oid LIMIT $2`, after)
		if err != nil || len(indexes) == 0 {
			return err
		}
		for _, l := range indexes {
			if err := e.over(ctx); err != nil {
				return err
			}
			done(Fixed{
				Subject: fmt.Sprintf("schema %q: index %q on %q", l.Schema, l.Index, l.Table),
				SQL:     dropIndexSQL(l.Schema, l.Index), Err: e.dropLeftOver(ctx, l),
			})
			after = l.OID
		}
	}
}

// leftOver is an index of which nobody has a use.
type leftOver struct {
	OID                  uint32
	Index, Table, Schema string
}

// dropLeftOver locks the table, so that nobody changes its indexes, looks again, and drops.
func (e *exam) dropLeftOver(ctx context.Context, l leftOver) error {
	return e.change(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "LOCK TABLE "+quote(l.Schema, l.Table)+" IN ACCESS EXCLUSIVE MODE", pgx.QueryExecModeExec); err != nil {
			return fmt.Errorf("lock table %q: %w", l.Table, err)
		}
		var now leftOver
		err := tx.QueryRow(ctx, e.spaces()+` SELECT i.oid, i.index, i."table", i.schema FROM (`+invalidSQL+`) AS i WHERE leftover AND i.oid = $1`, pgx.QueryExecModeExec, l.OID).
			Scan(&now.OID, &now.Index, &now.Table, &now.Schema)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && now != l {
			return errChanged
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, dropIndexSQL(l.Schema, l.Index), pgx.QueryExecModeExec)
		return err
	})
}
