package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
	"github.com/cotenant/cotenant/tenant"
)

// AppState is a place on the way of an app.
type AppState struct {
	App string
	// Name is the newest migration that has run, or schema.sql of an app without
	// migrations.
	Name string
}

// Built is a state in a scratch schema, where others of other apps stand beside it.
type Built struct {
	AppState
	// Extensions are those that the state's file creates by statements of its own, in the
	// database: what they do is not in the schema.
	Extensions []string
	// Registry are the statements of the state's file that changed the tables of the
	// registry, cotenant.tenants and cotenant.domains: what they do is not in the schema.
	Registry []RegistryStatement
	Schema   tenant.Schema
}

// RegistryStatement is one that changed the tables of the registry.
type RegistryStatement struct {
	SQL string
	// Plain says that it does nothing else: ALTER TABLE, CREATE INDEX or COMMENT ON. A DO
	// block, or a function that is called, may.
	Plain bool
	// Where is its file and line: base/migrations/0002_registry.sql:3.
	Where string
}

// StateOptions say which states are built.
type StateOptions struct {
	// Migrations has apps get there by their migrations, also if they have a schema.sql.
	// By default these come at once, in the state of their newest migration.
	Migrations bool
	// Shared has the shared apps built, but for cotenant's own. Defaults to the tenant
	// apps.
	Shared bool
}

// BuildStates makes a scratch schema within tx, brings the apps there one file after the
// other, and calls look after each: to compare with schemas of which nothing is recorded.
// It needs nothing of cotenant's in the database. The caller rolls tx back, and undoes what
// files did to the session (DISCARD ALL). look leaves tx as it was.
//
// What public has is what the files can refer to. Statements that write rows to tables
// elsewhere are left out: a roll-back gives no number of a sequence back, and until then
// others who write to the table would wait. What functions and DO blocks write is written.
// The files of
// shared apps, as in BuildSharedScratch, have the scratch schema in place of public, and new tables of the
// registry in place of its own. Migrations of shared apps that are in Go are an error.
// PostgreSQL locks the tables in public that others come to refer to (SHARE ROW EXCLUSIVE)
// until tx ends; such a lock is waited for no longer than for the tenth of a second: an error
// with SQLSTATE 55P03 is worth another try.
func (m *Migrator) BuildStates(ctx context.Context, tx pgx.Tx, options StateOptions, look func(Built) error) error {
	schema, id, err := scratchName()
	if err != nil {
		return err
	}
	b := stateBuilder{changer: changer{Migrator: m, conn: tx.Conn()}, tx: tx, shared: options.Shared, where: target{id: id, schema: schema}, own: map[sqlfile.Name]bool{}}
	if err := b.begin(ctx, min(m.config.LockTimeout, statesLockTimeout)); err != nil {
		return scratchError(tx, err)
	}
	apps := m.tenant
	if options.Shared {
		apps = m.shared
	}
	apps = fresh(apps)
	for _, s := range arrange(apps, func(*loadedApp) bool { return !options.Migrations }) {
		if s.app == ownApp {
			continue
		}
		statements, err := b.build(ctx, s)
		if err != nil {
			return scratchError(tx, err)
		}
		app, _ := find(apps, s.app)
		state := AppState{App: s.app, Name: s.name}
		if s.name == schemaFile {
			state = app.newest()
		}
		if err := look(Built{AppState: state, Extensions: s.extensions(), Registry: statements, Schema: schema}); err != nil {
			return err
		}
	}
	return nil
}

// extensions are those that the file creates.
func (s *script) extensions() (names []string) {
	for _, stmt := range s.up.Statements {
		if name := stmt.CreatedExtension(); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// newest is where the app goes.
func (l *loadedApp) newest() AppState {
	if n := len(l.migrations); n > 0 {
		return AppState{App: l.name, Name: l.migrations[n-1].name}
	}
	return AppState{App: l.name, Name: schemaFile}
}

// Apps are the names of the shared apps but for cotenant's own, or of the tenant apps, in
// their order.
func (m *Migrator) Apps(shared bool) []string {
	list := m.tenant
	if shared {
		list = m.shared
	}
	var names []string
	for i := range list {
		if list[i].name != ownApp {
			names = append(names, list[i].name)
		}
	}
	return names
}

// HasBoth reports whether one of the apps has a schema.sql and migrations, so that there
// are two ways to its newest state.
func (m *Migrator) HasBoth(shared bool) bool {
	list := m.tenant
	if shared {
		list = m.shared
	}
	return slices.ContainsFunc(list, func(l loadedApp) bool { return l.schema != nil && len(l.migrations) > 0 })
}

// statesLockTimeout is how long a lock on a shared table is waited for. While that is,
// others wait behind it, who are at work in another system.
const statesLockTimeout = 100 * time.Millisecond

// stateBuilder builds states in a scratch schema.
type stateBuilder struct {
	changer
	tx     pgx.Tx
	shared bool
	where  target
	// beside is that the registry is the database's, which the login does not own.
	beside bool
	// own are tables that were found in the scratch schema.
	own map[sqlfile.Name]bool
}

// begin makes the schema, and for shared apps a registry of its own: statements that add
// columns to that of the database would find them there already, and lock it. Who does not
// own that builds beside it.
func (b *stateBuilder) begin(ctx context.Context, lockTimeout time.Duration) error {
	for _, sql := range []string{
		"CREATE SCHEMA " + searchpath.Quote(b.where.schema),
		"SET LOCAL search_path = " + searchpath.For(b.where.schema, b.config.ExtraSchemas...),
		"SET LOCAL lock_timeout = " + milliseconds(lockTimeout),
	} {
		if _, err := b.tx.Exec(ctx, sql, pgx.QueryExecModeExec); err != nil {
			return err
		}
	}
	own, ok := find(b.Migrator.shared, ownApp)
	if !b.shared || !ok {
		return nil
	}
	var there bool
	if err := b.tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'cotenant')", pgx.QueryExecModeExec).Scan(&there); err != nil {
		return err
	}
	if there {
		err := pgx.BeginFunc(ctx, b.tx, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "ALTER SCHEMA cotenant RENAME TO "+pgx.Identifier{"cotenant_" + b.where.schema.String()}.Sanitize(), pgx.QueryExecModeExec)
			return err
		})
		if b.beside = dberr.Code(err) == dberr.InsufficientPrivilege; b.beside {
			return nil
		}
		if err != nil {
			return err
		}
	}
	for i := range own.migrations {
		if err := b.run(ctx, &own.migrations[i], nil); err != nil {
			return err
		}
	}
	return nil
}

// build runs a file, and returns its statements that changed the registry.
func (b *stateBuilder) build(ctx context.Context, s *script) (registry []RegistryStatement, err error) {
	if !b.shared {
		return nil, b.run(ctx, s, nil)
	}
	before, err := b.registry(ctx)
	if err != nil {
		return nil, err
	}
	attempt, err := b.tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.run(ctx, s, nil); err != nil {
		return nil, err
	}
	after, err := b.registry(ctx)
	if err != nil {
		return nil, err
	}
	if slices.Equal(before, after) {
		return nil, attempt.Commit(ctx)
	}
	if err := attempt.Rollback(ctx); err != nil { // to see which statements it were
		return nil, err
	}
	err = b.run(ctx, s, func(stmt sqlfile.Statement) error {
		after, err := b.registry(ctx)
		if err == nil && !slices.Equal(before, after) {
			registry, before = append(registry, RegistryStatement{
				SQL: stmt.Text, Plain: stmt.Defines("cotenant", "tenants", "domains"), Where: fmt.Sprintf("%s:%d", s.up.File, stmt.Line),
			}), after
		}
		return err
	})
	return registry, err
}

// run runs a file, and calls each behind its statements.
func (b *stateBuilder) run(ctx context.Context, s *script, each func(sqlfile.Statement) error) error {
	if s.up.run != nil && b.shared {
		return fmt.Errorf("%s: %w", s.file, errNoScratch)
	}
	if s.up.run != nil {
		err := b.caught(ctx, func() error { return s.up.run(b.withTenant(ctx, b.where), heldTx{b.tx}) })
		if err != nil {
			return fmt.Errorf("%s: %w", s.file, &foreignError{err})
		}
		return b.stillIn()
	}
	for _, stmt := range together(s.up.Statements) {
		ran := stmt
		if b.shared {
			ran = stmt.Unqualified()
		}
		if elsewhere, err := b.writesElsewhere(ctx, ran); err != nil || elsewhere {
			if err != nil {
				return err
			}
			continue
		}
		if _, err := b.conn.PgConn().ExecParams(ctx, ran.Text, nil, nil, nil, nil).Close(); err != nil {
			return b.newStatementError(b.where.schema, s.up.File, stmt, err)
		}
		if each != nil {
			if err := each(stmt); err != nil {
				return err
			}
		}
	}
	return nil
}

// writesElsewhere reports whether a statement writes rows to a table that there is, and not
// in the scratch schema.
func (b *stateBuilder) writesElsewhere(ctx context.Context, stmt sqlfile.Statement) (bool, error) {
	for _, table := range stmt.Written() {
		if b.own[table] {
			continue
		}
		name := pgx.Identifier{table.Schema, table.Name}
		if table.Schema == "" {
			name = name[1:]
		}
		var own, elsewhere bool
		err := b.tx.QueryRow(ctx, `SELECT coalesce(bool_and(n.nspname = $2), false), coalesce(bool_and(n.nspname <> $2 AND c.relpersistence <> 't'), false)
			FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass($1)`,
			pgx.QueryExecModeExec, name.Sanitize(), b.where.schema.String()).Scan(&own, &elsewhere)
		if err != nil || elsewhere {
			return elsewhere, err
		}
		if own {
			b.own[table] = true
		}
	}
	return false, nil
}

// registry is what the tables of the registry are; nothing where there is none.
func (b *stateBuilder) registry(ctx context.Context) ([]catalog.Object, error) {
	objects, err := catalog.ReadSome(ctx, b.tx, "cotenant", []string{"tenants", "domains"})
	if errors.Is(err, tenant.ErrSchemaNotFound) {
		return nil, nil
	}
	return objects, err
}
