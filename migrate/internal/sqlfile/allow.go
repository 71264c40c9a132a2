package sqlfile

import (
	"regexp"
	"strings"
)

// Allow is a comment that silences checks:
//
//	-- cotenant:allow index-blocks-writes: the table is small
//
// What it says is for those who check to read.
type Allow struct {
	Line int    // from 1
	Text string // behind the word allow
}

// Allows are the comments that belong to no single statement.
type Allows struct {
	// OfFile are those above the first statement, apart from it by an empty line or an
	// annotation: they are for all statements.
	OfFile []Allow
	// OfNothing are those behind the last statement.
	OfNothing []Allow
}

func (a *Allows) add(b Allows) {
	a.OfFile = append(a.OfFile, b.OfFile...)
	a.OfNothing = append(a.OfNothing, b.OfNothing...)
}

// allowComment is one that waits for its statement.
type allowComment struct {
	Allow
	end int
}

// allow puts a comment where it belongs: to the statement that it stands in, or ends
// the line of, or else to the next one.
func (s *splitter) allow(d directive, t token, alone bool) {
	a := allowComment{Allow{Line: d.line, Text: d.value}, t.end}
	switch {
	case s.begun:
		s.allows = append(s.allows, a.Allow)
	case !alone && len(s.stmts) > 0:
		last := &s.stmts[len(s.stmts)-1]
		last.Allows = append(last.Allows, a.Allow)
	default:
		s.waiting = append(s.waiting, a)
	}
}

var emptyLine = regexp.MustCompile(`(?:^|\n)[ \t\r]*\n`)

// takeAllows gives the comments above a statement to it when it begins. The first
// statement of a file leaves those to the file that stand apart from it.
func (s *splitter) takeAllows() {
	for _, a := range s.waiting {
		if s.first && a.end <= s.start && emptyLine.MatchString(s.text[a.end:s.start]) {
			s.ofFile = append(s.ofFile, a.Allow)
		} else {
			s.allows = append(s.allows, a.Allow)
		}
	}
	s.waiting, s.first = nil, false
}

// They are no part of what a file does, so that a file that ran can be silenced.
var (
	allowsAtTop = regexp.MustCompile(`^(?:[ \t]*--[ \t]*(?i:cotenant):allow[ \t][^\n]*\n)+[ \t]*\n`)
	allowLine   = regexp.MustCompile(`(?m)^[ \t]*--[ \t]*(?i:cotenant):allow[ \t][^\n]*(?:\n|\z)`)
	allowAtEnd  = regexp.MustCompile(`[ \t]*--[ \t]*(?i:cotenant):allow[ \t][^\n]*`)
)

// withoutAllows returns the text without the comments that silence checks.
func withoutAllows(text string) string {
	if !strings.Contains(text, ":allow") {
		return text
	}
	text = allowsAtTop.ReplaceAllString(text, "")
	return allowAtEnd.ReplaceAllString(allowLine.ReplaceAllString(text, ""), "")
}
