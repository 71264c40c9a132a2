package doctor

import (
	"context"
	"fmt"

	"github.com/cotenant/cotenant/internal/schemalock"
)

// nobodyAt is the condition that nobody holds the lock of the schema of p's tenant.
func nobodyAt() string {
	return fmt.Sprintf(`NOT EXISTS (SELECT FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND (l.classid::bigint << 32 | l.objid::bigint) = (%d | p.tenant_id))`, schemalock.Key(0))
}

// migrationsHalfDone finds migrations whose statements run one by one, of which some ran
// and nobody is at work on the others: a program was killed, or a statement failed.
func migrationsHalfDone(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT p.app || '/' || p.name, p.done || CASE WHEN p.begun > p.done THEN ', and it is not known what became of the next' ELSE '' END, coalesce(t.name, 'public')
		FROM cotenant.migration_progress AS p LEFT JOIN tenant AS t ON t.id = p.tenant_id
		JOIN pg_namespace AS n ON n.oid = p.namespace AND n.nspname = CASE p.tenant_id WHEN 0 THEN 'public' ELSE t.name END WHERE `+nobodyAt(),
		func(g group) Finding {
			return Finding{
				Severity: Warning,
				Subject:  "migration " + g.what,
				Message:  "it is half done, and nobody is at work on it; statements that ran: " + g.detail,
				Reason:   "the schema is neither as it was nor as it should be",
				Cure:     "run \"cotenant migrate\", which goes on where it ended",
			}
		})
}

// staleSQL are the rows of progress p whose schema is gone, or another one of that name.
const staleSQL = `NOT EXISTS (SELECT FROM pg_namespace AS n WHERE n.oid = p.namespace
	AND n.nspname = CASE p.tenant_id WHEN 0 THEN 'public' ELSE (SELECT t.schema_name::text FROM %s AS t WHERE t.id = p.tenant_id) END)`

// progressStale finds notes of how far a migration came in a schema that is gone.
func progressStale(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT '', min(p.tenant_id) OVER (), NULL::text FROM cotenant.migration_progress AS p WHERE `+fmt.Sprintf(staleSQL, e.tenants)+" AND "+nobodyAt(),
		func(g group) Finding {
			return Finding{
				Severity: Note,
				Subject:  count(g.count, "row", "rows") + " of cotenant.migration_progress",
				Message:  "the schema that the migration was half done in is gone",
				Reason:   "nobody will go on with it",
				Cure:     "delete them: doctor --fix",
				Fix:      e.forgetProgressSQL(g.detail),
			}
		})
}

func (e *exam) forgetProgressSQL(id string) string {
	return "DELETE FROM cotenant.migration_progress AS p WHERE p.tenant_id = " + id + " AND " + fmt.Sprintf(staleSQL, e.tenants)
}

// forgetProgress deletes them. It is safe: a run takes no notice of notes that are of
// another schema than the one it is in. Those of a schema that is there are not touched,
// since the statements would run twice.
func forgetProgress(ctx context.Context, e *exam, done func(Fixed)) error {
	return e.eachID(ctx, `SELECT DISTINCT p.tenant_id FROM cotenant.migration_progress AS p WHERE p.tenant_id > $1 AND `+fmt.Sprintf(staleSQL, e.tenants)+` ORDER BY 1 LIMIT $2`,
		func(id int64) {
			sql := e.forgetProgressSQL(fmt.Sprint(id))
			done(Fixed{Subject: fmt.Sprintf("tenant %d", id), SQL: sql, Err: e.forget(ctx, id, sql)})
		})
}
