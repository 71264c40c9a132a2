package main

import (
	"context"
	"fmt"

	"github.com/cotenant/cotenant/bench/internal/report"
)

// wire makes the table of messages: what it costs to set the path in the group of
// messages of the application's own statement, and to prove that the schema exists.
func (b *bench) wire(ctx context.Context) ([]*report.Table, error) {
	s, err := b.newSession(ctx)
	if err != nil {
		return nil, err
	}
	defer s.conn.Close()
	tenants, err := s.prepare(b.shops[:2])
	if err != nil {
		return nil, err
	}
	ways := wireWays()
	var all []*report.Contender
	var grid, server [2][]*report.Contender
	for _, statement := range []int{pk, j4} {
		for _, w := range ways {
			turns := tenants
			if w.stays {
				turns = tenants[:1]
			}
			c, processor := &report.Contender{}, &report.Contender{}
			c.Measure = b.wireTurn(s, turns, func(t *wireTenant) error { return w.send(s, t, statement) }, processor)
			grid[statement] = append(grid[statement], c)
			server[statement] = append(server[statement], processor)
			all = append(all, c)
		}
	}
	if err := report.Interleave(ctx, all, b.rounds); err != nil {
		return nil, err
	}
	t := &report.Table{
		Title: "On the wire",
		Note: "What stands before (and behind) a prepared statement of the application's in its group of messages, two tenants in turn, without pgx. The time of a group as a " +
			"ratio to qualified names with nothing before them, and in µs; and by how many µs longer the server's process runs.",
		Header: []string{"", "PK", "server", "J4", "server"},
	}
	for i, w := range ways {
		row := []string{w.name}
		for statement := range grid {
			more := "n/a"
			if base := server[statement][0].Value(); base > 0 {
				more = fmt.Sprintf("%+.0f", server[statement][i].Value()-base)
			}
			c := grid[statement][i]
			row = append(row, fmt.Sprintf("%.2f (%.0f)", c.Ratio(grid[statement][0]), c.Value()), more)
		}
		t.Rows = append(t.Rows, row)
	}
	return []*report.Table{t}, nil
}

// wireTurn is a turn of send for one tenant after the other. What the server's
// process works for one goes to the results of processor.
func (b *bench) wireTurn(s *session, tenants []*wireTenant, send func(*wireTenant) error, processor *report.Contender) func() (float64, error) {
	return func() (float64, error) {
		if err := s.simple(tenants[0].shop.set); err != nil {
			return 0, err
		}
		sent := 0
		before := s.processorTime()
		result, err := b.latency(nil, func(n int) error {
			sent++
			return send(tenants[n%len(tenants)])
		})()
		processor.Results = append(processor.Results, (s.processorTime()-before)/float64(sent))
		return result, err
	}
}
