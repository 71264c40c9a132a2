package wire

import (
	"bytes"
	"slices"

	"github.com/cotenant/cotenant/internal/sqltext"
)

// lasting is what must be remembered of a statement that was prepared.
const lasting = sqltext.Alone | sqltext.Opaque | sqltext.Commits | sqltext.Begins | sqltext.Ends | sqltext.RollsBack | sqltext.GoesOn |
	sqltext.Sets | sqltext.Leaves | sqltext.Roles | sqltext.Discards

// message is one of an extended group that pgx writes.
type message struct {
	kind byte
	at   int // where it begins
	what sqltext.Class
}

// maxScratch is how large a buffer is kept for the next write.
const maxScratch = 64 << 10

// output is what is sent for what pgx writes: the same bytes, until something is put
// between them.
type output struct {
	in   []byte
	out  []byte
	done int // how much of in is in out
}

// upTo copies what is in front of at, for something to be put there.
func (o *output) upTo(at int) {
	o.out = append(o.out, o.in[o.done:at]...)
	o.done = at
}

func (o *output) bytes() []byte {
	if len(o.out) == 0 {
		return o.in
	}
	o.upTo(len(o.in))
	return o.out
}

// Write passes pgx's messages on to the server, with ours in front of and behind
// each group that needs them. pgx writes whole messages, but for COPY data.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	out, err := c.outgoing(p)
	c.mu.Unlock()
	if err == nil {
		err = c.send(out)
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// send writes to the server.
func (c *Conn) send(p []byte) error {
	if c.gate != nil {
		c.gate.open.Store(true)
		defer c.gate.open.Store(false)
	}
	_, err := c.out.Write(p)
	return err
}

// outgoing returns what is to be sent for p. The lock is held.
func (c *Conn) outgoing(p []byte) ([]byte, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	if !c.active {
		return p, nil
	}
	o := &output{in: p, out: c.scratch[:0]}
	for at := 0; at < len(p); {
		if c.cut > 0 {
			n := min(c.cut, len(p)-at)
			c.cut -= n
			at += n
			continue
		}
		end, err := c.next(o, at)
		if err != nil {
			return nil, c.fail(err)
		}
		at = end
	}
	out := o.bytes()
	if c.scratch = o.out[:0]; cap(c.scratch) > maxScratch {
		c.scratch = nil
	}
	return out, nil
}

// next takes what begins at at: a simple Query, what there is of an extended group,
// or a message that belongs to neither. It returns where that ends.
func (c *Conn) next(o *output, at int) (int, error) {
	kind, body, end, err := messageAt(o.in, at)
	if err != nil {
		return 0, err
	}
	if end > len(o.in) {
		if kind != 'd' {
			return 0, errUnexpected
		}
		c.cut = end - len(o.in)
		return len(o.in), nil
	}
	switch kind {
	case 'd', 'c', 'f', 'X': // COPY, also after it failed, and the end of the session
		return end, nil
	case 'Q':
		return end, c.query(o, at, body)
	}
	return c.extended(o, at)
}

// messageAt returns the type and the body of the message of p that begins at at, and
// where it ends: behind the end of p if it is not whole.
func messageAt(p []byte, at int) (kind byte, body []byte, end int, err error) {
	if len(p)-at < headerSize {
		return 0, nil, 0, errUnexpected
	}
	kind, size, err := headerOf(p[at:])
	if err != nil {
		return 0, nil, 0, err
	}
	end = at + headerSize + size
	return kind, p[at+headerSize : min(end, len(p))], end, nil
}

// extended takes the messages of an extended group from at up to its Sync, or what
// there is of them.
func (c *Conn) extended(o *output, at int) (end int, err error) {
	end, all, err := c.look(o.in, at)
	if err != nil {
		return 0, err
	}
	if c.mode == Local && c.want != (Path{}) && all.Has(sqltext.Leaves|sqltext.Names) {
		return 0, ErrLeaves
	}
	c.behind = -1
	role := c.open && c.roles
	if !c.open {
		if err := c.beginGroup(o, at, all); err != nil {
			return 0, err
		}
	} else if c.groups[len(c.groups)-1].set && all.Has(sqltext.Alone|sqltext.Opaque|sqltext.Begins|sqltext.RollsBack) || c.mode == Local && all.Has(sqltext.GoesOn) {
		return 0, ErrAlone // the path was set in this very transaction, and not confirmed
	}
	g := &c.groups[len(c.groups)-1]
	g.answers = slices.Grow(g.answers, len(c.run))
	for _, m := range c.run {
		if m.at == c.behind {
			c.setBehind(o, m.at, g)
		}
		if role && m.what.Has(sqltext.Works) && m.kind == c.usageBefore() {
			o.upTo(m.at)
			o.out = c.appendUsage(o.out, g)
			role = false
		}
		if m.what.Has(sqltext.Ends) {
			c.proveBefore(o, m.at, g)
		}
		c.unproven = (c.unproven || m.what.Has(sqltext.Works)) && !m.what.Has(sqltext.Discards)
		if m.kind == 'B' {
			c.note(g, m.what)
			role = role || m.what.Has(sqltext.Roles) && c.want != (Path{})
		}
		switch m.kind {
		case 'P', 'B', 'C', 'D', 'E':
			g.answers = append(g.answers, theirs)
		case 'S':
			c.proveBefore(o, m.at, g)
			c.open = false
		}
	}
	return end, nil
}

// usageBefore is the message in front of which it is proven that the role, which the
// group has set before, may use the schema. In the mode Local that takes the unnamed
// statement, which the application's must not have been parsed for yet.
func (c *Conn) usageBefore() byte {
	if c.mode == Local {
		return 'P'
	}
	return 'B'
}

// note takes note of what a statement of g that is executed does to the session.
func (c *Conn) note(g *group, what sqltext.Class) {
	g.touches = g.touches || what.Has(sqltext.Sets)
	c.roles = c.roles || what.Has(sqltext.Roles)
	leaves := what.Has(sqltext.Leaves | sqltext.Unsure)
	c.lastingRole = c.lastingRole || leaves && what.Has(sqltext.Roles)
	c.dirty = c.dirty || leaves
}

// look reads the messages of an extended group from at into c.run, and returns where
// they end and what all of them are.
func (c *Conn) look(p []byte, at int) (end int, all sqltext.Class, err error) {
	c.run = c.run[:0]
	c.ended = c.ended && c.open
	var name []byte // of the last statement that was parsed in this run
	var what sqltext.Class
	parsedHere := false
	for at < len(p) {
		kind, body, end, err := messageAt(p, at)
		if err != nil {
			return 0, 0, err
		}
		if end > len(p) {
			return 0, 0, errUnexpected
		}
		m := message{kind: kind, at: at}
		switch kind {
		case 'P':
			var sql []byte
			name, sql = twoStrings(body)
			what, parsedHere = sqltext.ClassifyParsed(string(sql), c.escapes), true
			m.what = what
			if c.mode == Local && c.want != (Path{}) && len(name) > 0 {
				return 0, 0, ErrPrepared
			}
			if _, ok := c.lasting[string(name)]; ok || what.Has(lasting) {
				c.lasting[string(name)] |= what // for good: a later Parse of that name may fail
			}
		case 'B':
			_, bound := twoStrings(body)
			switch remembered, ok := c.lasting[string(bound)]; {
			case parsedHere && bytes.Equal(bound, name):
				m.what = what
			case c.mode == Local && c.want != (Path{}):
				return 0, 0, ErrPrepared
			case ok:
				// Perhaps it was prepared anew since, out of sight.
				m.what = remembered | sqltext.Works
			default:
				m.what = sqltext.Works
			}
		case 'C', 'D', 'E', 'H', 'S':
		default:
			return 0, 0, errUnexpected
		}
		if kind == 'B' {
			if c.ended {
				all |= sqltext.GoesOn
			}
			c.ended = c.ended || m.what.Has(sqltext.Ends)
		}
		all |= m.what
		c.run = append(c.run, m)
		at = end
		if kind == 'S' {
			break
		}
	}
	return at, all, nil
}

// idle reports whether what is sent now is sent outside of a transaction, as far as
// is known: while groups are under way, it is taken to be.
func (c *Conn) idle() bool { return c.status == 'I' || len(c.groups) > 0 }

// beginGroup begins an extended group, of which all is known, at at. Outside of a
// transaction, the path is set in front of it, unless the session has it. Within one
// it is the transaction's.
func (c *Conn) beginGroup(o *output, at int, all sqltext.Class) error {
	var g group
	c.unproven = false
	switch {
	case c.want == (Path{}) || len(c.run) == 1 && c.run[0].kind == 'S':
	case c.mode == Local:
		// A procedure that commits ends the transaction that has the path.
		if all.Has(sqltext.GoesOn) || all.Has(sqltext.Alone|sqltext.Commits) && c.idle() {
			return ErrAlone
		}
		if c.idle() {
			if c.behind = c.behindBegin(); c.behind < 0 && !c.onlyEnds() {
				o.upTo(at)
				o.out = c.appendSet(o.out, &g)
			}
		} else {
			c.proveFront(o, at, &g, all)
		}
	case c.idle() && !c.sure && all.Has(sqltext.Alone|sqltext.Opaque|sqltext.RollsBack), c.usageAhead(all):
		if err := c.exchange(at); err != nil {
			return err
		}
	case !c.idle() || c.sure:
		if c.idle() {
			c.behind = c.behindBegin()
		}
		if c.behind < 0 {
			c.proveFront(o, at, &g, all)
		}
	default:
		if all.Has(sqltext.Begins) {
			c.setAhead(o, at, true)
			c.behind = c.behindBegin()
		}
		if c.behind < 0 {
			o.upTo(at)
			o.out = c.appendSet(o.out, &g)
		}
	}
	c.groups = append(c.groups, g)
	c.open = true
	return nil
}

// onlyEnds reports whether all that a group executes ends a transaction, which may
// have failed.
func (c *Conn) onlyEnds() bool {
	ends := false
	for _, m := range c.run {
		if m.kind == 'B' && m.what.Has(sqltext.Works|sqltext.Begins) {
			return false
		}
		ends = ends || m.kind == 'B' && m.what.Has(sqltext.Ends)
	}
	return ends
}

// behindBegin returns where the path can be set or proven behind a BEGIN that a group
// begins with, as that of a batch does: where the next statement is parsed. Else it is
// negative. See beginQuery for why.
func (c *Conn) behindBegin() int {
	begun := false
	for i, m := range c.run {
		switch {
		case m.kind == 'B' && !m.what.Has(sqltext.Begins), m.kind == 'C':
			return -1
		case m.kind == 'B':
			begun = true
		case m.kind == 'E' && begun && i+1 < len(c.run) && (c.run[i+1].kind == 'P' || c.run[i+1].kind == 'S'):
			return c.run[i+1].at
		}
	}
	return -1
}

// setBehind sets and proves the path behind a BEGIN.
func (c *Conn) setBehind(o *output, at int, g *group) {
	o.upTo(at)
	switch {
	case c.mode == Local:
		o.out = c.appendSetLocal(o.out, g)
		o.out = c.appendProof(c.appendUsage(o.out, g), g)
	case !c.sure:
		o.out = c.appendSet(o.out, g)
	case c.roles:
		o.out = c.appendUsage(o.out, g)
		o.out = c.appendProof(o.out, g)
	default:
		o.out = c.appendProof(o.out, g)
	}
}

// setAhead sets the path in a group of its own in front of one with a BEGIN, so that
// a ROLLBACK does not undo it. If it fails, pgx is told in place of a lone BEGIN's
// answer, and the connection is broken. A group that sets the path itself as well is
// quiet about it: pgx is told what became of its own.
func (c *Conn) setAhead(o *output, at int, quiet bool) {
	g := group{silent: true, quiet: quiet}
	o.upTo(at)
	o.out = appendEmpty(c.appendSet(o.out, &g), 'S')
	c.groups = append(c.groups, g)
}

// proveFront puts a proof in front of what reads or writes.
func (c *Conn) proveFront(o *output, at int, g *group, all sqltext.Class) {
	if !all.Has(sqltext.Works) || c.status == 'E' {
		return
	}
	o.upTo(at)
	if c.roles {
		o.out = c.appendUsage(o.out, g)
	}
	o.out = c.appendProof(o.out, g)
}

// proveBefore puts a proof at at, behind what read or wrote in the last group.
func (c *Conn) proveBefore(o *output, at int, g *group) {
	aborted := c.status == 'E' && len(c.groups) == 1
	if c.unproven && c.want != (Path{}) && !aborted {
		o.upTo(at)
		o.out = c.appendProof(o.out, g)
	}
	c.unproven = false
}
