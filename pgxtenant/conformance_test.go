package pgxtenant_test

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/tenanttest/conformance"
)

// modes are all there are.
var modes = []pgxtenant.Mode{pgxtenant.OnChange, pgxtenant.EveryAcquire, pgxtenant.Transaction}

// ways are the ways in that this package has to the database at url.
func ways(url string) []conformance.Way {
	var found []conformance.Way
	for _, m := range modes {
		way := conformance.Way{
			Clean: true, HiddenPath: m != pgxtenant.OnChange, Sessions: m != pgxtenant.Transaction,
			Modes: []any{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeExec},
		}
		if m != pgxtenant.Transaction {
			way.Modes = append(way.Modes, pgx.QueryExecModeDescribeExec)
		}
		db, pool := way, way
		db.Name, db.Owned = "DB, "+m.String(), true
		db.Modes = append(slices.Clone(way.Modes), pgx.QueryExecModeCacheDescribe)
		db.Open = func(ctx context.Context, connections int) (conformance.Access, error) {
			return openDB(ctx, url, connections, m)
		}
		pool.Name = "Pool, " + m.String()
		pool.Open = func(ctx context.Context, connections int) (conformance.Access, error) {
			return openPool(ctx, url, connections, m)
		}
		found = append(found, db, pool)
	}
	return found
}

func openDB(ctx context.Context, url string, connections int, m pgxtenant.Mode) (conformance.Access, error) {
	db, err := dbOf(ctx, url, connections, m)
	if err != nil {
		return nil, err
	}
	return conformance.PGX{
		Pool:     db,
		Acquirer: func(ctx context.Context) (conformance.PGXConn, error) { return db.Acquire(ctx) },
		Closer:   db.Close,
	}, nil
}

func openPool(ctx context.Context, url string, connections int, m pgxtenant.Mode) (conformance.Access, error) {
	db, err := dbOf(ctx, url, connections, m)
	if err != nil {
		return nil, err
	}
	return conformance.PGX{
		Pool:     db.Pool(),
		Acquirer: func(ctx context.Context) (conformance.PGXConn, error) { return db.Pool().Acquire(ctx) },
		Closer:   db.Close,
	}, nil
}

func dbOf(ctx context.Context, url string, connections int, m pgxtenant.Mode) (*pgxtenant.DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	return pgxtenant.New(ctx, config, &pgxtenant.Config{Mode: m})
}

// pooled is the way through a PgBouncer in transaction pooling, which keeps what a
// session carries for whoever comes next.
func pooled(t *testing.T, url string) conformance.Way {
	t.Helper()
	through := testdb.PgBouncer(t, url, "transaction")
	return conformance.Way{
		Name: "DB, transaction, PgBouncer", HiddenPath: true, Owned: true,
		Modes: []any{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeExec, pgx.QueryExecModeCacheDescribe},
		Open: func(ctx context.Context, connections int) (conformance.Access, error) {
			return openDB(ctx, through, connections, pgxtenant.Transaction)
		},
	}
}

// Every trap through a pooler.
func TestConformancePooled(t *testing.T) {
	t.Parallel()

	url := testdb.New(t)
	conformance.Run(t, pooled(t, url), url)
}

// Every trap, on every way in.
func TestConformance(t *testing.T) {
	t.Parallel()

	for i := range ways("") {
		t.Run(ways("")[i].Name, func(t *testing.T) {
			t.Parallel()
			url := testdb.New(t)
			conformance.Run(t, ways(url)[i], url)
		})
	}
}
