package wire

import "encoding/binary"

// scanner walks the server's messages across reads.
type scanner struct {
	header [headerSize]byte
	have   int    // of the header
	left   int    // of the body
	body   []byte // of a message that is looked into
	keep   bool   // the message is looked into
	hold   bool   // it is given out, or not, when it is complete
	drop   bool   // it is not for pgx
	mine   bool   // it is the error of a message of ours
}

// within reports whether a message has come in part.
func (s *scanner) within() bool { return s.have > 0 }

// Read gives pgx what the server sends, without the answers to our messages.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.reading: // for the answer to an exchange, by Write
			c.moved.Wait()
			continue
		case len(c.stash) > 0:
			n := copy(p, c.stash)
			c.stash = c.stash[n:]
			return n, nil
		case c.broken != nil:
			return 0, c.broken
		}
		c.stash = nil
		n, err := c.read(p)
		if err != nil {
			return 0, err
		}
		kept, err := c.incoming(p[:n])
		if err != nil {
			return 0, err
		}
		if kept > 0 {
			return kept, nil
		}
	}
}

// incoming walks the messages in p, and returns how much of it is for pgx, moved to
// the front of p. What does not fit there goes to the stash. The lock is held.
func (c *Conn) incoming(p []byte) (int, error) {
	s := &c.scan
	kept := 0
	for at := 0; at < len(p); {
		if s.have < headerSize {
			n := copy(s.header[s.have:], p[at:])
			s.have += n
			at += n
			if s.have < headerSize {
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
			c.emit(p, &kept, at, body)
		}
		if s.left > 0 {
			break
		}
		if err := c.end(); err != nil {
			return 0, c.fail(err)
		}
		if s.hold && !s.drop {
			binary.BigEndian.PutUint32(s.header[1:], uint32(len(s.body)+4)) //nolint:gosec // no longer than what came
			c.emit(p, &kept, at, s.header[:])
			c.emit(p, &kept, at, s.body)
		}
		*s = scanner{body: s.body[:0]}
		if c.broken != nil {
			break // pgx gets what came before; the next call fails
		}
	}
	return kept, nil
}

// emit gives b out: in front of p, of which all up to at was walked, if it fits, else
// by the stash, behind what p has for pgx so far.
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
	kind, size, err := headerOf(s.header[:])
	if err != nil {
		return err
	}
	s.left = size
	s.keep = kind == 'Z' || kind == 'S' || kind == executed
	switch {
	case !c.active, kind == 'N', kind == 'A', kind == 'S':
		return nil
	case len(c.groups) == 0:
		if kind != 'E' { // that ends the session, unasked
			return errUnexpected
		}
		return nil
	}
	g := &c.groups[0]
	switch {
	case kind == 'E':
		c.beginError(g)
	case kind == 'Z':
		if len(g.answers) > 0 && !g.failed || g.tail && !g.tailing && !g.failed {
			return errUnexpected
		}
		s.drop = g.silent && (!g.failed || g.awaited)
	case g.ours():
		return c.beginOurs(g, kind)
	case g.query:
		s.hold = kind == rowShape && g.tail // it may be that of our proof
		s.keep = s.keep || s.hold
	case isFinal(kind):
		if len(g.answers) == 0 {
			return errUnexpected
		}
		g.answers = g.answers[1:]
	}
	return nil
}

// beginOurs takes an answer to a message of ours. Rows are not final.
func (c *Conn) beginOurs(g *group, kind byte) error {
	s := &c.scan
	s.drop, s.keep = true, false
	switch {
	case g.tailing:
		if kind != 'D' && kind != executed {
			return errUnexpected
		}
	case kind == g.answers[0]:
		g.answers = g.answers[1:]
	case kind != 'D' || g.answers[0] != executed:
		return errUnexpected
	}
	return nil
}

// beginError takes an error: the server skips what is left of the group.
func (c *Conn) beginError(g *group) {
	s := &c.scan
	s.mine = g.ours()
	for _, kind := range g.answers {
		if kind == parsed || kind == closed {
			c.prepared = false
		}
	}
	g.failed, g.answers = true, nil
	s.keep = s.mine || g.awaited || g.shift > 0 || g.tail
	s.hold = s.keep
	s.drop = g.awaited
}

// end looks at a message that is complete.
func (c *Conn) end() error {
	s := &c.scan
	if !s.keep {
		return nil
	}
	switch s.header[0] {
	case 'S':
		c.parameter(nameAndText(s.body))
	case executed:
		c.tagged(text(s.body))
	case 'E':
		g := &c.groups[0]
		code := ""
		s.body, code = rewriteError(s.body, g, s.mine)
		if s.mine && code == statementMissing {
			c.prepared = false
		}
		if g.awaited {
			c.refused(s.body)
		}
	case rowShape:
		g := &c.groups[0]
		g.tailing = isProof(s.body)
		s.drop = g.tailing
	case 'Z':
		if len(s.body) != 1 {
			return errUnexpected
		}
		c.ready(s.body[0])
	}
	return nil
}

// parameter takes note of what the server reports.
func (c *Conn) parameter(name, value string) {
	switch name {
	case "search_path":
		c.reports, c.reported = true, value
	case "standard_conforming_strings":
		c.escapes = value == "off"
	}
}

// tagged takes note of what a statement of the application did.
func (c *Conn) tagged(tag string) {
	switch tag {
	case "SET", "RESET":
		c.touched = true
	case "DISCARD ALL", "DEALLOCATE ALL":
		c.touched, c.prepared = true, false
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
	if g.silent && g.failed && !g.awaited {
		// What comes next is the answer to a BEGIN on another path. pgx was told
		// of the error and that the server is idle, and gets no further.
		c.fail(errRefused)
	}
	if g.set {
		c.sure = !g.failed // an error undoes everything that the group did
	}
	if status == 'I' {
		if c.touched {
			c.sure, c.touched = false, false
		}
		if c.reports {
			c.sure = c.sure && equalPaths(c.reported, c.want.SearchPath)
		}
	}
}

// isProof reports whether the body of a RowDescription is that of our proof behind a
// simple Query: its one column has our name and is of type regnamespace.
func isProof(body []byte) bool {
	const names = len(proofColumn) + 1
	return len(body) == 2+names+18 && body[1] == 1 && text(body[2:]) == proofColumn &&
		binary.BigEndian.Uint32(body[2+names+6:]) == regnamespaceOID
}
