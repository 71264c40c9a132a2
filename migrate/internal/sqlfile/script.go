package sqlfile

import (
	"fmt"
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
}

// readScript is a script with what its comments say.
type readScript struct {
	Script
	content
}

// statements reads pieces of a source.
func (s source) statements(pieces []piece) (content, error) {
	var c content
	for _, p := range pieces {
		split := newSplitter(s.text, p.start, p.end)
		if err := split.run(); err != nil {
			return c, fmt.Errorf("%s:%w", s.file, err)
		}
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
	return c, nil
}

// script makes a script of pieces of a source, and checks its statements.
func (r *Reader) script(src source, pieces []piece, alone bool) (readScript, error) {
	c, err := src.statements(pieces)
	if err != nil {
		return readScript{}, err
	}
	c.stmts = unwrap(c.stmts)
	if isDump(src.text, c.stmts) {
		if c.stmts, err = r.undump(src, c.stmts); err != nil {
			return readScript{}, err
		}
	}
	for _, stmt := range c.stmts {
		fault := stmt.Fault()
		if fault == "" && r.Tenant {
			fault = stmt.trespass()
		}
		if fault != "" {
			return readScript{}, src.errorfLine(stmt.Line, "%s", fault)
		}
	}
	needs := slices.ContainsFunc(c.stmts, func(s Statement) bool { return s.Alone })
	return readScript{Script{File: src.file, Statements: c.stmts, NoTransaction: needs || alone || c.alone}, c}, nil
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

func (s source) errorfLine(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", s.file, line, fmt.Sprintf(format, args...))
}

// empty is the error about a source that does nothing.
func (s source) empty() error {
	return fmt.Errorf("%s: it has no statements (write some, or remove it)", s.file)
}
