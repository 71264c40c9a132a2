package main

import (
	"context"
	"fmt"

	"github.com/cotenant/cotenant/bench/internal/report"
)

// column is one of a grid.
type column struct {
	name      string
	statement int
	tenants   int // that have their turns on the one connection
	slow      bool
	endless   bool // the contexts cannot be cancelled
}

// shopsFor returns the tenants of a column.
func (b *bench) shopsFor(c column) []*shop {
	var shops []*shop
	for _, s := range b.shops[:c.tenants] {
		of := *s
		if c.endless {
			of.ctx = context.WithoutCancel(s.ctx)
		}
		shops = append(shops, &of)
	}
	return shops
}

// grid has the times of ways, one query after the other on one connection.
type grid struct {
	ways    []way
	columns []column
	cells   [][]*report.Contender // by column, and way
	trips   []string              // of each way
}

// compare measures ways that lead to the database at url.
func (b *bench) compare(ctx context.Context, url string, ways []way, columns []column) (*grid, error) {
	g := &grid{ways: ways, columns: columns}
	var all []*report.Contender
	var first []*opened
	for i, column := range columns {
		var cells []*report.Contender
		shops := b.shopsFor(column)
		for _, w := range ways {
			o, err := b.open(ctx, w, place{url, 1, column.slow})
			if err != nil {
				return nil, err
			}
			defer o.close()
			if i == 0 {
				first = append(first, o)
			}
			cells = append(cells, &report.Contender{Measure: b.latency(nil, func(n int) error {
				return o.query(shops[n%len(shops)], column.statement, int64(1+n%keys))
			})})
		}
		g.cells = append(g.cells, cells)
		all = append(all, cells...)
	}
	if err := report.Interleave(ctx, all, b.rounds); err != nil {
		return nil, err
	}
	for _, o := range first {
		trips, err := b.roundTrips(o, columns[0].statement)
		if err != nil {
			return nil, err
		}
		g.trips = append(g.trips, trips)
	}
	return g, nil
}

// table has each time as a ratio to that of the first way, and in µs.
func (g *grid) table(title, note string) *report.Table {
	t := &report.Table{Title: title, Note: note, Header: []string{""}}
	for _, column := range g.columns {
		t.Header = append(t.Header, column.name)
	}
	t.Header = append(t.Header, "round trips")
	for w, way := range g.ways {
		row := []string{way.name}
		for i := range g.columns {
			row = append(row, fmt.Sprintf("%.2f (%.0f)", g.cells[i][w].Ratio(g.cells[i][0]), g.cells[i][w].Value()))
		}
		t.Rows = append(t.Rows, append(row, g.trips[w]))
	}
	return t
}

// ratios has, for each of some pairs of ways by their names, the time of the first as a
// ratio to that of the second.
func (g *grid) ratios(title, note string, pairs []pair) *report.Table {
	t := &report.Table{Title: title, Note: note, Header: []string{"", "to"}}
	for _, column := range g.columns {
		t.Header = append(t.Header, column.name)
	}
	for _, p := range pairs {
		row := []string{p.way.name, p.to.name}
		for i := range g.columns {
			row = append(row, fmt.Sprintf("%.2f", g.cells[i][g.index(p.way)].Ratio(g.cells[i][g.index(p.to)])))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// pair is two ways to compare.
type pair struct{ way, to way }

func (g *grid) index(w way) int {
	for i, other := range g.ways {
		if other.name == w.name {
			return i
		}
	}
	panic("no way " + w.name)
}
