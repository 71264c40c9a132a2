package sqlfile

import (
	"errors"
	"fmt"
	"strings"
)

// LineAt is the line of text, from 1, that the byte at offset is in.
func LineAt(text string, offset int) int {
	return 1 + strings.Count(text[:offset], "\n")
}

// Split cuts a text into its statements, by the lexical rules of PostgreSQL and as
// psql does it: a semicolon ends a statement unless it stands in a string, a quoted
// name, a comment, parentheses, or the body of a BEGIN ATOMIC function. Comments
// before a statement do not belong to it. Errors begin with the line.
func Split(text string) ([]Statement, error) {
	s := newSplitter(text, 0, len(text))
	if err := s.run(); err != nil {
		return nil, err
	}
	return s.stmts, nil
}

// splitter is the state of Split.
type splitter struct {
	lexer      // its text ends where the piece ends that is split
	stmts      []Statement
	directives []directive

	start  int      // of the current statement; meaningful if begun
	begun  bool     // the current statement has a token
	words  []string // its first words
	depth  int      // of parentheses
	open   int      // where the outermost open parenthesis is
	blocks int      // depth of BEGIN ATOMIC and CASE … END in a function's body
	copies bool     // the current statement is COPY … FROM STDIN
	line   int      // of the byte at lineAt; both only grow
	lineAt int

	allows  []Allow        // at the current statement
	waiting []allowComment // for the next statement
	ofFile  []Allow
	first   bool // no statement has begun yet
	// unended has the last statement end with the text, and not with a semicolon.
	unended bool
}

func newSplitter(text string, start, end int) *splitter {
	return &splitter{lexer: lexer{text: text[:end], pos: start}, line: LineAt(text, start), lineAt: start}
}

func (s *splitter) run() error {
	for s.pos < len(s.text) {
		if err := s.next(); err != nil {
			return err
		}
	}
	if s.depth > 0 {
		return s.errorf(s.open, "the parenthesis is not closed")
	}
	if s.copies {
		return s.copyFault()
	}
	s.unended = s.begun
	s.finish(len(s.text))
	return nil
}

// splitError is text that does not split.
type splitError struct {
	line    int
	message string
}

func (e *splitError) Error() string { return fmt.Sprintf("%d: %s", e.line, e.message) }

func (s *splitter) errorf(at int, format string, args ...any) error {
	return &splitError{LineAt(s.text, at), fmt.Sprintf(format, args...)}
}

func (s *splitter) copyFault() error {
	return s.errorf(s.start, "COPY FROM STDIN carries its data in the file, which only psql reads (use INSERT, or a fixture)")
}

// next consumes one token, and what it means for the statement.
func (s *splitter) next() error {
	rest := s.text[s.pos:]
	switch {
	case rest[0] == ';' && s.depth == 0 && s.blocks == 0:
		s.finish(s.pos)
		s.pos++
		if s.copies {
			return s.copyFault()
		}
		return nil
	case rest[0] == '\\': // outside of strings SQL has none
		command := strings.Fields(rest)[0]
		if !s.begun && (command == `\restrict` || command == `\unrestrict`) { // pg_dump's, against commands of psql in what it dumps
			s.skipLine()
			return nil
		}
		return s.errorf(s.pos, "%s is a command of psql (remove it)", command)
	case rest[0] == '{' || rest[0] == '}':
		return s.errorf(s.pos, "%q is no SQL (templates are not read: write what comes of them into the file)", rest[0])
	}
	t, err := s.lexer.next()
	if err != nil {
		var at *lexError
		if errors.As(err, &at) {
			return s.errorf(at.at, "%s", at.message)
		}
		return err
	}
	if t.kind == blank {
		return nil
	}
	if t.kind == comment {
		return s.comment(t)
	}
	if !s.begun {
		s.begun, s.start = true, t.start
		s.takeAllows()
	}
	switch c := s.text[t.start]; {
	case t.kind == word:
		s.word(strings.ToUpper(s.text[t.start:t.end]))
	case t.kind == other && c == '(':
		if s.depth == 0 {
			s.open = t.start
		}
		s.depth++
	case t.kind == other && c == ')' && s.depth > 0:
		s.depth--
	}
	return nil
}

// finish ends the current statement before end.
func (s *splitter) finish(end int) {
	if s.begun {
		s.line += strings.Count(s.text[s.lineAt:s.start], "\n")
		s.lineAt = s.start
		stmt := Statement{
			Text:  strings.TrimRight(s.text[s.start:end], " \t\r\n\f\v"),
			Line:  s.line,
			Words: s.words,

			Allows: s.allows,
		}
		stmt.Alone = stmt.alone()
		s.stmts = append(s.stmts, stmt)
	}
	s.begun, s.words, s.blocks, s.allows = false, nil, 0, nil
}

// word takes a keyword or a name of the current statement.
func (s *splitter) word(word string) {
	if len(s.words) < wordsKept {
		s.words = append(s.words, word)
	}
	if s.depth > 0 {
		return
	}
	if s.words[0] == "COPY" && word == "STDIN" {
		s.copies = true
	}
	if !s.isRoutine() {
		return
	}
	switch {
	case word == "BEGIN", word == "CASE" && s.blocks > 0:
		s.blocks++
	case word == "END" && s.blocks > 0:
		s.blocks--
	}
}

// isRoutine reports whether the current statement creates a function or a
// procedure, whose body may hold semicolons.
func (s *splitter) isRoutine() bool {
	w := s.words
	if len(w) >= 3 && w[1] == "OR" && w[2] == "REPLACE" {
		w = append([]string{w[0]}, w[3:]...)
	}
	return len(w) >= 2 && w[0] == "CREATE" && (w[1] == "FUNCTION" || w[1] == "PROCEDURE")
}
