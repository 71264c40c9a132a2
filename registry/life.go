package registry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/schemalock"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// ErrSchemaBusy says that something else is changing a tenant's schema: a run of
// migrations, or another change of the tenant.
var ErrSchemaBusy = errors.New("something else is changing the schema (a migration? try again when it is through)")

const (
	// lockTimeout is how long a change of a tenant waits for a lock on a table, in
	// milliseconds: while it waits, all who come after it wait too.
	lockTimeout = "2000"
	// patience is how long it is tried again.
	patience = time.Minute
)

// change calls f in a transaction that has the lock of t's schema, with t as it is now,
// and tries again what passes: a lock that somebody holds, a deadlock. What processes
// remember of the tenant before and after is forgotten.
func (r *Registry) change(ctx context.Context, t *tenant.Tenant, f func(ctx context.Context, tx pgx.Tx, now *tenant.Tenant) error) error {
	return r.changeRow(ctx, t, func(ctx context.Context, tx pgx.Tx, now *tenant.Tenant) error {
		var locked bool
		err := tx.QueryRow(ctx, "SELECT pg_catalog.pg_try_advisory_xact_lock($1)", pgx.QueryExecModeExec, schemalock.Key(now.ID)).Scan(&locked)
		if err == nil && !locked {
			err = ErrSchemaBusy
		}
		if err != nil {
			return err
		}
		return f(ctx, tx, now)
	})
}

// changeRow is change for what does not touch the schema: a migration there does not matter.
func (r *Registry) changeRow(ctx context.Context, t *tenant.Tenant, f func(ctx context.Context, tx pgx.Tx, now *tenant.Tenant) error) error {
	if t == nil || t.ID == 0 {
		return fmt.Errorf("%w: it has no id (take it from the registry)", tenant.ErrTenantNotFound)
	}
	var now *tenant.Tenant
	err := r.patiently(ctx, func(tx pgx.Tx) (err error) {
		if now, err = r.queryTenant(ctx, tx, "SELECT t.* FROM "+r.tenants+" AS t WHERE t.id = $1 FOR UPDATE", t.ID); err != nil {
			return err
		}
		return f(ctx, tx, now)
	})
	if err != nil {
		return err
	}
	r.forget(t)
	r.forget(now)
	return nil
}

// patiently calls f in a transaction, and again while it fails for a reason that passes.
func (r *Registry) patiently(ctx context.Context, f func(tx pgx.Tx) error) error {
	attempt := func() (struct{}, error) {
		err := r.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
			defer discard(ctx, conn.Conn())
			return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = "+lockTimeout); err != nil {
					return err
				}
				return f(tx)
			})
		})
		if code := dberr.Code(err); err != nil && !errors.Is(err, ErrSchemaBusy) && code != dberr.LockNotAvailable && code != dberr.DeadlockDetected {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = 50*time.Millisecond, 2*time.Second
	_, err := backoff.Retry(ctx, attempt, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(patience))
	return err
}

// forget forgets what the cache has of t. The notification does this too, a moment after
// the caller looks.
func (r *Registry) forget(t *tenant.Tenant) {
	r.cache.forgetTenant(t.ID)
	r.cache.forgetName(name{schemaName, strings.ToLower(t.Schema.String())})
}

// CreateSchema makes the schema of a tenant that has none, with the tables of all tenant
// apps: its row was made by hand, or its schema was dropped. It is what Create does but for
// the row, and calls OnTenantCreated and OnSchemaSynced as that does.
//
// The error wraps tenant.ErrSchemaTaken if the schema is there, also if it has another name
// now, or is another's in another case; tenant.ErrTenantNotFound, or ErrSchemaBusy.
func (r *Registry) CreateSchema(ctx context.Context, t *tenant.Tenant) error {
	var commit func()
	err := r.change(ctx, t, func(ctx context.Context, tx pgx.Tx, now *tenant.Tenant) (err error) {
		if now.IsPublic() {
			return fmt.Errorf("%w: public has the shared apps (migrate them)", tenant.ErrSchemaTaken)
		}
		if err := renamedAway(ctx, tx, now); err != nil {
			return err
		}
		if err := forgetVersions(ctx, tx, now.ID); err != nil {
			return err
		}
		commit, err = r.makeWhole(ctx, tx, now, false)
		return err
	})
	if err != nil {
		return fmt.Errorf("create the schema of %v: %w", t, err)
	}
	commit()
	if r.config.OnSchemaSynced != nil {
		if err := r.config.OnSchemaSynced(contextOf(ctx, t), t); err != nil {
			return fmt.Errorf("create the schema of %v: it was created; OnSchemaSynced: %w", t, err)
		}
	}
	return nil
}

// renamedAway refuses to make a schema where the tenant's own is there, under a name that
// the row does not know: the index of the histories knows it by its oid.
func renamedAway(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error {
	there, err := hasTable(ctx, tx, "cotenant.schema_versions")
	if err != nil || !there {
		return err
	}
	var now string
	err = tx.QueryRow(ctx, "SELECT n.nspname::text FROM cotenant.schema_versions AS v JOIN pg_catalog.pg_namespace AS n ON n.oid = v.namespace WHERE v.tenant_id = $1 AND n.nspname <> $2",
		pgx.QueryExecModeExec, t.ID, t.Schema.String()).Scan(&now)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%w: it is there, and named %q now (ALTER SCHEMA %s RENAME TO %s; or set the schema_name of the tenant's row)",
		tenant.ErrSchemaTaken, now, pgx.Identifier{now}.Sanitize(), searchpath.Quote(t.Schema))
}

// WithoutSchema iterates over the tenants whose schemas are not there, as All does over all.
func (r *Registry) WithoutSchema(ctx context.Context) iter.Seq2[*tenant.Tenant, error] {
	return r.list(ctx, "NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = t.schema_name)")
}
