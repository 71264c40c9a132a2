package schemasync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
	"github.com/cotenant/cotenant/tenant"
)

// Options say how Learn works. The zero value means the defaults.
type Options struct {
	// ExtraSchemas are on the search path behind public. Defaults to none.
	ExtraSchemas []tenant.Schema
	// LockTimeout is how long a statement waits for a lock: a foreign key locks the
	// shared table that it leads to until all is rolled back. Defaults to no limit.
	LockTimeout time.Duration
	// Role is who runs the statements, and owns the scratch schema. Defaults to the
	// current user.
	Role string
}

// StatementError is a statement that PostgreSQL refused.
type StatementError struct {
	App       int   // index in the apps that were given to Learn
	Statement int   // index in the app's statements
	Err       error // a *pgconn.PgError where PostgreSQL gave one
}

// Error has no place: the caller knows the file and the line.
func (e *StatementError) Error() string {
	return fmt.Sprintf("statement %d of app %d: %v", e.Statement+1, e.App+1, e.Err)
}

// Unwrap returns the cause.
func (e *StatementError) Unwrap() error { return e.Err }

// Learn runs the statements of apps one after the other in one scratch schema, and
// returns a Definition for each app. An app's statements are those of its schema.sql;
// where an app has none, and others build on it, those of its migrations. All apps of
// a schema should be given, in their order: what one does to the tables of another is
// then known, and not taken for a difference.
//
// What a statement does in another schema that it names, ALTER TABLE cotenant.tenants, is
// there already, or comes when the file runs: it does not run here.
//
// Everything happens within a savepoint of tx, which is rolled back: tx is as it was,
// also after an error. The error is a *StatementError if PostgreSQL refused a
// statement. What PostgreSQL cannot roll back (nextval of a shared sequence) stays.
//
// After each statement it is read what the statement can have touched, by the names in
// it, and after each app the whole scratch schema: if that is not as it should be then, an
// event trigger was at work, or a statement reached further than its text says, such as an
// INSERT with a trigger that makes a partition. Then all is done once more, and the whole
// is read after every statement. That is also done before and after single statements of
// which it is not known what they touch, such as DROP and DO. It is for once a run, not for
// each schema.
func Learn(ctx context.Context, tx pgx.Tx, apps [][]sqlfile.Statement, options *Options) (definitions []*Definition, err error) {
	if options == nil {
		options = &Options{}
	}
	definitions, err = learn(ctx, tx, apps, options, false)
	if errors.Is(err, errReachesFurther) {
		definitions, err = learn(ctx, tx, apps, options, true)
	}
	return definitions, err
}

// errReachesFurther says that a statement did more than its text says.
var errReachesFurther = errors.New("a statement did more than its text says")

// learn is Learn. thorough has the whole schema read after every statement.
func learn(ctx context.Context, tx pgx.Tx, apps [][]sqlfile.Statement, options *Options, thorough bool) (definitions []*Definition, err error) {
	savepoint, err := tx.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("scratch schema: %w", err)
	}
	l := learner{tx: savepoint, thorough: thorough, creators: map[string]place{}}
	defer func() {
		undo := savepoint.Rollback(ctx)
		for _, release := range l.prepared {
			if undo == nil {
				undo = release(ctx, tx)
			}
		}
		if undo != nil {
			err = errors.Join(err, fmt.Errorf("roll the scratch schema back: %w", undo))
		}
	}()
	if err := l.open(ctx, options); err != nil {
		return nil, fmt.Errorf("scratch schema: %w", err)
	}
	for app, statements := range apps {
		if err := l.run(ctx, app, statements); err != nil {
			return nil, err
		}
	}
	return l.finish(ctx)
}

// place is where a statement stands.
type place struct{ app, statement int }

func (p place) before(q place) bool {
	return p.app < q.app || p.app == q.app && p.statement < q.statement
}

// learner runs statements and watches the catalog.
type learner struct {
	tx       pgx.Tx
	schema   string
	thorough bool
	prepared []func(context.Context, pgx.Tx) error // what gives it up
	creators map[string]place                      // of every object that was ever there: who made it last
	state    map[string]catalog.Object
	sure     bool             // state is known to be all that is there
	rows     map[string]int64 // see countSQL
	catalog  int64            // see catalogWrites
	apps     [][]step
	ends     []map[string]catalog.Object // the state after each app
}

// open makes the scratch schema and sets the path to it. The name is unique as long as
// the transaction lasts.
func (l *learner) open(ctx context.Context, options *Options) error {
	pid, may := 0, false
	const sql = "SELECT pg_catalog.pg_backend_pid(), pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')"
	if err := l.tx.QueryRow(ctx, sql).Scan(&pid, &may); err != nil {
		return err
	}
	l.schema = "cotenant_scratch_" + strconv.Itoa(pid)
	statements := []string{
		"CREATE SCHEMA " + l.schema,
		"SET LOCAL search_path = " + l.schema + ", " + searchpath.For(tenant.PublicSchema(), options.ExtraSchemas...),
		"SET LOCAL plan_cache_mode = force_generic_plan", // for plan
		fmt.Sprintf("SET LOCAL lock_timeout = %d", options.LockTimeout.Milliseconds()),
	}
	if options.Role != "" {
		role := pgx.Identifier{options.Role}.Sanitize()
		statements[0] += " AUTHORIZATION " + role
		statements = append(statements, "SET LOCAL ROLE "+role)
	}
	for _, sql := range statements {
		if _, err := l.tx.Exec(ctx, sql); err != nil {
			if config := l.tx.Conn().Config(); !may {
				err = fmt.Errorf("%w (GRANT CREATE ON DATABASE %s TO %s)", err, pgx.Identifier{config.Database}.Sanitize(), pgx.Identifier{config.User}.Sanitize())
			}
			return err
		}
	}
	l.state, l.sure, l.rows = map[string]catalog.Object{}, true, map[string]int64{}
	return l.plan(ctx)
}

// plan has the catalog's query planned once, for catalogs that are not as empty as they
// may be now.
func (l *learner) plan(ctx context.Context) error {
	tx, err := l.tx.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "SET LOCAL enable_seqscan = off"); err != nil {
		return err
	}
	if err := catalog.Prepare(ctx, tx); err != nil {
		return err
	}
	l.prepared = append(l.prepared, catalog.Release)
	if err := catalog.PrepareSome(ctx, tx); err != nil {
		return err
	}
	l.prepared = append(l.prepared, catalog.ReleaseSome)
	if _, err := catalog.ReadNamed(ctx, tx, l.schema); err != nil {
		return err
	}
	if _, err := catalog.ReadSome(ctx, tx, l.schema, nil); err != nil {
		return err
	}
	return tx.Rollback(ctx)
}

// run runs the statements of an app and notes what each does.
func (l *learner) run(ctx context.Context, app int, statements []sqlfile.Statement) error {
	steps := make([]step, len(statements))
	for i, statement := range statements {
		steps[i] = step{statement: statement}
		if statement.Elsewhere() {
			continue
		}
		if err := l.lookBefore(ctx, &steps[i]); err != nil {
			return err
		}
		_, err := l.tx.Conn().PgConn().ExecParams(ctx, statement.Text, nil, nil, nil, nil).Close()
		if err != nil {
			return &StatementError{App: app, Statement: i, Err: err}
		}
		if err := l.watch(ctx, &steps[i]); err != nil {
			return err
		}
		for _, key := range steps[i].creates {
			l.creators[key] = place{app, i}
		}
	}
	end, err := l.read(ctx)
	if err != nil {
		return err
	}
	if !l.thorough && !maps.Equal(end, l.state) {
		return errReachesFurther
	}
	l.sure = true
	l.apps = append(l.apps, steps)
	l.ends = append(l.ends, end)
	return nil
}

// stateOf returns objects by their keys.
func stateOf(objects []catalog.Object) map[string]catalog.Object {
	state := make(map[string]catalog.Object, len(objects))
	for _, o := range objects {
		state[o.Key()] = o
	}
	return state
}

// lookBefore looks at what would be taken for the work of a statement that is about to
// run, and is there already.
func (l *learner) lookBefore(ctx context.Context, s *step) (err error) {
	_, known := s.statement.Touches()
	switch {
	case l.thorough, s.setting(), known:
		return nil
	case s.manipulation():
		l.catalog, err = l.catalogWrites(ctx)
		return err
	case l.sure:
		return nil
	}
	state, err := l.read(ctx)
	if err == nil && !maps.Equal(state, l.state) {
		err = errReachesFurther
	}
	return err
}

// read reads the whole scratch schema.
func (l *learner) read(ctx context.Context) (map[string]catalog.Object, error) {
	objects, err := catalog.ReadNamed(ctx, l.tx, l.schema)
	return stateOf(objects), err
}

// watch notes what the statement that just ran did.
func (l *learner) watch(ctx context.Context, s *step) error {
	if s.setting() {
		return nil
	}
	names, known := s.statement.Touches()
	switch {
	case l.thorough, !known && !s.manipulation():
		if err := l.watchAll(ctx, s); err != nil {
			return err
		}
	case s.manipulation():
		if n, err := l.catalogWrites(ctx); err != nil || n != l.catalog {
			return cmp.Or(err, errReachesFurther)
		}
		var name string
		name, known = s.statement.WrittenTable()
		names = []string{name}
	default:
		if err := l.watchNamed(ctx, s, names); err != nil || !s.word("ALTER") {
			return err // others work on no rows
		}
	}
	return l.watchRows(ctx, s, names, known)
}

// watchNamed notes what the statement did to the objects that it names.
func (l *learner) watchNamed(ctx context.Context, s *step, names []string) error {
	objects, err := catalog.ReadSome(ctx, l.tx, l.schema, names)
	if err != nil {
		return err
	}
	for _, o := range objects {
		s.note(l.state, o)
		l.state[o.Key()] = o
	}
	l.sure = false
	return nil
}

// watchAll notes what the statement did to anything.
func (l *learner) watchAll(ctx context.Context, s *step) error {
	objects, err := catalog.ReadNamed(ctx, l.tx, l.schema)
	if err != nil {
		return err
	}
	state := stateOf(objects)
	for _, o := range objects {
		s.note(l.state, o)
	}
	for key := range l.state {
		if _, ok := state[key]; !ok {
			s.drops = append(s.drops, key)
		}
	}
	l.state, l.sure = state, true
	return nil
}

// finish makes the definitions of what is there in the end.
func (l *learner) finish(ctx context.Context) ([]*Definition, error) {
	objects, needs, err := catalog.ReadNeeds(ctx, l.tx, l.schema)
	if err != nil {
		return nil, err
	}
	definitions := make([]*Definition, len(l.apps))
	for app := range l.apps {
		definitions[app] = l.define(app, objects, needs)
	}
	return definitions, nil
}
