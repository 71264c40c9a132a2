package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// oneByOne runs a step whose statements PostgreSQL does not run in a transaction, or
// whose file says so:
//  1. it takes the schema's lock for the session, without waiting in it;
//  2. it looks how far an earlier run has come, and sees to it that there is a history;
//  3. it runs each statement that is left: one that must stand alone between a note that
//     it has begun and one that it is done, others in a transaction with the latter;
//  4. it records the step and forgets the notes, in a transaction.
func (c changer) oneByOne(ctx context.Context, t target, s *step) (err error) {
	locked, err := c.tryLock(ctx, t)
	if err != nil || !locked {
		return errors.Join(err, errBusyUnless(locked))
	}
	defer func() {
		c.rollback(ctx)
		err = errors.Join(err, c.discard(ctx))
	}()
	p, err := c.progressOf(ctx, t, s)
	if err != nil {
		return err
	}
	stmts := s.way().Statements
	for i := p.done; i < len(stmts); i++ {
		if err := c.one(ctx, t, s, p, i); err != nil {
			var refused *StatementError
			if errors.As(err, &refused) {
				refused.Kept = i
			}
			return err
		}
	}
	return c.finish(ctx, t, s)
}

// progress is how far a step has come.
type progress struct {
	done  int // statements
	begun int // statements; one more than done if it is not known what became of one
}

// progressOf reads the progress of a step, or begins it.
func (c changer) progressOf(ctx context.Context, t target, s *step) (*progress, error) {
	// It is checked that the schema is as it was planned for, and nothing changed but that
	// it has the table of its history: behind each statement that is looked at.
	messages := []message{
		{sql: "BEGIN"},
		{sql: "SELECT cotenant.begin_change($1, $2, $3, $4, $5, $6)", args: c.beginArgs(t, s.from, s.from, c.config.MigratorRole)},
	}
	if s.first {
		messages = append(messages, c.settings(t.schema, c.commitSQL(t.schema)), message{sql: createHistorySQL(t.schema)})
	}
	if err := c.sendFor(ctx, t, s, append(messages, message{sql: "COMMIT"})); err != nil {
		return nil, err
	}
	var p progress
	var checksum string
	err := c.conn.QueryRow(ctx, `SELECT p.done, p.begun, p.checksum FROM cotenant.migration_progress AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.namespace
		WHERE p.tenant_id = $1 AND p.app = $2 AND p.name = $3 AND n.nspname = $4`, pgx.QueryExecModeExec, t.id, s.script.app, s.progressName(), t.schema.String()).
		Scan(&p.done, &p.begun, &checksum)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return &p, nil
	case err != nil:
		return nil, fmt.Errorf("%s: schema %q: %w", s.way().File, t.schema, err)
	}
	if stmts := s.way().Statements; p.done > len(stmts) || checksum != checksumOf(stmts[:p.done]) {
		return nil, fmt.Errorf("%s: schema %q: its first %d statements ran before and have changed since (restore them, and change only what comes behind; or undo by hand what they did and DELETE FROM cotenant.migration_progress WHERE tenant_id = %d)",
			s.way().File, t.schema, p.done, t.id)
	}
	return &p, nil
}

// progressName keeps the ways there and back apart.
func (s *step) progressName() string {
	if s.action == Unapply {
		return s.script.name + " back"
	}
	return s.script.name
}

func checksumOf(stmts []sqlfile.Statement) string {
	sum := sha256.New()
	for _, stmt := range stmts {
		fmt.Fprintf(sum, "%s\x00", stmt.Text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// note is the message that says how far a step has come.
func (c changer) note(t target, s *step, done, begun int) message {
	return message{
		step: s,
		sql: `INSERT INTO cotenant.migration_progress AS p (tenant_id, namespace, app, name, done, begun, checksum) VALUES ($1, $2::pg_catalog.regnamespace, $3, $4, $5, $6, $7)
	ON CONFLICT (tenant_id, app, name) DO UPDATE SET namespace = excluded.namespace, done = excluded.done, begun = excluded.begun, checksum = excluded.checksum`,
		args: texts(formatID(t.id), searchpath.Quote(t.schema), s.script.app, s.progressName(), strconv.Itoa(done), strconv.Itoa(begun), checksumOf(s.way().Statements[:done])),
	}
}

// one runs the statement i of a step.
func (c changer) one(ctx context.Context, t target, s *step, p *progress, i int) error {
	stmt := &s.way().Statements[i]
	begin := []message{{sql: "RESET SESSION AUTHORIZATION"}, {sql: "RESET ALL"}}
	if !stmt.Alone {
		messages := append(append([]message{{sql: "BEGIN"}}, begin...), c.settings(t.schema, c.commitSQL(t.schema)), c.note(t, s, i+1, i+1))
		messages = append(messages, c.guard(t, true), message{stmt: stmt, sql: stmt.Text})
		return c.sendFor(ctx, t, s, append(append(messages, c.ends(t, s, s.from)...), message{sql: "COMMIT", ends: true}))
	}
	there, err := c.lookBefore(ctx, t, s, stmt, p.begun > i)
	if err != nil {
		return err
	}
	if !there {
		if err := c.alone(ctx, t, s, begin, i); err != nil {
			return errors.Join(err, c.refused(ctx, t, s, begin, i, err))
		}
	}
	return c.sendFor(ctx, t, s, append(begin, c.note(t, s, i+1, i+1)))
}

// refused cleans up behind a statement that failed. Where PostgreSQL said so, it is noted
// that it has not done its work.
func (c changer) refused(ctx context.Context, t target, s *step, begin []message, i int, err error) error {
	if c.conn.IsClosed() || dberr.Code(err) == "" {
		return nil // the next run will look
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	return errors.Join(c.cleanUp(ctx, t, s, &s.way().Statements[i]), c.sendFor(ctx, t, s, append(begin, c.note(t, s, i, i))))
}

// alone runs a statement outside of a transaction: first it is noted that it begins, and
// what the session needs is set, which then holds for the session.
func (c changer) alone(ctx context.Context, t target, s *step, begin []message, i int) error {
	stmt := &s.way().Statements[i]
	session := message{sql: sessionSettingsSQL, args: texts(c.path(t.schema), searchpath.Quote(t.schema), milliseconds(c.config.LockWait), milliseconds(c.config.StatementTimeout))}
	if err := c.sendFor(ctx, t, s, append(begin, c.note(t, s, i, i+1), session, c.guard(t, false))); err != nil {
		return err
	}
	return c.sendFor(ctx, t, s, []message{{stmt: stmt, sql: stmt.Within(searchpath.Quote(t.schema))}})
}

// sessionSettingsSQL does for a session what settings does for a transaction. A statement
// that builds an index waits for whoever is at work on its table: for LockWait.
const sessionSettingsSQL = `SELECT pg_catalog.set_config('search_path', $1, false), $2::pg_catalog.regnamespace,
	pg_catalog.set_config('lock_timeout', $3, false), pg_catalog.set_config('statement_timeout', $4, false)`

// guard is for the transaction, or else for the session.
func (c changer) guard(t target, transaction bool) message {
	return message{sql: guardSQL, args: texts(t.schema.String(), c.config.MigratorRole, strconv.FormatBool(transaction))}
}

// sendFor sends messages that are part of a step.
func (c changer) sendFor(ctx context.Context, t target, s *step, messages []message) error {
	for i := range messages {
		messages[i].step = s
	}
	_, err := c.send(ctx, t, messages)
	if err != nil {
		c.rollback(ctx)
	}
	return err
}

// finish records a step all of whose statements ran.
func (c changer) finish(ctx context.Context, t target, s *step) error {
	messages := append([]message{{sql: "BEGIN"}}, c.front(t, s)...)
	messages = append(messages,
		message{sql: "RESET SESSION AUTHORIZATION"},
		message{
			sql:  "DELETE FROM cotenant.migration_progress WHERE tenant_id = $1 AND app = $2 AND name = $3",
			args: texts(formatID(t.id), s.script.app, s.progressName()),
		})
	if c.config.OnMigrating == nil {
		return c.sendFor(ctx, t, s, append(messages, message{sql: "COMMIT", ends: true}))
	}
	tx, err := c.conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("%s: schema %q: %w", s.way().File, t.schema, err)
	}
	if err := c.sendFor(ctx, t, s, messages[1:]); err != nil {
		return err
	}
	if err := c.onMigrating(ctx, tx, t, s); err != nil {
		c.rollback(ctx)
		return err
	}
	return c.sendFor(ctx, t, s, []message{{sql: "COMMIT", ends: true}})
}
