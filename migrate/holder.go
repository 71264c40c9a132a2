package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
)

// holderError is a lock that was not to be had, and who has it.
type holderError struct {
	err  error
	text string // of who has it
}

func (e *holderError) Error() string { return e.err.Error() + "; " + e.text }
func (e *holderError) Unwrap() error { return e.err }

// heldBy adds to the error of a schema whose lock was not to be had who seems to have it.
// It was given up by then, so that this is a guess: whoever has the strongest lock in the
// schema, or else in public, for the longest time.
func (v *visit) heldBy(ctx context.Context, err error) error {
	if dberr.Code(err) != dberr.LockNotAvailable {
		return err
	}
	var text string
	asked := v.worker.use(ctx, func(c changer) (err error) {
		text, err = c.holder(ctx, v.t)
		return err
	})
	if asked != nil || text == "" {
		return err
	}
	if refused, ok := errors.AsType[*StatementError](err); ok {
		refused.holder = text
		return err
	}
	return &holderError{err, text}
}

// holder says who has a lock in a schema; it is empty if nobody has.
func (c changer) holder(ctx context.Context, t target) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, cleanupTimeout)
	defer cancel()
	var pid int32
	var what string
	var user, app, state *string
	var seconds *float64
	err := c.conn.QueryRow(ctx, holderSQL, pgx.QueryExecModeExec, t.schema.String()).Scan(&pid, &what, &user, &app, &state, &seconds)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var about []string
	if user != nil && *user != "" {
		about = append(about, fmt.Sprintf("user %q", *user))
	}
	if app != nil && *app != "" {
		about = append(about, fmt.Sprintf("application %q", *app))
	}
	if state != nil && seconds != nil {
		about = append(about, fmt.Sprintf("%s for %s", *state, time.Duration(*seconds*float64(time.Second)).Round(time.Second)))
	}
	text := fmt.Sprintf("%s is locked by process %d", what, pid)
	if len(about) > 0 {
		text += " (" + strings.Join(about, ", ") + ")"
	}
	return text, nil
}

// holderSQL looks for locks on the tables of a schema, on the schema itself, and on tables
// of public, where a reader is in nobody's way. Other sessions' states are shown to their own role, and to pg_monitor.
const holderSQL = `SELECT a.pid, CASE WHEN c.oid IS NULL THEN 'the schema' ELSE 'table "' || n.nspname || '.' || c.relname || '"' END,
	a.usename::text, a.application_name, a.state,
	extract(epoch FROM pg_catalog.clock_timestamp() - CASE WHEN a.state LIKE 'idle%' THEN a.state_change ELSE a.xact_start END)::float8
	FROM pg_catalog.pg_locks AS l
	JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
	LEFT JOIN pg_catalog.pg_class AS c ON l.locktype = 'relation' AND c.oid = l.relation AND c.relkind IN ('r', 'p', 'm', 'S', 'v')
	JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
		OR l.locktype = 'object' AND l.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND l.objid = n.oid AND l.mode = 'AccessExclusiveLock'
	WHERE l.granted AND l.pid <> pg_catalog.pg_backend_pid()
		AND (n.nspname = $1 OR n.nspname = 'public' AND l.mode NOT IN ('AccessShareLock', 'RowShareLock'))
		AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
	ORDER BY n.nspname = $1 DESC, pg_catalog.array_position(ARRAY['AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock',
		'ShareUpdateExclusiveLock', 'RowExclusiveLock', 'RowShareLock', 'AccessShareLock'], l.mode), a.xact_start, a.pid, c.relname NULLS FIRST LIMIT 1`
