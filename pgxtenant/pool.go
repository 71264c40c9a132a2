package pgxtenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// NewPool makes a pool of config whose connections work in the schema of the
// tenant in the context that acquires them. The context is that of Acquire,
// Exec, Query, Begin and so on; a transaction or an acquired connection stays
// with the tenant that it was acquired for.
//
// Every method of the pool that needs a connection fails with tenant.ErrNoTenant
// if its context carries no tenant (Ping too), with tenant.ErrUncommitted if the
// tenant is still being created, and with an error that wraps
// tenant.ErrSchemaNotFound if the tenant's schema does not exist.
//
// config must come from pgxpool.ParseConfig and is not modified. Its PrepareConn
// runs after ours, on the tenant's path; BeforeAcquire, which pgxpool ignores beside
// it, is refused. Statements are described anew at every execution
// (pgx.QueryExecModeDescribeExec) unless config asks for another mode than pgx's
// default: what pgx remembers of a statement holds for one tenant only, as types
// of the same name have another OID in each schema.
func NewPool(ctx context.Context, config *pgxpool.Config) (*pgxpool.Pool, error) {
	if config.BeforeAcquire != nil { //nolint:staticcheck // deprecated, and pgxpool would ignore it without a word
		return nil, errors.New("pgxpool.Config.BeforeAcquire is set (set PrepareConn instead, which also gets the call's error)")
	}
	config = config.Copy()
	if config.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	}
	next := config.PrepareConn
	config.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
		if err := setPath(ctx, conn); err != nil {
			if conn.IsClosed() && ctx.Err() == nil {
				return false, nil // it had died in the pool: the next one will do
			}
			// pgxpool would keep a connection that is said to be good, broken or not.
			return !conn.IsClosed(), err
		}
		if next != nil {
			return next(ctx, conn)
		}
		return true, nil
	}
	return pgxpool.NewWithConfig(ctx, config)
}

// setPath leads conn to the schema of the tenant in ctx, and proves that the
// schema exists: SET alone accepts one that does not, and names would then be
// found in public.
func setPath(ctx context.Context, conn *pgx.Conn) error {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "SELECT pg_catalog.set_config('search_path', $1, false), $2::pg_catalog.regnamespace",
		pgx.QueryExecModeExec, searchpath.For(t.Schema), searchpath.Quote(t.Schema))
	if dberr.Code(err) == dberr.InvalidSchemaName {
		return fmt.Errorf("%v: schema %q: %w (was the tenant deleted or renamed? look it up again)", t, t.Schema, tenant.ErrSchemaNotFound)
	}
	if err != nil {
		return fmt.Errorf("%v: set search_path: %w", t, err)
	}
	return nil
}
