package wire

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/cotenant/cotenant/internal/sqltext"
)

// query takes a simple Query, which begins at at. What is put in front, between and
// behind goes into its text, so that each of its transactions has it within.
func (c *Conn) query(o *output, at int, body []byte) error {
	if c.open || len(c.groups) > 0 || len(body) == 0 || bytes.IndexByte(body, 0) != len(body)-1 {
		return errUnexpected
	}
	sql := string(body[:len(body)-1])
	what, endings := sqltext.Classify(sql, c.escapes)
	g := group{query: true}
	if c.want == (Path{}) {
		c.note(&g, what)
		c.groups = append(c.groups, g)
		return nil
	}
	if c.mode == Local && c.idle() && what.Has(sqltext.Begins) && !what.Has(sqltext.Several) {
		c.beginQuery(o, at, sql)
		return nil
	}
	var text insertion
	front, err := c.front(o, at, what, &g)
	if err != nil {
		return err
	}
	if what.Has(sqltext.Works) && what.Has(sqltext.Commits|sqltext.Alone) && !what.Has(sqltext.Several) && c.status == 'I' && c.mode != Local {
		c.callQuery(o, at, sql, what)
		return nil
	}
	text.insert(front)
	proof := c.want.proofQuery()
	if c.roles || what.Has(sqltext.Roles) {
		proof = c.want.usageQuery()
	}
	done := 0
	if c.status != 'E' {
		for _, ending := range endings {
			text.copy(sql[done:ending])
			text.insert(proof + ";")
			g.proofs++
			done = ending
		}
	}
	text.copy(sql[done:])
	if c.provenBehind(what) {
		text.insert("\n;" + proof) // whatever the text ends with
		g.proofs++
	}
	if len(text.ours) > 0 {
		g.ours = text.ours
		o.upTo(at)
		o.out = appendQuery(o.out, text.String())
		o.done = at + headerSize + len(body)
	}
	c.note(&g, what)
	c.groups = append(c.groups, g)
	return nil
}

// callQuery sends a lone statement that may have nothing in front or behind in its
// text, a CALL that commits or a VACUUM, as an extended group: there a proof can stand
// on both sides, which is bound and not executed.
func (c *Conn) callQuery(o *output, at int, sql string, what sqltext.Class) {
	var g group
	o.upTo(at)
	o.done = at + headerSize + len(sql) + 1
	o.out = c.appendProof(o.out, &g)
	o.out = appendBind(appendParse(o.out, "", sql), "")
	var describe int
	o.out, describe = begin(o.out, 'D')
	o.out = finish(append(o.out, 'P', 0), describe)
	o.out = appendExecute(o.out)
	g.answers = append(g.answers, parsed, bound, shape, theirs)
	o.out = appendEmpty(c.appendProof(o.out, &g), 'S')
	c.note(&g, what)
	c.groups = append(c.groups, g)
}

// beginQuery sends a lone BEGIN in the mode Local with the path behind it, as an
// extended group. In front, what sets the path would have to be a query (SET LOCAL
// raises a warning there), after which PostgreSQL does not let the transaction have
// another isolation level. The schema is proven by what comes in the transaction.
func (c *Conn) beginQuery(o *output, at int, sql string) {
	var g group
	o.upTo(at)
	o.done = at + headerSize + len(sql) + 1
	o.out = appendExecute(appendBind(appendParse(o.out, "", sql), ""))
	g.answers = append(g.answers, parsed, bound, theirs)
	o.out = appendEmpty(c.appendSetLocal(o.out, &g), 'S')
	c.roles = true // that the role may use the schema was not looked at
	c.groups = append(c.groups, g)
}

// insertion is a text into which something is inserted.
type insertion struct {
	strings.Builder
	characters int
	ours       []span
}

// span is a part of a text, in characters from 1, as PostgreSQL counts positions.
type span struct{ from, to int }

func (i *insertion) copy(s string) {
	i.WriteString(s)
	i.characters += utf8.RuneCountInString(s)
}

func (i *insertion) insert(s string) {
	if s == "" {
		return
	}
	from := i.characters + 1
	i.copy(s)
	i.ours = append(i.ours, span{from, i.characters + 1})
}

// front returns what must stand in front of a text to set the path. A lone BEGIN and
// what must stand alone have it set before.
func (c *Conn) front(o *output, at int, what sqltext.Class, g *group) (string, error) {
	idle := c.idle()
	if c.mode == Local && what.Has(sqltext.Leaves|sqltext.Names) {
		return "", ErrLeaves
	}
	if c.mode == Local && (what.Has(sqltext.GoesOn) || idle && (what.Has(sqltext.Alone) || what.Has(sqltext.Opaque) && what.Has(sqltext.Several))) {
		return "", ErrAlone
	}
	loneEnd := what.Has(sqltext.Ends) && !what.Has(sqltext.Several|sqltext.GoesOn)
	switch {
	case c.usageAhead(what):
		return "", c.exchange(at)
	case !idle, c.mode != Local && c.sure:
		return c.proofFront(what, g), nil
	case loneEnd:
		return "", nil
	case c.mode == Local:
	case what.Has(sqltext.Begins) && !what.Has(sqltext.Several):
		c.setAhead(o, at, false)
		return "", nil
	case what.Has(sqltext.Alone | sqltext.Opaque | sqltext.Begins | sqltext.RollsBack):
		return "", c.exchange(at)
	}
	g.set = true
	if c.mode == Local {
		g.answers = append(g.answers, rowShape, executed)
		return c.want.localSetQuery(), nil
	}
	g.answers = append(g.answers, rowShape, executed, executed)
	return c.want.setQuery(), nil
}

// proofFront returns a proof to stand in front of a text that reads or writes, unless
// that must stand alone.
func (c *Conn) proofFront(what sqltext.Class, g *group) string {
	if !what.Has(sqltext.Works) || what.Has(sqltext.Alone) || what.Has(sqltext.Commits) && !what.Has(sqltext.Several) || c.status == 'E' {
		return ""
	}
	g.answers = append(g.answers, rowShape, executed)
	if c.roles {
		return c.want.proofQuery() + ", " + c.want.usage() + "; "
	}
	return c.want.proofQuery() + "; "
}

// provenBehind reports whether a proof must stand behind a text, that the schema was
// there all the time. Behind what may end the transaction itself none can.
func (c *Conn) provenBehind(what sqltext.Class) bool {
	mayEnd := what.Has(sqltext.Alone) || what.Has(sqltext.Opaque) && !what.Has(sqltext.Several) && c.status == 'I' && c.mode != Local
	return what.Has(sqltext.AtEnd) && !mayEnd && c.status != 'E'
}

// appendQuery appends a simple Query message.
func appendQuery(dst []byte, sql string) []byte {
	dst, at := begin(dst, 'Q')
	return finish(appendString(dst, sql), at)
}
