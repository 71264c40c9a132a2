package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/schemalock"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
	"github.com/cotenant/cotenant/tenant"
)

// target is a schema that is changed.
type target struct {
	id     int64 // of its tenant, 0 for public
	schema tenant.Schema
	digest string // of its history; empty if that is not known
	// missing says that there is no such schema.
	missing bool
}

// SQLSTATEs of the functions in engine.sql.
const (
	codeBusy    = "CT001" // another program has the schema's lock
	codeChanged = "CT002" // the schema is not as it was when the change was planned
	codePath    = "CT003" // the search path was changed
	codeUnknown = "CT004" // the database has come to a version that was not looked at
	codeHistory = "CT005" // the history is not what it should be behind a file
	codeRole    = "CT006" // the tenants' schemas belong to another role
)

// message is a statement that is sent, and what it is part of.
type message struct {
	step *step
	stmt *sqlfile.Statement // of the step's script; nil for one of ours
	sql  string
	args [][]byte
	ends bool // it commits the step
}

// changer makes changes in schemas over a connection.
type changer struct {
	*Migrator
	conn *pgx.Conn
	run  *run

	differs *[]string        // is added to
	became  map[*step]Action // likewise: what was done, where it shows only then
	fresh   *bool            // the schema had nothing when it was first looked at
}

// changeAll runs the steps in their order, and returns how many are there to stay. What
// can go together goes in one round trip.
func (c changer) changeAll(ctx context.Context, t target, steps []step) (done int, err error) {
	c.fresh = new(bool)
	for done < len(steps) {
		n := 0
		for done+n < len(steps) && c.pipelined(&steps[done+n]) && (n == 0 || steps[done+n-1].tidy()) {
			n++
		}
		last := &steps[done+max(0, n-1)]
		if n > 0 {
			n, err = c.pipeline(ctx, t, steps[done:done+n])
			done += n
		} else if err = c.single(ctx, t, last); err == nil {
			done++
		}
		if !last.tidy() {
			err = errors.Join(err, c.discard(ctx))
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// single runs a step that has something to be asked between its statements.
func (c changer) single(ctx context.Context, t target, s *step) error {
	if s.initial && s.way().NoTransaction {
		err := pgx.BeginFunc(ctx, c.conn, func(tx pgx.Tx) (err error) {
			s, err = c.orFake(ctx, tx, t, s)
			return err
		})
		if err != nil {
			return err
		}
	}
	if s.executes() && s.way().NoTransaction {
		return c.oneByOne(ctx, t, s)
	}
	return c.transaction(ctx, t, s)
}

// pipelined reports whether nothing has to be asked between a step's statements.
func (c changer) pipelined(s *step) bool {
	return s.action != Sync && !s.initial && (!s.executes() || s.way().run == nil && !s.way().NoTransaction) && c.config.OnMigrating == nil
}

// executes reports whether the step runs its script.
func (s *step) executes() bool {
	return s.action == Apply || s.action == Build || s.action == Unapply
}

// tidy reports whether what the step runs leaves nothing in the session but settings and
// the role, which the next step resets: no temporary tables, prepared statements, locks of
// the session, and so on.
func (s *step) tidy() bool {
	if !s.executes() && s.action != Sync {
		return true
	}
	w := s.way()
	return w.run == nil && !slices.ContainsFunc(w.Statements, func(stmt sqlfile.Statement) bool { return !stmt.Tidy() })
}

// mayReach reports whether what the step runs may change the history: whether it names
// it, or calls what is not known. What triggers call is not seen.
func (s *step) mayReach() bool {
	if !s.executes() && s.action != Sync {
		return false
	}
	return !s.tidy() || slices.ContainsFunc(s.way().Statements, func(stmt sqlfile.Statement) bool {
		return strings.Contains(strings.ToLower(stmt.Text), historyTable)
	})
}

// way is what the step runs, if it does.
func (s *step) way() *way {
	if s.action == Unapply {
		return s.script.down
	}
	return &s.script.up
}

// pipeline runs the steps in a transaction each, all in one round trip. The messages are
// one statement each, so that the answers tell which one failed.
func (c changer) pipeline(ctx context.Context, t target, steps []step) (done int, err error) {
	var messages []message
	for i := range steps {
		s := &steps[i]
		messages = append(messages, message{step: s, sql: "BEGIN"})
		messages = append(messages, c.front(t, s)...)
		if s.executes() {
			messages = append(messages, statements(s, s.way().Statements)...)
		}
		messages = append(messages, c.back(t, s)...)
		messages = append(messages, message{step: s, sql: "COMMIT", ends: true})
	}
	n, err := c.send(ctx, t, messages)
	for _, m := range messages[:n] {
		if m.ends {
			done++
		}
	}
	if err != nil {
		c.rollback(ctx)
	}
	return done, err
}

// front is what goes before a step's statements, in its transaction.
func (c changer) front(t target, s *step) []message {
	begin := c.settings(t.schema, c.commitSQL(t.schema))
	begin.sql += ", cotenant.begin_change($5, $6, $7, $8, $9, $10)"
	begin.args = append(begin.args, c.beginArgs(t, s.from, s.to, c.config.MigratorRole)...)
	messages := []message{
		{sql: "RESET ALL"}, // what the file before may have set
		begin,
	}
	if s.first {
		messages = append(messages, message{sql: createHistorySQL(t.schema)})
	}
	for _, name := range s.forget {
		messages = append(messages, message{
			sql:  "DELETE FROM " + searchpath.Qualify(t.schema, historyTable) + " WHERE app = $1 AND name = $2",
			args: texts(s.script.app, name),
		})
	}
	if len(s.records) > 0 {
		messages = append(messages, message{sql: insertRecordsSQL(t.schema, len(s.records)), args: recordParams(s.records)})
	}
	for i := range messages {
		messages[i].step = s
	}
	return messages
}

// beginArgs are the parameters of cotenant.begin_change. Public is never the migrator
// role's.
func (c changer) beginArgs(t target, from, to, role string) [][]byte {
	return texts(formatID(t.id), formatID(schemalock.Key(t.id)), t.schema.String(), from, to, role)
}

// guardSQL has what follows done by the migrator role, if the schema is that role's: in
// the transaction if $3 is true, else in the session. begin_change does so, too.
const guardSQL = `SELECT pg_catalog.set_config('role', r.rolname::text, $3)
	FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS r ON r.oid = n.nspowner WHERE n.nspname = $1 AND r.rolname = $2`

// settings sets the path, proves that the schema is there, and bounds the waiting.
// commit is waitedSQL or unwaitedSQL.
func (c changer) settings(schema tenant.Schema, commit string) message {
	return message{
		sql: `SELECT pg_catalog.set_config('search_path', $1, true), $2::pg_catalog.regnamespace,
	pg_catalog.set_config('lock_timeout', $3, true), pg_catalog.set_config('statement_timeout', $4, true), ` + commit,
		args: texts(c.path(schema), searchpath.Quote(schema), milliseconds(c.config.LockTimeout), milliseconds(c.config.StatementTimeout)),
	}
}

// The commit of a transaction is waited for until it is on disk, whatever the default of
// the session is, or is not. If it is not, a crash can only forget it as a whole.
const (
	waitedSQL = `CASE WHEN pg_catalog.current_setting('synchronous_commit') = 'off'
	THEN pg_catalog.set_config('synchronous_commit', 'local', true) END`
	unwaitedSQL = `pg_catalog.set_config('synchronous_commit', 'off', true)`
)

// commitSQL is for a change in a schema. Those of the tenants are many: a run looks after
// a flush whether all of them are there.
func (c changer) commitSQL(schema tenant.Schema) string {
	if schema.IsPublic() || c.config.tellsDurable() {
		return waitedSQL
	}
	return unwaitedSQL
}

func (m *Migrator) path(schema tenant.Schema) string {
	return searchpath.For(schema, m.config.ExtraSchemas...)
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// back is what goes behind a step's statements, in its transaction.
func (c changer) back(t target, s *step) []message {
	if !s.executes() && s.action != Sync {
		return nil
	}
	return c.ends(t, s, s.to)
}

// ends proves that the statements left the path as it was, that it led to the schema all
// the time, and that the history has the digest. They may have another role.
func (c changer) ends(t target, s *step, digest string) []message {
	messages := []message{
		{step: s, sql: "RESET SESSION AUTHORIZATION"},
		{step: s, sql: "SELECT cotenant.end_change($1, $2, $3, pg_catalog.current_setting('search_path'))", args: texts(formatID(t.id), t.schema.String(), c.path(t.schema))},
	}
	if s.reaches {
		messages = append(messages, message{step: s, sql: "SELECT cotenant.keep_history($1, $2)", args: texts(t.schema.String(), digest)})
	}
	return messages
}

func statements(s *step, stmts []sqlfile.Statement) []message {
	messages := make([]message, 0, len(stmts))
	for i := range stmts {
		messages = append(messages, message{step: s, stmt: &stmts[i], sql: stmts[i].Text})
	}
	return messages
}

func texts(values ...string) [][]byte {
	params := make([][]byte, len(values))
	for i, v := range values {
		params[i] = []byte(v)
	}
	return params
}

// send sends the messages in one round trip, and returns how many of them succeeded.
func (c changer) send(ctx context.Context, t target, messages []message) (done int, err error) {
	batch := &pgconn.Batch{}
	for _, m := range messages {
		batch.ExecParams(m.sql, m.args, nil, nil, nil)
	}
	results := c.conn.PgConn().ExecBatch(ctx, batch)
	for results.NextResult() {
		if _, err := results.ResultReader().Close(); err != nil {
			break
		}
		done++
	}
	if err := results.Close(); err != nil {
		return done, c.explain(ctx, t, messages[min(done, len(messages)-1)], err)
	}
	return done, nil
}

// explain says of an error where it comes from.
func (c changer) explain(ctx context.Context, t target, m message, err error) error {
	if cause := context.Cause(ctx); cause != nil && dberr.Code(err) == "" {
		return fmt.Errorf("%s: schema %q: %w", m.step.script.file, t.schema, cause)
	}
	switch code := dberr.Code(err); {
	case m.stmt != nil:
		refused := c.newStatementError(t.schema, m.step.way().File, *m.stmt, err)
		refused.creation = c.run == nil
		return refused
	case code == codePath:
		var pgErr *pgconn.PgError
		errors.As(err, &pgErr)
		return fmt.Errorf("%s: schema %q: it changes the search path to %q, which cotenant sets to the schema that the file is for (qualify names instead)%s",
			m.step.script.file, t.schema, pgErr.Message, m.step.kept())
	case code == codeHistory:
		return fmt.Errorf("%s: schema %q: %w (take out what does so; a record is made or forgotten with --fake)%s", m.step.script.file, t.schema, errHistory, m.step.kept())
	case code == codeRole:
		var pgErr *pgconn.PgError
		errors.As(err, &pgErr)
		return fmt.Errorf("%s: schema %q: migrator_role %q: the tenants' schemas belong to %q (correct the setting; how they are given to another role, a run of the migrations says)",
			m.step.script.file, t.schema, c.config.MigratorRole, pgErr.Message)
	case strings.HasPrefix(m.sql, "WITH recorded") && code == dberr.DivisionByZero:
		return fmt.Errorf("%s: schema %q: %w; it did not run", m.step.script.file, t.schema, errNotRecorded)
	case strings.Contains(m.sql, " cotenant.") && (code == dberr.UndefinedFunction || code == dberr.UndefinedTable || code == dberr.InvalidSchemaName && !strings.Contains(m.sql, "regnamespace")):
		return fmt.Errorf("%s: schema %q: what cotenant keeps of the schemas is not there, or is older than the program (migrate the shared apps first): %w", m.step.script.file, t.schema, err)
	case m.sql == giveMadeSQL:
		return fmt.Errorf("schema %q: what OnTenantCreated made there cannot be given to role %q: %w (let the hook make it as that role: SET LOCAL ROLE before it, RESET ROLE behind it)",
			t.schema, c.config.MigratorRole, err)
	case strings.Contains(m.sql, " cotenant.") && code == dberr.InsufficientPrivilege:
		return fmt.Errorf("%s: schema %q: %w (GRANT USAGE ON SCHEMA cotenant and SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cotenant to the role, or run as its owner)", m.step.script.file, t.schema, err)
	case m.ends: // a deferred constraint, most likely
		return fmt.Errorf("%s: schema %q: %w%s", m.step.script.file, t.schema, err, m.step.kept())
	}
	return fmt.Errorf("%s: %w", m.step.script.file, c.schemaError(t.schema, err))
}

// errHistory says that a file has changed the history. One that was changed by hand before
// looks the same, until it is read again.
var errHistory = errors.New("it changes " + historyTable + ", where cotenant records what the schema has")

// errNotRecorded says that the table of the history takes no records.
var errNotRecorded = errors.New("it cannot be recorded in " + historyTable + ", which has a trigger, or a policy, that keeps records out (drop it)")

// kept says that nothing of a file was, unless its statements run one by one.
func (s *step) kept() string {
	if s.executes() && s.way().NoTransaction {
		return ""
	}
	return "; nothing of the file was kept"
}

// rollback leaves the transaction that failed, if the connection has one.
func (c changer) rollback(ctx context.Context) {
	if c.conn.IsClosed() || c.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if _, err := c.conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = c.conn.Close(ctx)
	}
}

// cleanupTimeout bounds what is done after the caller has given up.
const cleanupTimeout = 5 * time.Second

func formatID(id int64) string { return strconv.FormatInt(id, 10) }
