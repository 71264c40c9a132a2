package pgxtenant

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
	"github.com/cotenant/cotenant/tenant"
)

// newPool makes the pool of a DB: each of its connections has a wire.Conn, which is
// told the path of the tenant that acquires it.
func newPool(ctx context.Context, config *pgxpool.Config) (*pgxpool.Pool, error) {
	if config.BeforeAcquire != nil { //nolint:staticcheck // deprecated, and pgxpool would ignore it without a word
		return nil, errors.New("pgxpool.Config.BeforeAcquire is set (set PrepareConn instead, which also gets the call's error)")
	}
	config = config.Copy()
	if config.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	}
	connect, prepare := config.BeforeConnect, config.PrepareConn
	config.BeforeConnect = func(ctx context.Context, conn *pgx.ConnConfig) error {
		if connect != nil {
			if err := connect(ctx, conn); err != nil {
				return err
			}
		}
		wire.Attach(&conn.Config, wire.Auto)
		return nil
	}
	config.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
		if ok, err := scope(ctx, conn); !ok || err != nil || prepare == nil {
			return ok, err
		}
		return prepare(ctx, conn)
	}
	return pgxpool.NewWithConfig(ctx, config)
}

// scope has conn want the path of the tenant in ctx, for every acquire anew: the
// application may have changed it in a way that does not show, and the schema may
// have gone. What it returns is for pgxpool: whether conn is any good.
func scope(ctx context.Context, conn *pgx.Conn) (bool, error) {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return true, err
	}
	c := wire.Of(conn.PgConn())
	if c == nil || c.Broken() {
		return false, nil // another one will do
	}
	c.Want(wire.Path{SearchPath: searchpath.For(t.Schema), Schema: searchpath.Quote(t.Schema)})
	return true, nil
}
