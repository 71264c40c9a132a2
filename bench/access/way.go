package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/pgxtenant"
)

// way is a way to a tenant's tables.
type way struct {
	name string
	open func(context.Context, *pgxpool.Config) (*opened, error)
}

// opened is a way with its connections.
type opened struct {
	name string // of the connections, for the server
	sent *traffic
	// query runs a statement of the application for a tenant. Of ways with
	// more than one connection it may be called by several goroutines at once.
	query func(s *shop, statement int, key int64) error
	// ready is what is done before each query and not measured, if anything.
	ready func(s *shop) error
	close func()
}

// qualified is the limit: nothing is done for the tenant.
func qualified() way {
	return way{"schema-qualified names (the limit)", plain(func(pool *pgxpool.Pool, s *shop, statement int, key int64) error {
		return s.check(pool.Query(s.ctx, s.qualified[statement], key))
	})}
}

// handWritten is what people write.
func handWritten() way {
	return way{"by hand: SET after every acquire", plain(func(pool *pgxpool.Pool, s *shop, statement int, key int64) error {
		conn, err := pool.Acquire(s.ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		if _, err := conn.Exec(s.ctx, s.set); err != nil {
			return err
		}
		return s.check(conn.Query(s.ctx, s.unqualified[statement], key))
	})}
}

// batch saves the round trip, and is unsound: pgx describes the query before the path
// is set. It only works here because the connection begins on some tenant's path.
func batch() way {
	return way{"by hand: pgx.Batch of set_config and the query", func(ctx context.Context, config *pgxpool.Config) (*opened, error) {
		config.ConnConfig.RuntimeParams["search_path"] = "tenant_0"
		return plain(func(pool *pgxpool.Pool, s *shop, statement int, key int64) error {
			b := &pgx.Batch{}
			b.Queue("SELECT set_config('search_path', $1, false)", s.path)
			b.Queue(s.unqualified[statement], key)
			results := pool.SendBatch(s.ctx, b)
			defer func() { _ = results.Close() }()
			if _, err := results.Exec(); err != nil {
				return err
			}
			return s.check(results.Query())
		})(ctx, config)
	}}
}

// setLocal is right behind any pooler.
func setLocal() way {
	return way{"by hand: BEGIN, SET LOCAL, query, COMMIT", plain(func(pool *pgxpool.Pool, s *shop, statement int, key int64) error {
		return pgx.BeginFunc(s.ctx, pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(s.ctx, s.setLocal); err != nil {
				return err
			}
			return s.check(tx.Query(s.ctx, s.unqualified[statement], key))
		})
	})}
}

// batchLocal is right behind any pooler, in one round trip: pgx describes nothing in
// this mode, and the server runs the batch as one transaction.
func batchLocal() way {
	return way{"by hand: pgx.Batch of set_config(…, true) and the query", plain(func(pool *pgxpool.Pool, s *shop, statement int, key int64) error {
		b := &pgx.Batch{}
		b.Queue("SELECT set_config('search_path', $1, true)", s.path)
		b.Queue(s.unqualified[statement], key)
		results := pool.SendBatch(s.ctx, b)
		defer func() { _ = results.Close() }()
		if _, err := results.Exec(); err != nil {
			return err
		}
		return s.check(results.Query())
	})}.in(pgx.QueryExecModeExec)
}

// in returns the way with another of pgx's modes.
func (w way) in(mode pgx.QueryExecMode) way {
	return way{w.name, func(ctx context.Context, config *pgxpool.Config) (*opened, error) {
		config.ConnConfig.DefaultQueryExecMode = mode
		return w.open(ctx, config)
	}}
}

// untimed is handWritten without the time that the SET takes: what is left is what
// the server pays for statements that are planned for another path. It has one
// connection.
func untimed() way {
	return way{"the same, without the time of the SET itself", func(ctx context.Context, config *pgxpool.Config) (*opened, error) {
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			return nil, err
		}
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		return &opened{
			ready: func(s *shop) error {
				_, err := conn.Exec(s.ctx, s.set)
				return err
			},
			query: func(s *shop, statement int, key int64) error {
				return s.check(conn.Query(s.ctx, s.unqualified[statement], key))
			},
			close: func() {
				conn.Release()
				pool.Close()
			},
		}, nil
	}}
}

// plain is a way that needs a pool of pgx's only.
func plain(query func(*pgxpool.Pool, *shop, int, int64) error) func(context.Context, *pgxpool.Config) (*opened, error) {
	return func(ctx context.Context, config *pgxpool.Config) (*opened, error) {
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			return nil, err
		}
		return &opened{
			query: func(s *shop, statement int, key int64) error { return query(pool, s, statement, key) },
			close: pool.Close,
		}, nil
	}
}

// ours is pgxtenant.DB.
func ours(mode pgxtenant.Mode) way {
	return way{"cotenant, " + mode.String(), func(ctx context.Context, config *pgxpool.Config) (*opened, error) {
		db, err := openOurs(ctx, config, mode)
		if err != nil {
			return nil, err
		}
		return &opened{
			query: func(s *shop, statement int, key int64) error {
				return s.check(db.Query(s.ctx, s.unqualified[statement], key))
			},
			close: db.Close,
		}, nil
	}}
}

// allOurs are pgxtenant.DB in each mode.
func allOurs() []way {
	var ways []way
	for _, mode := range []pgxtenant.Mode{pgxtenant.OnChange, pgxtenant.EveryAcquire, pgxtenant.Transaction} {
		ways = append(ways, ours(mode))
	}
	return ways
}

// oursPool is DB.Pool, for libraries that insist on a pool of pgx's.
func oursPool() way {
	return way{"cotenant, DB.Pool(), " + pgxtenant.OnChange.String(), func(ctx context.Context, config *pgxpool.Config) (*opened, error) {
		db, err := openOurs(ctx, config, pgxtenant.OnChange)
		if err != nil {
			return nil, err
		}
		return &opened{
			query: func(s *shop, statement int, key int64) error {
				return s.check(db.Pool().Query(s.ctx, s.unqualified[statement], key))
			},
			close: db.Close,
		}, nil
	}}
}

// openOurs makes a DB in one of the modes.
func openOurs(ctx context.Context, config *pgxpool.Config, mode pgxtenant.Mode) (*pgxtenant.DB, error) {
	return pgxtenant.New(ctx, config, &pgxtenant.Config{Mode: mode})
}
