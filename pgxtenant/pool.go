package pgxtenant

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/clientencoding"
	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
)

// newPool makes the pool of db: each of its connections has a wire.Conn, which is
// told the path of the tenant that acquires it, and a session.
//
// Left alone, pgx describes each statement anew on these connections, so that
// nothing is remembered of one without a tag.
func (db *DB) newPool(ctx context.Context, config *pgxpool.Config) (*pgxpool.Pool, error) {
	config = config.Copy()
	c := config.ConnConfig
	c.DescriptionCacheCapacity = db.config.DescriptionCache
	c.StatementCacheCapacity = max(1, db.config.StatementCache) // with none pgx would refuse the mode, and not say what to do
	c.DefaultQueryExecMode = db.untagged(c.DefaultQueryExecMode)
	t := newTracer(db, c.Tracer)
	c.Tracer = t

	connect, connected, prepare := config.BeforeConnect, config.AfterConnect, config.PrepareConn
	release, closing := config.AfterRelease, config.BeforeClose
	config.BeforeConnect = func(ctx context.Context, conn *pgx.ConnConfig) error {
		if connect != nil {
			if err := connect(ctx, conn); err != nil {
				return err
			}
		}
		if err := checkParameters(conn.RuntimeParams); err != nil {
			return fmt.Errorf("pgxtenant: BeforeConnect: %w", err)
		}
		clientencoding.Set(conn)
		if conn.Tracer != t {
			conn.Tracer = newTracer(db, conn.Tracer)
		}
		conn.DefaultQueryExecMode = db.untagged(conn.DefaultQueryExecMode)
		wire.Attach(&conn.Config, db.config.Mode.wire())
		return nil
	}
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if db.config.Mode != Transaction {
			if err := CheckServer(ctx, conn); err != nil {
				return err
			}
		}
		if connected == nil {
			return nil
		}
		return connected(ctx, conn)
	}
	config.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
		if ok, err := acquired(ctx, conn); !ok || err != nil || prepare == nil {
			return ok, err
		}
		return prepare(ctx, conn)
	}
	if release != nil {
		config.AfterRelease = func(conn *pgx.Conn) bool {
			if s := sessionOf(conn); s != nil {
				s.given = false
				defer func() { s.given = true }()
			}
			return release(conn)
		}
	}
	if closing != nil {
		config.BeforeClose = func(conn *pgx.Conn) {
			if s := sessionOf(conn); s != nil {
				s.owner, s.given = nil, false
			}
			closing(conn)
		}
	}
	return pgxpool.NewWithConfig(ctx, config)
}

// untagged returns, for a mode that the application chose, the one for statements
// without a tag.
func (db *DB) untagged(mode pgx.QueryExecMode) pgx.QueryExecMode {
	switch mode {
	case pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe:
		if db.config.Mode == Transaction {
			return pgx.QueryExecModeExec
		}
		return pgx.QueryExecModeDescribeExec
	default:
		return mode
	}
}

// acquired has conn work for the tenant in ctx. What it returns is for pgxpool:
// whether conn is any good.
func acquired(ctx context.Context, conn *pgx.Conn) (bool, error) {
	s := sessionOf(conn)
	if s == nil || wire.Of(conn.PgConn()) == nil || wire.Of(conn.PgConn()).Err() != nil {
		return false, nil //nolint:nilerr // another one will do
	}
	o, err := s.db.ownerOf(ctx)
	if err != nil {
		return true, err
	}
	if err := s.enter(ctx, o); err != nil {
		return !conn.IsClosed(), refused(o, err)
	}
	return wire.Of(conn.PgConn()).Err() == nil, nil
}
