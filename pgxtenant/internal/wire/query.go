package wire

import (
	"bytes"
	"unicode/utf8"
)

// query takes a simple Query, which begins at at. What is put in front and behind goes
// into its text, so that all of it is one transaction.
func (c *Conn) query(o *output, at int, body []byte) error {
	if c.open || len(c.groups) > 0 || len(body) == 0 || bytes.IndexByte(body, 0) != len(body)-1 {
		return errUnexpected
	}
	sql := string(body[:len(body)-1])
	what := classify(sql, c.escapes)
	g := group{query: true}
	front, tail := "", ""
	if c.want != (Path{}) {
		var err error
		if front, err = c.front(o, at, what, &g); err != nil {
			return err
		}
		tail = c.tail(what)
	}
	c.note(what)
	if front != "" || tail != "" {
		g.tail, g.shift, g.length = tail != "", utf8.RuneCountInString(front), utf8.RuneCountInString(sql)
		o.upTo(at)
		o.out = appendQuery(o.out, front, body, tail)
		o.done = at + headerSize + len(body)
	}
	c.groups = append(c.groups, g)
	return nil
}

// front returns what must stand in front of a text to set the path. A lone BEGIN and
// what must stand alone have it set before.
func (c *Conn) front(o *output, at int, what class, g *group) (string, error) {
	idle := c.idle()
	if c.mode == Local && (what.has(goesOn) || what.has(opaque) && what.has(several) || what.has(alone) && idle) {
		return "", ErrAlone
	}
	loneEnd := what.has(ends) && !what.has(several|goesOn)
	switch {
	case !idle, loneEnd, c.mode != Local && c.sure:
		return "", nil
	case c.mode == Local:
	case what.has(begins) && !what.has(several):
		c.setAhead(o, at)
		return "", nil
	case what.has(alone | opaque | begins | rollsBack):
		return "", c.exchange(o, at)
	}
	g.set = true
	if c.mode == Local {
		g.answers = append(g.answers, rowShape, executed)
		return c.want.localSetQuery(), nil
	}
	g.answers = append(g.answers, rowShape, executed, executed)
	return c.want.setQuery(), nil
}

// tail returns what must stand behind a text that reads or writes, to prove that the
// schema was there all the time.
func (c *Conn) tail(what class) string {
	switch {
	case !what.has(works), c.status == 'E':
	case what.has(alone | begins | ends):
	case what.has(opaque) && c.status == 'I' && c.mode != Local: // it may commit, as long as nothing stands behind it
	default:
		return c.want.tailQuery()
	}
	return ""
}

// appendQuery appends a simple Query message; body is as pgx wrote it, with its
// terminating zero.
func appendQuery(dst []byte, front string, body []byte, tail string) []byte {
	dst, at := begin(dst, 'Q')
	dst = append(dst, front...)
	dst = append(dst, body[:len(body)-1]...)
	dst = append(dst, tail...)
	dst = append(dst, 0)
	return finish(dst, at)
}
