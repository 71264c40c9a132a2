package adopt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/drift"
	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/migrate"
)

// reference is what schemas are compared with: the states of the apps, each built once.
type reference struct {
	apps    []*app
	roots   map[string]bool // of all apps
	columns []tenantColumn  // of the tenants' table, as the shared apps make it
	partial error           // why only the newest states are known
}

// app is an app with its states, from the first to the newest.
type app struct {
	name   string
	roots  map[string]bool // what any of the states has
	states []state
}

// state is what an app has somewhere on its way.
type state struct {
	name     string
	registry []string // statements that have changed the registry's tables on the way there
	part     *drift.Snapshot
}

// built is a state, with what others have beside it.
type built struct {
	migrate.Built
	all *drift.Snapshot
}

// attempts is how often a reference is built that has to wait for others' locks.
const attempts = 6

// newReference builds the states of the shared apps, or of the tenant apps. Where apps have a
// schema.sql and migrations, both ways are gone.
func newReference(ctx context.Context, c *Config, shared bool) (*reference, error) {
	r := &reference{roots: map[string]bool{}}
	for _, name := range c.Migrator.Apps(shared) {
		r.apps = append(r.apps, &app{name: name, roots: map[string]bool{}})
	}
	ways := []migrate.StateOptions{{Shared: shared, Migrations: true}}
	if c.Migrator.HasBoth(shared) {
		ways = []migrate.StateOptions{{Shared: shared}, ways[0]}
	}
	var all [][]built
	for i, way := range ways {
		some, columns, err := build(ctx, c, way)
		switch {
		case err == nil:
			all, r.columns = append(all, some), columns
		case dberr.Code(err) == dberr.InsufficientPrivilege:
			return nil, fmt.Errorf("build what to compare with (run it as the login that will migrate, and may create schemas and refer to the shared tables): %w", err)
		case i == 0 || ctx.Err() != nil || dberr.Code(err) == dberr.LockNotAvailable:
			return nil, fmt.Errorf("build what to compare with: %w", err)
		default:
			r.partial = err
		}
	}
	slices.Reverse(all) // the way that new tenants go comes last, where the search for a state begins
	r.take(all)
	return r, nil
}

// build goes one way, in a transaction that is rolled back.
func build(ctx context.Context, c *Config, way migrate.StateOptions) (all []built, columns []tenantColumn, err error) {
	attempt := func() (struct{}, error) {
		all = nil
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
			err = c.Migrator.BuildStates(ctx, tx, way, func(b migrate.Built) error {
				s, err := drift.ReadSettled(ctx, tx, b.Schema, nil)
				all = append(all, built{b, s})
				return err
			})
			if err == nil && way.Shared {
				columns, err = tenantColumns(ctx, tx)
			}
			return err
		})
		if err != nil && dberr.Code(err) != dberr.LockNotAvailable {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = 100 * time.Millisecond
	_, err = backoff.Retry(ctx, attempt, backoff.WithMaxTries(attempts), backoff.WithBackOff(pauses))
	if final, ok := errors.AsType[*backoff.PermanentError](err); ok {
		err = final.Unwrap()
	}
	return all, columns, err
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
	last := map[*app]state{}
	for _, b := range all {
		own := r.find(b.App)
		s := state{name: b.Name, part: b.all.Only(own.roots), registry: append(slices.Clone(last[own].registry), b.Registry...)}
		own.states, last[own] = append(own.states, s), s
	}
	if len(all) == 0 {
		return
	}
	// What later files of other apps have done to an app's objects belongs to its newest
	// state, too.
	end := all[len(all)-1].all
	for _, a := range r.apps {
		newest := last[a]
		if part := end.Only(a.roots); newest.part != nil && part.Fingerprint() != newest.part.Fingerprint() {
			newest.part = part
			a.states = append(a.states, newest)
		}
	}
}

func (r *reference) find(name string) *app {
	i := slices.IndexFunc(r.apps, func(a *app) bool { return a.name == name })
	return r.apps[i]
}

// newest is the name of the app's newest state.
func (a *app) newest() string { return a.states[len(a.states)-1].name }

// known reports whether the app has something in the schema that can be compared.
func (a *app) known() bool { return len(a.roots) > 0 }
