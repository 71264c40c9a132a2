package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/bench/internal/report"
	"github.com/cotenant/cotenant/internal/pgbouncer"
	"github.com/cotenant/cotenant/pgxtenant"
)

func pooledColumns() []column {
	return []column{
		{name: "PK", statement: pk, tenants: 2},
		{name: "J4", statement: j4, tenants: 2},
		{name: "slow PK", statement: pk, tenants: 2, slow: true},
		{name: "slow J4", statement: j4, tenants: 2, slow: true},
	}
}

// pooledWays are right behind a pooler. Nothing can be prepared there: statements are
// described once, and remembered by the program.
func pooledWays() []way {
	return []way{
		qualified().in(pgx.QueryExecModeCacheDescribe),
		setLocal().in(pgx.QueryExecModeCacheDescribe),
		batchLocal(),
		ours(pgxtenant.Transaction),
		sqlQualified().in(pgx.QueryExecModeCacheDescribe),
		sqlSetLocal().in(pgx.QueryExecModeCacheDescribe),
		oursSQL(pgxtenant.Transaction),
	}
}

func pooledPairs() []pair {
	return []pair{
		{setLocal(), ours(pgxtenant.Transaction)},
		{batchLocal(), ours(pgxtenant.Transaction)},
		{sqlSetLocal(), oursSQL(pgxtenant.Transaction)},
		{oursSQL(pgxtenant.Transaction), ours(pgxtenant.Transaction)},
	}
}

// pooled makes the tables of queries through a PgBouncer, or none where there is no
// such program.
func (b *bench) pooled(ctx context.Context) ([]*report.Table, error) {
	pooler, err := pgbouncer.Start(ctx, b.url, "transaction")
	if errors.Is(err, exec.ErrNotFound) {
		b.log.Warn("left out", "table", "pooled", "error", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer pooler.Stop()
	g, err := b.compare(ctx, pooler.URL(), pooledWays(), pooledColumns())
	if err != nil {
		return nil, err
	}
	return []*report.Table{
		g.table("Behind PgBouncer", fmt.Sprintf("One connection to a PgBouncer in transaction pooling on the same machine, two tenants in turn. Time of a query as a ratio to that with qualified names "+
			"in the same column, and in µs. slow: %v and a bit more for every write to PgBouncer. Round trips are of a query, counted at the socket.", slowNetwork)),
		g.ratios("Behind PgBouncer, beside each other", "The same times, each as a ratio to that of another way.", pooledPairs()),
	}, nil
}
