package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/migrate/internal/schemasync"
	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// learned is what a run has learned of what files create: of the shared apps and of the
// tenant apps, when it is first asked for.
type learned struct {
	shared, tenant lesson
}

// lesson is what the files of a list of apps create.
type lesson struct {
	mu          sync.Mutex
	definitions map[string]*schemasync.Definition // by app
	err         error
}

// prepareSync learns what is needed to sync a schema, before the transaction that does so.
func (c changer) prepareSync(ctx context.Context, t target, s *step) (map[string]*schemasync.Definition, error) {
	if !*c.fresh {
		// What is there later, where there is nothing now, is of this run.
		if err := c.conn.QueryRow(ctx, emptySQL, pgx.QueryExecModeExec, t.schema.String(), searchpath.Qualify(t.schema, historyTable)).Scan(c.fresh); err != nil {
			return nil, fmt.Errorf("%s: schema %q: %w", s.script.file, t.schema, err)
		}
	}
	if *c.fresh {
		return nil, nil
	}
	return c.definitions(ctx, t)
}

// missing returns the statements of a step's schema.sql that create what the schema
// lacks, and notes what differs.
func (c changer) missing(ctx context.Context, tx pgx.Tx, t target, s *step, definitions map[string]*schemasync.Definition) ([]sqlfile.Statement, error) {
	if *c.fresh {
		return together(s.script.up.Statements), nil
	}
	objects, err := c.objects(ctx, tx, t)
	if err != nil {
		return nil, fmt.Errorf("%s: schema %q: %w", s.script.file, t.schema, err)
	}
	result := definitions[s.script.app].Compare(objects)
	for _, d := range result.Differs {
		*c.differs = append(*c.differs, s.script.app+": "+d)
	}
	c.run.noteNotRun(s.script, result.NotRun)
	if len(result.Missing) == 0 && s.from == s.to {
		c.became[s] = "" // there was nothing to do
	}
	return result.Missing, nil
}

// emptySQL asks whether a schema has nothing but its history. Nothing else is indexed by
// its schema.
const emptySQL = `SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_namespace AS n ON n.oid = d.refobjid
	WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND n.nspname = $1
		AND (d.classid <> 'pg_catalog.pg_class'::pg_catalog.regclass OR d.objid IS DISTINCT FROM pg_catalog.to_regclass($2)::oid))`

// objects reads what a schema has. The query is kept on the connection until it is given
// back: it takes longer to plan than to run.
func (c changer) objects(ctx context.Context, tx pgx.Tx, t target) ([]catalog.Object, error) {
	if err := catalog.Prepare(ctx, tx); err != nil {
		return nil, err
	}
	c.conn.PgConn().CustomData()[keptQueries] = true
	if _, err := tx.Exec(ctx, "SET LOCAL plan_cache_mode = force_generic_plan", pgx.QueryExecModeExec); err != nil {
		return nil, err
	}
	objects, err := catalog.Read(ctx, tx, t.schema)
	if err == nil {
		_, err = tx.Exec(ctx, "RESET plan_cache_mode", pgx.QueryExecModeExec)
	}
	return objects, err
}

// keptQueries marks a connection with prepared statements, of which pgx knows.
const keptQueries = "cotenant: kept queries"

// synced reports whether sync makes what the app's schema.sql has, and not migrate.
func (l *loadedApp) synced() bool { return l.schema != nil && len(l.migrations) == 0 }

// definitions returns what the apps of t's schema create. Where none of them is synced
// nobody asks, and nothing runs.
func (c changer) definitions(ctx context.Context, t target) (map[string]*schemasync.Definition, error) {
	l, apps := &c.run.learned.tenant, c.tenant
	if t.schema.IsPublic() {
		l, apps = &c.run.learned.shared, c.shared
	}
	if !slices.ContainsFunc(apps, func(app loadedApp) bool { return app.synced() }) {
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.definitions == nil && l.err == nil {
		definitions, err := c.learn(ctx, t, apps)
		if err != nil && (passes(err) || ctx.Err() != nil) {
			return nil, err // and another try
		}
		l.definitions, l.err = definitions, err
	}
	return l.definitions, l.err
}

// learn has the apps built in a scratch schema, which does not outlive the transaction.
func (c changer) learn(ctx context.Context, t target, apps []loadedApp) (definitions map[string]*schemasync.Definition, err error) {
	var scripts []*script
	var statements [][]sqlfile.Statement
	for _, s := range arrange(fresh(apps), func(*loadedApp) bool { return true }) {
		if s.app == ownApp {
			continue
		}
		own := together(s.up.Statements)
		if t.schema.IsPublic() { // which the scratch schema stands in for
			for i := range own {
				own[i] = own[i].Unqualified()
			}
		}
		scripts, statements = append(scripts, s), append(statements, own)
	}
	options := &schemasync.Options{ExtraSchemas: c.config.ExtraSchemas, LockTimeout: c.config.LockTimeout}
	err = pgx.BeginFunc(ctx, c.conn, func(tx pgx.Tx) error {
		if !t.schema.IsPublic() && !c.run.noIndex {
			var may bool
			if err := tx.QueryRow(ctx, "SELECT cotenant.may_become($1)", pgx.QueryExecModeExec, c.config.MigratorRole).Scan(&may); err != nil {
				return err
			}
			if may {
				options.Role = c.config.MigratorRole
			}
		}
		learned, err := schemasync.Learn(ctx, tx, statements, options)
		if err != nil {
			return err
		}
		definitions = make(map[string]*schemasync.Definition)
		for i, s := range scripts {
			if s.name == schemaFile {
				definitions[s.app] = learned[i]
			}
		}
		return nil
	})
	var refused *schemasync.StatementError
	if errors.As(err, &refused) {
		s := scripts[refused.App]
		return nil, fmt.Errorf("to learn what it creates, in a schema of its own: %w", c.newStatementError(t.schema, s.up.File, statements[refused.App][refused.Statement], refused.Err))
	}
	return definitions, err
}

// together returns statements as they run in one transaction.
func together(stmts []sqlfile.Statement) []sqlfile.Statement {
	result := make([]sqlfile.Statement, 0, len(stmts))
	for _, stmt := range stmts {
		if stmt.Text = stmt.InTransaction(); stmt.Text != "" {
			result = append(result, stmt)
		}
	}
	return result
}

// orFake returns the step that records a first migration in place of the one that runs
// it, if the tables that it creates are there.
func (c changer) orFake(ctx context.Context, tx pgx.Tx, t target, s *step) (*step, error) {
	wanted := s.script.createdTables()
	if len(wanted) == 0 {
		return s, nil
	}
	objects, err := c.objects(ctx, tx, t)
	if err != nil {
		return nil, fmt.Errorf("%s: schema %q: %w", s.script.file, t.schema, err)
	}
	for _, table := range wanted {
		quoted := pgx.Identifier{table}.Sanitize()
		if !slices.ContainsFunc(objects, func(o catalog.Object) bool { return o.Kind == catalog.Table && (o.Name == table || o.Name == quoted) }) {
			return s, nil
		}
	}
	fake := *s
	fake.action, fake.initial = Fake, false
	fake.records = []record{s.script.record(true)}
	c.became[s] = Fake
	return &fake, nil
}

// createdTables are the tables that a script has statements to create.
func (s *script) createdTables() (tables []string) {
	for _, stmt := range s.up.Statements {
		if table := stmt.CreatedTable().Name; table != "" {
			tables = append(tables, table)
		}
	}
	return tables
}
