package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/cotenant/cotenant/bench/internal/report"
)

// cache makes the table of many statements of many tenants on one connection.
func (b *bench) cache(ctx context.Context) ([]*report.Table, error) {
	ways := append([]way{qualified(), handWritten(), untimed()}, allOurs()...)
	t := &report.Table{
		Title: "Statement cache",
		Note: fmt.Sprintf("One connection, %d statements of each tenant (joins of four tables, one by primary key); each query is one of them, for one tenant, at random. "+
			"The median as a ratio to qualified names and to the SET by hand, and in µs; the memory of the server's process, and by how much this program's heap grew. "+
			"Each connection may keep %d prepared statements.", statements, statementCache),
		Header: []string{"tenants", "way", "to qualified", "to SET by hand", "µs", "server", "heap"},
	}
	for _, tenants := range []int{b.hot, b.tenants[1], b.tenants[2]} {
		rows, err := b.crowdedConnection(ctx, ways, b.shops[:tenants])
		if err != nil {
			return nil, err
		}
		t.Rows = append(t.Rows, rows...)
	}
	return []*report.Table{t}, nil
}

// crowdedConnection makes the rows of so many tenants.
func (b *bench) crowdedConnection(ctx context.Context, ways []way, shops []*shop) ([][]string, error) {
	var all []*report.Contender
	var pools []*opened
	var grown []int64
	for _, w := range ways {
		before := heap()
		o, err := b.open(ctx, w, place{b.url, 1, false})
		if err != nil {
			return nil, err
		}
		defer o.close()
		pools = append(pools, o)
		if err := warm(o, shops); err != nil {
			return nil, err
		}
		grown = append(grown, heap()-before)
		// Both halves of a query are for the same tenant.
		var s *shop
		next := func(int) error {
			s = shops[rand.IntN(len(shops))] //nolint:gosec // no secret
			if o.ready != nil {
				return o.ready(s)
			}
			return nil
		}
		all = append(all, &report.Contender{Measure: b.latency(next, func(int) error {
			return o.query(s, rand.IntN(statements), 1+rand.Int64N(keys)) //nolint:gosec // no secret
		})})
	}
	if err := report.Interleave(ctx, all, b.rounds); err != nil {
		return nil, err
	}
	var rows [][]string
	for i, c := range all {
		memory, err := b.measureBackends(ctx, pools[i])
		if err != nil {
			return nil, err
		}
		rows = append(rows, []string{
			strconv.Itoa(len(shops)), ways[i].name, fmt.Sprintf("%.2f", c.Ratio(all[0])), fmt.Sprintf("%.2f", c.Ratio(all[1])),
			fmt.Sprintf("%.0f", c.Value()), memory.String(), fmt.Sprintf("%.1f MB", float64(grown[i])/megabyte),
		})
	}
	return rows, nil
}

// warm has the connection meet every statement of every tenant, as often as it takes
// until nothing changes any more: ours prepare a statement when it comes back, and
// PostgreSQL plans it anew for its first five executions. Where not all of them can
// be kept, nothing ever comes to rest, and twice is enough.
func warm(o *opened, shops []*shop) error {
	passes := 2
	if len(shops)*statements <= statementCache {
		passes = settled
	}
	for range passes {
		for _, s := range shops {
			if o.ready != nil {
				if err := o.ready(s); err != nil {
					return err
				}
			}
			for n := range statements {
				if err := o.query(s, n, 1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
