package sqlfile

import (
	"errors"
	"slices"
	"strings"
)

// Script is statements that run together.
type Script struct {
	// File is the path from the folder of the apps, for messages:
	// shop/migrations/0001_initial.sql.
	File string
	// Statements of the script, in order.
	Statements []Statement
	// Allows are the comments that silence checks and stand at no statement.
	Allows Allows
	// NoTransaction has them run one by one, each for itself: it was declared, or one
	// of them is Alone.
	NoTransaction bool
}

// content is what pieces of a source hold.
type content struct {
	stmts    []Statement
	requires []string
	replaces []string
	wayUp    directive // the first of those, which belong to a way up
	alone    bool
	allows   Allows
}

// readScript is a script with what its comments say.
type readScript struct {
	Script
	content
}

// statements reads pieces of a source.
func (s source) statements(pieces []piece) (content, error) {
	var c content
	var waiting []allowComment
	for _, p := range pieces {
		split := newSplitter(s.text, p.start, p.end)
		split.waiting, split.first = waiting, len(c.stmts) == 0
		if err := split.run(); err != nil {
			if at, ok := errors.AsType[*splitError](err); ok {
				err = s.errorfLine(at.line, "%s", at.message)
			}
			return c, err
		}
		waiting = split.waiting
		c.allows.OfFile = append(c.allows.OfFile, split.ofFile...)
		if split.unended && p.whole {
			return c, s.errorfLine(split.stmts[len(split.stmts)-1].Line, "the statement goes on behind an annotation (end it with a semicolon before that)")
		}
		c.stmts = append(c.stmts, split.stmts...)
		for _, d := range split.directives {
			switch d.name {
			case requires:
				c.requires = append(c.requires, d.value)
			case replaces:
				c.replaces = append(c.replaces, strings.Fields(d.value)...)
			case noTransaction:
				c.alone = true
			}
			if d.name != noTransaction && c.wayUp.name == "" {
				c.wayUp = d
			}
		}
	}
	for _, a := range waiting {
		if len(c.stmts) == 0 { // above the first section
			c.allows.OfFile = append(c.allows.OfFile, a.Allow)
		} else {
			c.allows.OfNothing = append(c.allows.OfNothing, a.Allow)
		}
	}
	return c, nil
}

// script makes a script of pieces of a source, and checks its statements.
func (r *Reader) script(src source, pieces []piece, alone bool) (readScript, error) {
	c, err := src.statements(pieces)
	if err != nil {
		return readScript{}, err
	}
	if inside := unwrap(c.stmts); len(inside) < len(c.stmts) {
		c.allows.OfFile = append(c.allows.OfFile, c.stmts[0].Allows...)
		c.stmts = inside
	}
	if isDump(src.text, c.stmts) {
		if c.stmts, err = r.undump(src, c.stmts); err != nil {
			return readScript{}, err
		}
	}
	for _, stmt := range c.stmts {
		fault := stmt.Fault()
		if fault == "" {
			fault = stmt.changesHistory()
		}
		if fault == "" && r.Tenant {
			fault = stmt.trespass()
		}
		if fault == "" {
			continue
		}
		if err := r.Refuse(src.errorfLine(stmt.Line, "%s", fault)); err != nil {
			return readScript{}, err
		}
	}
	needs := slices.ContainsFunc(c.stmts, func(s Statement) bool { return s.Alone })
	return readScript{Script{File: src.file, Statements: c.stmts, Allows: c.allows, NoTransaction: needs || alone || c.alone}, c}, nil
}

// unwrap takes BEGIN and COMMIT off where they stand around everything: the script
// runs in a transaction anyway. Those with options, and those around a statement that
// cannot run so, are left for Fault to refuse.
func unwrap(stmts []Statement) []Statement {
	last := len(stmts) - 1
	if last < 1 || !stmts[0].is("BEGIN", "START") || !stmts[last].is("COMMIT", "END") {
		return stmts
	}
	inside := stmts[1:last]
	if slices.ContainsFunc(inside, func(s Statement) bool { return s.Alone }) {
		return stmts
	}
	return inside
}

// is reports whether the statement is one of these words, alone or with WORK or
// TRANSACTION.
func (s Statement) is(words ...string) bool {
	c := s.cursor()
	if c.acceptAny(words...) == "" {
		return false
	}
	c.acceptAny("WORK", "TRANSACTION")
	return c.done()
}
