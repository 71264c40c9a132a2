package migrate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// Config names the apps of a Migrator.
type Config struct {
	// Logger is told about each file that ran and each lock that is waited
	// for. Defaults to a logger that discards.
	Logger *slog.Logger
	// SharedApps have their tables in public, in this order.
	SharedApps []App
	// TenantApps have their tables in the schema of every tenant, in this
	// order. An app can be in both lists.
	TenantApps []App
}

// Migrator brings apps into schemas. It is safe for concurrent use.
type Migrator struct {
	logger *slog.Logger
	shared []loadedApp
	tenant []loadedApp
}

// New reads all files of the apps and returns a Migrator for them. It does not
// touch a database. Its errors name the app, the file and the line.
func New(config *Config) (*Migrator, error) {
	if config == nil {
		config = &Config{}
	}
	m := &Migrator{logger: config.Logger}
	if m.logger == nil {
		m.logger = slog.New(slog.DiscardHandler)
	}
	var err error
	if m.shared, err = loadApps(config.SharedApps); err != nil {
		return nil, fmt.Errorf("shared apps: %w", err)
	}
	if m.tenant, err = loadApps(config.TenantApps); err != nil {
		return nil, fmt.Errorf("tenant apps: %w", err)
	}
	return m, nil
}

// Applied is a file that ran in a schema.
type Applied struct {
	App  string
	Name string // schema.sql, or a migration such as 0001_initial
}

// BuildSchema makes the tables of all tenant apps in the schema of t, which exists
// and is empty, within tx. It leaves the search path of tx at the schema until the
// transaction ends; what else the files do to the session is the caller's to undo
// (DISCARD ALL). The error is a *StatementError if PostgreSQL refused a statement;
// tx can then only be rolled back.
func (m *Migrator) BuildSchema(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error {
	steps, err := m.pending(ctx, tx, t.Schema, m.tenant)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if err := s.run(ctx, tx, t.Schema); err != nil {
			return err
		}
	}
	return nil
}

// MigrateShared brings the shared apps into public over conn, which must lead to
// the server itself and not to a pooler: it holds a session lock, so that two
// programs that start at once do the work once. It leaves the session as a new one
// (DISCARD ALL), so conn must not keep prepared statements. It returns what ran,
// also beside an error.
func (m *Migrator) MigrateShared(ctx context.Context, conn *pgx.Conn) ([]Applied, error) {
	return m.migrate(ctx, conn, &tenant.Tenant{Schema: tenant.PublicSchema()}, m.shared)
}

// MigrateTenant brings the tenant apps into the schema of t, as MigrateShared
// does into public. The public tenant has none of them.
func (m *Migrator) MigrateTenant(ctx context.Context, conn *pgx.Conn, t *tenant.Tenant) ([]Applied, error) {
	if t.IsPublic() {
		return nil, nil
	}
	return m.migrate(ctx, conn, t, m.tenant)
}

// migrate:
//  1. takes the schema's lock;
//  2. in one transaction, makes the history if it is missing and plans;
//  3. runs each step in a transaction of its own. A migration that uses what
//     the one before committed (ALTER TYPE … ADD VALUE) needs that.
func (m *Migrator) migrate(ctx context.Context, conn *pgx.Conn, t *tenant.Tenant, apps []loadedApp) (applied []Applied, err error) {
	if len(apps) == 0 {
		return nil, nil
	}
	unlock, err := m.lock(ctx, conn, t)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()

	var steps []step
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
		steps, err = m.pending(ctx, tx, t.Schema, apps)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		ran := false
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			err := s.run(ctx, tx, t.Schema)
			ran = err == nil
			return err
		})
		if ran && err != nil { // at the COMMIT: a deferred constraint, most likely
			err = fmt.Errorf("%s: schema %q: %w; nothing of the file was kept", s.script.file, t.Schema, err)
		}
		if err != nil {
			return applied, err
		}
		applied = append(applied, Applied{App: s.script.app, Name: s.script.name})
		m.logger.InfoContext(ctx, "migrated", "schema", t.Schema.String(), "app", s.script.app, "name", s.script.name)
	}
	return applied, nil
}

// pending plans what apps need to do in schema, and makes its history if it is
// missing.
func (m *Migrator) pending(ctx context.Context, tx pgx.Tx, schema tenant.Schema, apps []loadedApp) ([]step, error) {
	if _, err := tx.Exec(ctx, createHistorySQL(schema)); err != nil {
		return nil, schemaError(schema, err)
	}
	history, err := readHistory(ctx, tx, schema)
	if err != nil {
		return nil, schemaError(schema, err)
	}
	var steps []step
	for _, app := range apps {
		s, err := app.plan(history[app.name])
		if err != nil {
			return nil, fmt.Errorf("schema %q: %w", schema, err)
		}
		steps = append(steps, s...)
	}
	return steps, nil
}

// schemaError says in the words of the house that a schema is not there, or not
// ours.
func schemaError(schema tenant.Schema, err error) error {
	switch dberr.Code(err) {
	case dberr.InvalidSchemaName:
		if schema.IsPublic() {
			return fmt.Errorf("schema %q: %w (CREATE SCHEMA public)", schema, tenant.ErrSchemaNotFound)
		}
		return fmt.Errorf("schema %q: %w (restore it from a backup; or delete the row of its tenant, and create the tenant again)", schema, tenant.ErrSchemaNotFound)
	case dberr.InsufficientPrivilege:
		return fmt.Errorf("schema %q: %w (GRANT CREATE ON SCHEMA %s TO the role, or make it the owner)", schema, err, searchpath.Quote(schema))
	}
	return fmt.Errorf("schema %q: %w", schema, err)
}

// run executes the step in tx, in one round trip: one statement a message, so
// that PostgreSQL's answers tell which one failed. The records come first: if
// somebody else did the step meanwhile, they are refused as duplicates.
func (s step) run(ctx context.Context, tx pgx.Tx, schema tenant.Schema) error {
	path := searchpath.For(schema)
	batch := &pgconn.Batch{}
	// What the file before may have left behind: SET ROLE, SET lock_timeout.
	batch.ExecParams("RESET SESSION AUTHORIZATION", nil, nil, nil, nil)
	batch.ExecParams("RESET ALL", nil, nil, nil, nil)
	batch.ExecParams("SELECT pg_catalog.set_config('search_path', $1, true), $2::pg_catalog.regnamespace",
		[][]byte{[]byte(path), []byte(searchpath.Quote(schema))}, nil, nil, nil)
	for _, r := range s.records {
		batch.ExecParams("INSERT INTO "+searchpath.Qualify(schema, historyTable)+" (app, name, checksum, faked) VALUES ($1, $2, $3, $4::boolean)",
			[][]byte{[]byte(r.app), []byte(r.name), []byte(r.checksum), fmt.Append(nil, r.faked)}, nil, nil, nil)
	}
	before := 3 + len(s.records)
	for _, stmt := range s.script.up.Statements {
		batch.ExecParams(stmt.Text, nil, nil, nil, nil)
	}
	batch.ExecParams("SELECT pg_catalog.current_setting('search_path')", nil, nil, nil, nil)

	done, last, err := execBatch(ctx, tx.Conn().PgConn(), batch)
	switch i := done - before; {
	case err == nil && last != path:
		return fmt.Errorf("%s: schema %q: it changes the search path to %q, which cotenant sets to the schema that the file is for (qualify names instead); nothing of the file was kept", s.script.file, schema, last)
	case err == nil:
		return nil
	case i >= 0 && i < len(s.script.up.Statements):
		return newStatementError(schema, s.script, s.script.up.Statements[i], err)
	default:
		return fmt.Errorf("%s: %w", s.script.file, schemaError(schema, err))
	}
}

// execBatch returns how many statements of the batch succeeded, and the first
// column of the last row that the last of them returned.
func execBatch(ctx context.Context, conn *pgconn.PgConn, batch *pgconn.Batch) (done int, last string, err error) {
	results := conn.ExecBatch(ctx, batch)
	for results.NextResult() {
		reader := results.ResultReader()
		for reader.NextRow() {
			if values := reader.Values(); len(values) > 0 {
				last = string(values[0])
			}
		}
		if _, err := reader.Close(); err != nil {
			break
		}
		done++
	}
	return done, last, results.Close()
}
