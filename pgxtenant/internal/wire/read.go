package wire

import (
	"encoding/binary"
	"slices"
)

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
			break
		}
	}
	return kept, nil //nolint:nilerr // pgx gets what came before; the next call fails
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
		if !g.failed && (len(g.answers) > 0 || g.proofs > 0 || g.proving) {
			return errUnexpected
		}
		s.drop = g.silent && (!g.failed || g.quiet)
	case g.next():
		return c.beginOurs(g, kind)
	case g.query:
		s.hold = kind == rowShape && g.proofs > 0 // it may be that of a proof
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
	case !g.proving && g.answers[0] == shape:
		if kind != rowShape && kind != noData {
			return errUnexpected
		}
		s.drop = kind == noData
		g.answers = g.answers[1:]
	case g.proving:
		if kind != 'D' && kind != executed {
			return errUnexpected
		}
		g.proving = kind != executed
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
	s.mine = g.next()
	for _, kind := range g.answers {
		if kind == parsed || kind == closed {
			c.forget()
			break
		}
	}
	g.failed, g.answers = true, nil
	s.keep = s.mine || g.quiet || len(g.ours) > 0
	s.hold = s.keep
	s.drop = g.quiet
}

// end looks at a message that is complete.
func (c *Conn) end() error {
	s := &c.scan
	if !s.keep {
		return nil
	}
	switch s.header[0] {
	case 'S':
		name, value := twoStrings(s.body)
		c.parameter(string(name), string(value))
	case executed:
		tag, _ := cString(s.body)
		c.tagged(string(tag))
	case 'E':
		g := &c.groups[0]
		body, code := rewriteError(s.body, g, s.mine)
		s.body = body
		if s.mine && code == statementMissing {
			c.forget()
		}
		if g.awaited {
			c.refused(s.body)
		}
	case rowShape:
		if isProof(s.body) {
			g := &c.groups[0]
			g.proofs--
			g.proving, s.drop = true, true
		}
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
		c.touched = true
		c.forget()
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
	c.groups = slices.Delete(c.groups, 0, 1)
	switch {
	case g.silent && g.failed && !g.awaited:
		// What comes next is a transaction whose ROLLBACK would lead to another
		// path. If it is a lone BEGIN's, pgx was told of the error and that the
		// server is idle, and gets no further.
		c.astray = true
		if !g.quiet {
			_ = c.fail(errRefused)
		}
	case c.astray:
		c.astray, c.touched = false, true
		if status != 'I' {
			_ = c.fail(errRefused)
		}
	}
	if g.set {
		c.sure = !g.failed // an error undoes everything that the group did
	}
	c.touched = c.touched || g.touches
	if status == 'I' {
		c.roles = c.lastingRole
		if c.touched {
			c.sure, c.touched = false, false
		}
		if c.reports {
			c.sure = c.sure && equalPaths(c.reported, c.want.SearchPath)
		}
	}
}

// isProof reports whether the body of a RowDescription is that of a proof within a
// simple Query: its one column has our name and is of type regnamespace.
func isProof(body []byte) bool {
	if len(body) < 2 || binary.BigEndian.Uint16(body) != 1 {
		return false
	}
	name, rest := cString(body[2:])
	return string(name) == proofColumn && len(rest) == 18 && binary.BigEndian.Uint32(rest[6:]) == regnamespaceOID
}
