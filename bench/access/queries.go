package main

import (
	"context"
	"fmt"
)

// column is one of the table of queries.
type column struct {
	name      string
	statement int
	tenants   int // that have their turns on the one connection
	slow      bool
}

func queryColumns() []column {
	return []column{
		{"PK same", pk, 1, false},
		{"PK alt", pk, 2, false},
		{"J4 same", j4, 1, false},
		{"J4 alt", j4, 2, false},
		{"slow PK alt", pk, 2, true},
	}
}

// queries makes the table of one query after the other on one connection.
func (b *bench) queries(ctx context.Context) (*table, error) {
	ways := append([]way{qualified(), handWritten(), batch(), setLocal()}, ours()...)
	ways = append(ways, oursPool())
	columns := queryColumns()
	grid := make([][]*contender, len(columns))
	var all []*contender
	for i, column := range columns {
		for _, w := range ways {
			o, err := b.open(ctx, w, 1, column.slow)
			if err != nil {
				return nil, err
			}
			defer o.close()
			c := &contender{measure: b.latency(nil, func(n int) error {
				return o.query(b.shops[n%column.tenants], column.statement, int64(1+n%keys))
			})}
			grid[i] = append(grid[i], c)
		}
		all = append(all, grid[i]...)
	}
	if err := interleave(ctx, all, b.rounds); err != nil {
		return nil, err
	}
	t := &table{
		title: "One connection",
		note: fmt.Sprintf("Time of a query as a ratio to that with qualified names in the same column, and in µs. PK: by primary key; J4: a join of four tables; "+
			"same: one tenant; alt: two tenants in turn; slow: %v and a bit more for every write to the server.", slowNetwork),
		header: []string{""},
	}
	for _, column := range columns {
		t.header = append(t.header, column.name)
	}
	for w, way := range ways {
		row := []string{way.name}
		for i := range columns {
			row = append(row, fmt.Sprintf("%.2f (%.0f)", grid[i][w].ratio(grid[i][0]), grid[i][w].value()))
		}
		t.rows = append(t.rows, row)
	}
	return t, nil
}
