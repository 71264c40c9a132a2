package main

import (
	"encoding/binary"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

// tap knows what was sent to a server.
type tap struct {
	mu   sync.Mutex
	sent []sent
}

// sent is a statement that was executed.
type sent struct {
	sql    string
	parse  pgproto3.Parse
	bind   pgproto3.Bind
	simple bool // it had no parameters, and needed none of these messages
}

// take returns what was sent since the last call, in order.
func (t *tap) take() []sent {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.sent
	t.sent = nil
	return all
}

func (t *tap) add(s sent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = append(t.sent, s)
}

// transactionOf returns the statements from the BEGIN before the one that begins with a
// text to the COMMIT behind it.
func transactionOf(all []sent, text string) []sent {
	is := func(keyword string) func(sent) bool {
		return func(s sent) bool { return strings.HasPrefix(strings.ToLower(s.sql), keyword) }
	}
	at := slices.IndexFunc(all, func(s sent) bool { return strings.HasPrefix(s.sql, text) })
	if at < 0 {
		return nil
	}
	end := slices.IndexFunc(all[at:], is("commit"))
	for begin := at; begin >= 0 && end >= 0; begin-- {
		if is("begin")(all[begin]) {
			return all[begin : at+end+1]
		}
	}
	return nil
}

// tappedConn reads along in the messages of the protocol: what pgx tells its tracers is
// not all, as there are layers below that.
type tappedConn struct {
	net.Conn
	tap      *tap
	started  bool
	rest     []byte                    // of a message that was not written to its end
	prepared map[string]pgproto3.Parse // by the names that later messages have
}

// Write reads along, and writes.
func (c *tappedConn) Write(p []byte) (int, error) {
	c.rest = append(c.rest, p...)
	for {
		taken, err := c.next()
		if err != nil {
			return 0, err
		}
		if !taken {
			return c.Conn.Write(p)
		}
	}
}

// next takes a message off, if there is a whole one.
func (c *tappedConn) next() (taken bool, err error) {
	header := 1 // the kind, which the first message of a connection lacks
	if !c.started {
		header = 0
	}
	if len(c.rest) < header+4 {
		return false, nil
	}
	end := header + int(binary.BigEndian.Uint32(c.rest[header:]))
	if len(c.rest) < end {
		return false, nil
	}
	if c.started {
		err = c.read(c.rest[0], slices.Clone(c.rest[5:end]))
	}
	c.started = true
	c.rest = c.rest[end:]
	return true, err
}

// read notes what is executed.
func (c *tappedConn) read(kind byte, body []byte) error {
	switch kind {
	case 'Q':
		var q pgproto3.Query
		if err := q.Decode(body); err != nil {
			return err
		}
		c.tap.add(sent{sql: q.String, simple: true})
	case 'P':
		var p pgproto3.Parse
		if err := p.Decode(body); err != nil {
			return err
		}
		if c.prepared == nil {
			c.prepared = map[string]pgproto3.Parse{}
		}
		c.prepared[p.Name] = p
	case 'B':
		s := sent{}
		if err := s.bind.Decode(body); err != nil {
			return err
		}
		s.parse = c.prepared[s.bind.PreparedStatement]
		s.sql = s.parse.Query
		c.tap.add(s)
	}
	return nil
}
