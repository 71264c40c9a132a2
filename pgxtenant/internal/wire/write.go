package wire

import (
	"bytes"
	"encoding/binary"
)

// Write passes pgx's messages on to the server, with our statement in front of
// each group that needs it. pgx writes whole messages, but for COPY data.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	out, err := c.outgoing(p)
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if _, err := c.out.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// outgoing returns what is to be sent for p. The lock is held.
func (c *Conn) outgoing(p []byte) ([]byte, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	if !c.active || c.awaitsQuery() {
		return p, nil
	}
	var out []byte // p with what was put in, once something was
	done := 0      // how much of p is in out
	for at := 0; at < len(p); {
		kind, size, err := messageAt(p[at:])
		if err != nil {
			return nil, c.fail(err)
		}
		message := p[at : at+size]
		c.remember(kind, message[5:])
		if !c.open && kind != 'X' {
			if c.needsPath() {
				if err := c.inject(&out, p[done:at], p[at:]); err != nil {
					return nil, c.fail(err)
				}
				done = at
			} else {
				c.groups = append(c.groups, group{})
			}
			c.open = true
			c.groups[len(c.groups)-1].query = kind == 'Q'
			if g := &c.groups[len(c.groups)-1]; kind == 'Q' && g.shift > 0 {
				out = appendQuery(out, c.want.query()+text(message[5:]))
				done = at + size
			}
		}
		if kind == 'S' || kind == 'Q' || kind == 'F' {
			c.open = false
		}
		at += size
	}
	if done == 0 && out == nil {
		return p, nil
	}
	return append(out, p[done:]...), nil
}

// awaitsQuery reports whether a simple Query is not answered yet. pgx sends nothing
// behind it but COPY data, which may be cut anywhere, so that what a write begins
// with need not be a header.
func (c *Conn) awaitsQuery() bool {
	return len(c.groups) > 0 && c.groups[len(c.groups)-1].query
}

// messageAt returns the type and the size, all told, of the message that p begins
// with.
func messageAt(p []byte) (kind byte, size int, err error) {
	if len(p) < 5 {
		return 0, 0, errUnexpected
	}
	size = 1 + int(binary.BigEndian.Uint32(p[1:]))
	if size < 5 || size > len(p) {
		return 0, 0, errUnexpected
	}
	return p[0], size, nil
}

// needsPath reports whether the group that begins now must set the path: where it
// is not known to be right, unless a transaction is open: the path is never set
// within one, so it was right when the transaction began.
func (c *Conn) needsPath() bool {
	return !c.sure && c.want != (Path{}) && (c.status == 'I' || len(c.groups) > 0)
}

// inject puts our statement in front of the group that rest begins with. before is
// what of pgx's messages comes before it.
//
//   - In general it becomes the first of the group, or of the simple Query's text.
//   - In front of a BEGIN it is a group of its own, so that a roll-back does not
//     undo it. BEGIN reads and writes nothing, and nothing follows it before its
//     answer, behind that of our statement, was read.
//   - A statement that may not stand behind another waits for the answer.
func (c *Conn) inject(out *[]byte, before, rest []byte) error {
	*out = append(*out, before...)
	switch {
	case c.groupIsBegin(rest):
		g := group{injected: true, silent: true}
		*out = appendSync(c.appendPath(*out, &g))
		c.groups = append(c.groups, g, group{})
	case c.groupStandsAlone(rest):
		if len(c.groups) > 0 || len(*out) > 0 {
			return errAlone // behind others that are not answered yet it cannot be awaited
		}
		if err := c.exchange(); err != nil {
			return err
		}
		c.groups = append(c.groups, group{})
	case rest[0] == 'Q':
		c.groups = append(c.groups, group{injected: true, expect: answersToQuery, shift: len(c.want.query())})
	default:
		g := group{injected: true}
		*out = c.appendPath(*out, &g)
		c.groups = append(c.groups, g)
	}
	return nil
}

// appendPath appends our statement for g, and the message that prepares it if it
// is not on the server yet.
func (c *Conn) appendPath(dst []byte, g *group) []byte {
	if !c.prepared {
		dst = appendParse(dst)
		g.expect = answersToParse
		c.prepared = true
	}
	g.expect += answersToBind
	return c.want.appendExecute(dst)
}

// groupIsBegin reports whether the group that p begins with is a BEGIN, and all
// that pgx sends.
func (c *Conn) groupIsBegin(p []byte) bool {
	kind, size, err := messageAt(p)
	return err == nil && kind == 'Q' && size == len(p) && isBegin(text(p[5:]))
}

// groupStandsAlone reports whether the group that p begins with has a statement
// that may not stand behind another.
func (c *Conn) groupStandsAlone(p []byte) bool {
	for len(p) > 0 {
		kind, size, err := messageAt(p)
		if err != nil {
			return false // told by the caller
		}
		body := p[5:size]
		switch kind {
		case 'Q':
			return standsAlone(text(body))
		case 'F':
			return true
		case 'P':
			if _, sql := nameAndText(body); standsAlone(sql) {
				return true
			}
		case 'B':
			if _, name := nameAndText(body); c.alone[name] {
				return true
			}
		case 'S':
			return false
		}
		p = p[size:]
	}
	return false
}

// remember keeps which prepared statements may not stand behind another.
func (c *Conn) remember(kind byte, body []byte) {
	switch kind {
	case 'P':
		if name, sql := nameAndText(body); standsAlone(sql) {
			c.alone[name] = true
		} else {
			delete(c.alone, name)
		}
	case 'C':
		if len(body) > 1 && body[0] == 'S' {
			delete(c.alone, text(body[1:]))
		}
	}
}

// text is the first string of a message's body.
func text(body []byte) string {
	if i := bytes.IndexByte(body, 0); i >= 0 {
		return string(body[:i])
	}
	return string(body)
}

// nameAndText are the first two strings of a message's body: those of a Parse are
// the statement's name and its text, those of a Bind the portal's name and the
// statement's.
func nameAndText(body []byte) (name, second string) {
	name = text(body)
	if len(name) < len(body) {
		second = text(body[len(name)+1:])
	}
	return name, second
}
