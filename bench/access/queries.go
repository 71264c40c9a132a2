package main

import (
	"context"
	"fmt"

	"github.com/cotenant/cotenant/bench/internal/report"
	"github.com/cotenant/cotenant/pgxtenant"
)

func queryColumns() []column {
	return []column{
		{name: "PK same", statement: pk, tenants: 1},
		{name: "PK alt", statement: pk, tenants: 2},
		{name: "PK alt, endless", statement: pk, tenants: 2, endless: true},
		{name: "J4 same", statement: j4, tenants: 1},
		{name: "J4 alt", statement: j4, tenants: 2},
		{name: "slow PK alt", statement: pk, tenants: 2, slow: true},
	}
}

func queryWays() []way {
	ways := append([]way{qualified(), handWritten(), batch(), setLocal()}, allOurs()...)
	return append(ways, oursPool(), sqlQualified(), sqlHandWritten(), oursSQL(pgxtenant.OnChange), oursSQL(pgxtenant.EveryAcquire))
}

// sqlPairs are the ways of database/sql beside those of pgx.
func sqlPairs() []pair {
	return []pair{
		{sqlQualified(), qualified()},
		{oursSQL(pgxtenant.OnChange), ours(pgxtenant.OnChange)},
		{oursSQL(pgxtenant.EveryAcquire), ours(pgxtenant.EveryAcquire)},
		{oursSQL(pgxtenant.OnChange), sqlQualified()},
		{oursSQL(pgxtenant.EveryAcquire), sqlQualified()},
		{sqlHandWritten(), oursSQL(pgxtenant.OnChange)},
		{handWritten(), ours(pgxtenant.OnChange)},
	}
}

// queries makes the tables of one query after the other on one connection.
func (b *bench) queries(ctx context.Context) ([]*report.Table, error) {
	g, err := b.compare(ctx, b.url, queryWays(), queryColumns())
	if err != nil {
		return nil, err
	}
	return []*report.Table{
		g.table("One connection", fmt.Sprintf("Time of a query as a ratio to that with qualified names in the same column, and in µs. PK: by primary key; J4: a join of four tables; "+
			"same: one tenant; alt: two tenants in turn; endless: with contexts that cannot be cancelled; slow: %v and a bit more for every write to the server. Round trips are of a query, counted at the socket.", slowNetwork)),
		g.ratios("database/sql", "The same times, each as a ratio to that of another way.", sqlPairs()),
	}, nil
}
