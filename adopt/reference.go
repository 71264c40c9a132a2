package adopt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/drift"
	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// reference is what schemas are compared with: the states of the apps, each built once.
type reference struct {
	apps    []*app
	roots   map[string]bool // of all apps
	columns []tenantColumn  // of the tenants' table, as the shared apps make it
	partial error           // why only the newest states are known

	advanced   []string // sequences elsewhere that the files have counted on
	extensions []string // of the database
}

// app is an app with its states, from the first to the newest.
type app struct {
	name    string
	granted map[string]bool // objects on which migrations grant or revoke
	names   []string        // of migrations, or of schema.sql
	quiet   map[string]bool // migrations that leave nothing in the schema that can be seen
	roots   map[string]bool // what any of the states has
	states  []state

	installed map[string]bool // migrations that create extensions which are there
	replayed  map[string]bool // migrations that change the registry
}

// state is what an app has somewhere on its way.
type state struct {
	access   map[string]drift.Access // of what is granted
	lacks    bool                    // an extension of it is not there
	name     string
	registry []migrate.RegistryStatement // that have changed the registry's tables on the way there
	part     *drift.Snapshot
}

// built is a state, with what others have beside it.
type built struct {
	migrate.Built
	all *drift.Snapshot
}

// attempts is how often a reference is built beside others, who have locks or make the same.
const attempts = 6

// newReference builds the states of the shared apps, or of the tenant apps. Where apps have a
// schema.sql and migrations, both ways are gone.
func newReference(ctx context.Context, c *Config, shared bool) (_ *reference, err error) {
	r := &reference{roots: map[string]bool{}}
	for _, name := range c.Migrator.Apps(shared) {
		r.apps = append(r.apps, &app{name: name, granted: map[string]bool{}, installed: map[string]bool{}, quiet: map[string]bool{}, replayed: map[string]bool{}, roots: map[string]bool{}})
	}
	ways := []migrate.StateOptions{{Shared: shared, Migrations: true}}
	if c.Migrator.HasBoth(shared) {
		ways = []migrate.StateOptions{{Shared: shared}, ways[0]}
	}
	var all [][]built
	for i, way := range ways {
		w, err := build(ctx, c, way)
		switch {
		case err == nil:
			all, r.columns = append(all, w.states), w.columns
			r.advanced = append(r.advanced, w.advanced...)
		case dberr.Code(err) == dberr.InsufficientPrivilege:
			return nil, fmt.Errorf("build what to compare with (run it as the login that will migrate, and may create schemas and refer to the shared tables): %w", err)
		case i == 0 || ctx.Err() != nil || dberr.IsBeside(err):
			return nil, fmt.Errorf("build what to compare with: %w%s", err, stillToCome(shared, err))
		default:
			r.partial = err
		}
	}
	if r.extensions, err = extensions(ctx, c.Pool); err != nil {
		return nil, err
	}
	slices.Reverse(all) // the way that new tenants go comes last, where the search for a state begins
	r.take(all)
	return r, nil
}

// stillToCome is what to do where a tenant app may refer to what public lacks: it is built
// beside public as that is.
func stillToCome(shared bool, err error) string {
	switch dberr.Code(err) {
	case dberr.UndefinedColumn, dberr.UndefinedFunction, dberr.UndefinedObject, dberr.UndefinedTable:
		if !shared {
			return "\n\t(if a migration of a shared app is still to make that in public: take this file, and the migrations behind it, out of the apps' folder, adopt, put them back, and migrate)"
		}
	}
	return ""
}

// way is what was built.
type way struct {
	advanced []string
	columns  []tenantColumn
	states   []built
}

// build goes one way, in a transaction that is rolled back.
func build(ctx context.Context, c *Config, options migrate.StateOptions) (*way, error) {
	w := &way{}
	attempt := func() (struct{}, error) {
		*w = way{}
		err := c.Pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) (err error) {
			defer func() { _ = conn.Conn().Close(context.WithoutCancel(ctx)) }() // the files may have done anything to the session
			tx, err := conn.Begin(ctx)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, tx.Rollback(context.WithoutCancel(ctx))) }()
			// The first migration may lock a shared table until the end: what takes longest is
			// done before.
			if err := errors.Join(catalog.Prepare(ctx, tx), catalog.PrepareSome(ctx, tx)); err != nil {
				return err
			}
			err = c.Migrator.BuildStates(ctx, tx, options, func(b migrate.Built) error {
				s, err := drift.ReadSettled(ctx, tx, b.Schema, nil)
				w.states = append(w.states, built{b, s})
				return err
			})
			if err == nil && options.Shared {
				w.columns, err = tenantColumns(ctx, tx)
			}
			if n := len(w.states); err == nil && n > 0 {
				w.advanced, err = advanced(ctx, tx, w.states[n-1].Schema)
			}
			return err
		})
		if err != nil && !dberr.IsBeside(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = 100 * time.Millisecond
	_, err := backoff.Retry(ctx, attempt, backoff.WithMaxTries(attempts), backoff.WithBackOff(pauses))
	if final, ok := errors.AsType[*backoff.PermanentError](err); ok {
		err = final.Unwrap()
	}
	return w, err
}

// extensions are those that the database has.
func extensions(ctx context.Context, q querier) ([]string, error) {
	rows, err := q.Query(ctx, "SELECT e.extname::text FROM pg_catalog.pg_extension AS e", pgx.QueryExecModeExec)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// advanced are the sequences elsewhere that a transaction has counted on, whose lock it has:
// no roll-back undoes that.
func advanced(ctx context.Context, tx pgx.Tx, scratch tenant.Schema) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_class AS c ON c.oid = l.relation AND c.relkind = 'S'
		JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname <> $1 AND NOT pg_catalog.starts_with(n.nspname::text, 'cotenant') AND c.relpersistence <> 't'
		WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid() AND l.mode = 'RowExclusiveLock'
			AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
		ORDER BY 1`, pgx.QueryExecModeExec, scratch.String())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// take divides what was built among the apps: an object is the one's whose file made it.
func (r *reference) take(ways [][]built) {
	owners := map[string]*app{}
	for _, all := range ways {
		for _, b := range all {
			own := r.find(b.App)
			for _, root := range b.all.Roots() {
				if owners[root] == nil {
					owners[root] = own
					own.roots[root], r.roots[root] = true, true
				}
			}
		}
	}
	for _, all := range ways {
		r.takeWay(all)
	}
}

// takeWay adds the states of one way to the apps.
func (r *reference) takeWay(all []built) {
	last := map[*app]*state{}
	for _, b := range all {
		own := r.find(b.App)
		s := &state{name: b.Name, part: b.all.Only(own.roots)}
		s.access = s.part.Access(func(string) bool { return true })
		s.lacks = slices.ContainsFunc(b.Extensions, func(name string) bool { return !slices.Contains(r.extensions, name) })
		if len(b.Extensions) > 0 && !s.lacks {
			own.installed[b.Name] = true
		}
		before, trace := last[own], len(b.Registry) > 0 || own.installed[b.Name]
		if before != nil {
			s.lacks, s.registry = s.lacks || before.lacks, slices.Clone(before.registry)
			trace = own.grants(before, s) || trace || before.part.Fingerprint() != s.part.Fingerprint()
		} else {
			trace = trace || !s.part.Empty()
		}
		s.registry = append(s.registry, b.Registry...)
		if !slices.Contains(own.names, b.Name) {
			own.names = append(own.names, b.Name)
		}
		if !trace {
			own.quiet[b.Name] = true
		}
		if len(b.Registry) > 0 {
			own.replayed[b.Name] = true
		}
		own.states, last[own] = append(own.states, *s), s
	}
	if len(all) == 0 {
		return
	}
	// What later files of other apps have done to an app's objects belongs to its newest
	// state, too.
	end := all[len(all)-1].all
	for _, a := range r.apps {
		newest := last[a]
		if newest == nil {
			continue
		}
		if part := end.Only(a.roots); part.Fingerprint() != newest.part.Fingerprint() {
			a.states = append(a.states, state{access: newest.access, lacks: newest.lacks, name: newest.name, part: part, registry: newest.registry})
		}
	}
}

// grants finds the objects that two states have in common, and on which the later one
// grants or revokes. It reports whether there is one.
func (a *app) grants(before, after *state) (found bool) {
	for key := range before.access {
		_, ok := after.access[key]
		found = a.grantsOn(key, ok, before, after) || found
	}
	for key := range after.access {
		_, ok := before.access[key]
		found = a.grantsOn(key, ok, before, after) || found
	}
	return found
}

func (a *app) grantsOn(object string, both bool, before, after *state) bool {
	if !both && !strings.HasPrefix(object, "column ") { // columns on which nothing is granted have no access
		return false
	}
	if slices.Equal(before.access[object].Grants, after.access[object].Grants) {
		return false
	}
	a.granted[object] = true
	return true
}

func (r *reference) find(name string) *app {
	i := slices.IndexFunc(r.apps, func(a *app) bool { return a.name == name })
	return r.apps[i]
}

// newest is the name of the app's newest state.
func (a *app) newest() string { return a.states[len(a.states)-1].name }

// known reports whether the app has something in the schema that can be compared.
func (a *app) known() bool { return len(a.roots) > 0 }
