package main

import (
	"context"
	"fmt"
)

// wire makes the table of messages: what it costs to set the path in the group of
// messages of the application's own statement, and to prove that the schema exists.
func (b *bench) wire(ctx context.Context) ([]*table, error) {
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
	var all []*contender
	var grid, server [2][]*contender
	for _, statement := range []int{pk, j4} {
		for _, w := range ways {
			turns := tenants
			if w.stays {
				turns = tenants[:1]
			}
			c, processor := &contender{}, &contender{}
			c.measure = b.wireTurn(s, turns, func(t *wireTenant) error { return w.send(s, t, statement) }, processor)
			grid[statement] = append(grid[statement], c)
			server[statement] = append(server[statement], processor)
			all = append(all, c)
		}
	}
	if err := interleave(ctx, all, b.rounds); err != nil {
		return nil, err
	}
	t := &table{
		title: "On the wire",
		note: "What stands before (and behind) a prepared statement of the application's in its group of messages, two tenants in turn, without pgx. The time of a group as a " +
			"ratio to qualified names with nothing before them, and in µs; and by how many µs longer the server's process runs.",
		header: []string{"", "PK", "server", "J4", "server"},
	}
	for i, w := range ways {
		row := []string{w.name}
		for statement := range grid {
			more := "n/a"
			if base := server[statement][0].value(); base > 0 {
				more = fmt.Sprintf("%+.0f", server[statement][i].value()-base)
			}
			c := grid[statement][i]
			row = append(row, fmt.Sprintf("%.2f (%.0f)", c.ratio(grid[statement][0]), c.value()), more)
		}
		t.rows = append(t.rows, row)
	}
	return []*table{t}, nil
}

// wireTurn is a turn of send for one tenant after the other. What the server's
// process works for one goes to the results of processor.
func (b *bench) wireTurn(s *session, tenants []*wireTenant, send func(*wireTenant) error, processor *contender) func() (float64, error) {
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
		processor.results = append(processor.results, (s.processorTime()-before)/float64(sent))
		return result, err
	}
}
