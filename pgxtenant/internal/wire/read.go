package wire

import (
	"bytes"
	"strconv"
	"strings"
)

// scanner walks the server's messages across reads.
type scanner struct {
	header [5]byte
	have   int    // of the header
	left   int    // of the body
	body   []byte // of a message that is looked into
	drop   bool   // the message is not for pgx
	keep   bool   // the message is looked into
	hold   bool   // it is given out when it is complete
	mine   bool   // it is the error of our statement, or of the text that begins with it
}

// Read gives pgx what the server sends, without the answers to our statements.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		c.mu.Lock()
		if len(c.stash) > 0 {
			n := copy(p, c.stash)
			c.stash = c.stash[n:]
			c.mu.Unlock()
			return n, nil
		}
		c.stash = nil
		broken := c.broken
		c.mu.Unlock()
		if broken != nil {
			return 0, broken
		}
		n, err := c.in.Read(p)
		if n > 0 {
			c.mu.Lock()
			kept, incomingErr := c.incoming(p[:n])
			c.mu.Unlock()
			if incomingErr != nil {
				return 0, incomingErr
			}
			if kept > 0 {
				return kept, err
			}
		}
		if err != nil {
			return 0, err
		}
	}
}

// incoming walks the messages in p, and returns how much of it is for pgx, moved to
// the front of p. Where what was held back does not fit there, everything goes to
// the stash. The lock is held.
func (c *Conn) incoming(p []byte) (int, error) {
	s := &c.scan
	kept := 0
	keep := func(b []byte) {
		if len(c.stash) > 0 {
			c.stash = append(c.stash, b...)
			return
		}
		kept += copy(p[kept:], b)
	}
	for at := 0; at < len(p); {
		if s.have < len(s.header) {
			n := copy(s.header[s.have:], p[at:])
			s.have += n
			at += n
			if s.have < len(s.header) {
				break
			}
			if err := c.begin(); err != nil {
				return 0, c.fail(err)
			}
			if !s.drop && !s.hold {
				c.emit(p, &kept, at, s.header[:])
			}
		}
		n := min(s.left, len(p)-at)
		body := p[at : at+n]
		s.left -= n
		at += n
		if s.keep {
			s.body = append(s.body, body...)
		}
		if !s.drop && !s.hold {
			keep(body)
		}
		if s.left > 0 {
			break
		}
		held := s.hold
		if err := c.end(); err != nil {
			return 0, c.fail(err)
		}
		if c.broken != nil {
			return kept, nil //nolint:nilerr // pgx gets what came before; the next call fails
		}
		if held {
			c.emit(p, &kept, at, append(s.header[:], s.body...))
		}
		*s = scanner{body: s.body[:0]}
	}
	return kept, nil
}

// emit keeps b, which is not part of p: in front of p up to at, if it fits, else in
// the stash, behind what p has for pgx so far.
func (c *Conn) emit(p []byte, kept *int, at int, b []byte) {
	if len(c.stash) == 0 && *kept+len(b) <= at {
		*kept += copy(p[*kept:], b)
		return
	}
	c.stash = append(c.stash, b...)
}

// begin looks at a message whose header has come.
func (c *Conn) begin() error {
	s := &c.scan
	_, size, err := headerOf(s.header)
	if err != nil {
		return err
	}
	s.left = size
	kind := s.header[0]
	if !c.active {
		s.keep = kind == 'S'
		return nil
	}
	s.keep = kind == 'Z' || kind == 'C' || kind == 'S'
	if len(c.groups) == 0 {
		return nil
	}
	g := &c.groups[0]
	switch {
	case kind == 'N' || kind == 'A' || kind == 'S':
	case kind == 'E':
		if strings.HasPrefix(g.expect, answersToParse) {
			c.prepared = false
		}
		s.mine = g.expect != ""
		g.failed, g.expect = true, ""
		s.keep = s.mine || g.shift > 0
		s.hold = s.keep
	case g.expect != "":
		if kind != g.expect[0] {
			return errUnexpected
		}
		g.expect = g.expect[1:]
		s.drop = true
		s.keep = false
	case kind == 'Z':
		s.drop = g.silent && !g.failed
	}
	return nil
}

// headerOf returns the type of a message and the size of its body.
func headerOf(header [5]byte) (kind byte, body int, err error) {
	size := int(header[1])<<24 | int(header[2])<<16 | int(header[3])<<8 | int(header[4])
	if size < 4 {
		return 0, 0, errUnexpected
	}
	return header[0], size - 4, nil
}

// end looks at a message that is complete.
func (c *Conn) end() error {
	s := &c.scan
	if !s.keep {
		return nil
	}
	switch s.header[0] {
	case 'S':
		if name, value := nameAndText(s.body); name == "search_path" {
			c.reports, c.reported = true, value
		}
	case 'C':
		if len(c.groups) > 0 {
			c.tagged(text(s.body))
		}
	case 'E':
		s.body = rewriteError(s.body, c.groups[0].shift, s.mine)
		header, at := begin(nil, 'E')
		s.header = [5]byte(finish(append(header, s.body...), at))
	case 'Z':
		if len(s.body) != 1 {
			return errUnexpected
		}
		c.ready(s.body[0])
	}
	return nil
}

// tagged takes note of what a statement of the application did.
func (c *Conn) tagged(tag string) {
	switch tag {
	case "SET", "RESET":
		c.touched = true
	case "DISCARD ALL":
		c.touched, c.prepared = true, false
		clear(c.alone)
	case "DEALLOCATE ALL":
		c.prepared = false
		clear(c.alone)
	}
}

// ready ends the first group. It decides whether the session's path is known to be
// the wanted one.
func (c *Conn) ready(status byte) {
	c.status = status
	if len(c.groups) == 0 {
		return
	}
	g := c.groups[0]
	c.groups = c.groups[1:]
	if g.silent && g.failed {
		// What comes next is the answer to a BEGIN on another path. pgx was told
		// of the error and that the server is idle, and gets no further.
		c.broken = errRefused
	}
	if g.injected {
		// An error undoes everything that the group did, our statement too.
		c.sure = !g.failed
	}
	if status == 'I' {
		if c.touched {
			c.sure, c.touched = false, false
		}
		if c.reports {
			c.sure = c.sure && c.reported == c.want.SearchPath
		}
	}
}

// Routine is what an error of our statement has in its Routine field, where
// PostgreSQL has the name of the C function that raised it.
const Routine = "cotenant"

// notFound is the SQLSTATE of a schema that does not exist: invalid_schema_name.
const notFound = "3F000"

// rewriteError brings the body of an ErrorResponse into the terms of what pgx sent:
// n is how many characters of ours stood before it, and come off the position that
// the error points to; an error of our own statement is marked as such.
func rewriteError(body []byte, n int, mine bool) []byte {
	var out []byte
	refused := false
	for len(body) > 0 && body[0] != 0 {
		end := bytes.IndexByte(body, 0)
		if end < 0 {
			break
		}
		field := body[:end+1]
		body = body[end+1:]
		switch value := string(field[1:end]); field[0] {
		case 'C':
			refused = mine && value == notFound
		case 'P':
			at, err := strconv.Atoi(value)
			if err != nil || at <= n {
				continue // it points into our statement
			}
			field = append(strconv.AppendInt([]byte{'P'}, int64(at-n), 10), 0)
		case 'R':
			if refused { // the code comes before the routine
				field = append([]byte("R"+Routine), 0)
			}
		}
		out = append(out, field...)
	}
	return append(out, 0)
}
