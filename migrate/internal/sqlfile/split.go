package sqlfile

import (
	"fmt"
	"slices"
	"strings"
)

// Statement is one SQL statement of a file.
type Statement struct {
	Text  string   // without the final semicolon
	Line  int      // of its first character, from 1
	Words []string // its first unquoted words, in upper case
}

// wordsKept is how many words of a statement are kept: enough to tell
// CREATE OR REPLACE FUNCTION and COPY … FROM STDIN is told by the scanner.
const wordsKept = 4

// Fault says why a statement cannot be part of a file that runs in one
// transaction of ours, on a search path of ours; it is empty for all others.
func (s Statement) Fault() string {
	word := func(i int) string {
		if i < len(s.Words) {
			return s.Words[i]
		}
		return ""
	}
	switch word(0) {
	case "BEGIN", "COMMIT", "END", "ABORT", "START":
		return word(0) + ": every file runs in a transaction of its own (remove the statement)"
	case "ROLLBACK":
		if !slices.Contains(s.Words, "TO") {
			return "ROLLBACK: every file runs in a transaction of its own (remove the statement)"
		}
	case "PREPARE":
		if word(1) == "TRANSACTION" {
			return "PREPARE TRANSACTION: every file runs in a transaction of its own (remove the statement)"
		}
	case "SET", "RESET":
		if w := slices.IndexFunc(s.Words, func(w string) bool { return w == "SEARCH_PATH" || w == "SCHEMA" }); w == 1 || w == 2 {
			return "it sets the search path, which cotenant sets to the schema that the file is for (remove the statement)"
		}
		if word(0) == "RESET" && word(1) == "ALL" {
			return "RESET ALL: it resets the search path (remove the statement)"
		}
	case "DISCARD":
		return "DISCARD: it resets the connection (remove the statement)"
	}
	return ""
}

// LineAt is the line of text, from 1, that the byte at offset is in.
func LineAt(text string, offset int) int {
	return 1 + strings.Count(text[:offset], "\n")
}

// Split cuts a file into its statements, by the lexical rules of PostgreSQL
// (manual, 4.1 "Lexical Structure", with standard_conforming_strings on) and as
// psql does it: a semicolon ends a statement unless it stands in a string, a
// quoted name, a comment, parentheses, or the body of a BEGIN ATOMIC function.
// Comments before a statement do not belong to it. Errors begin with the line.
func Split(text string) ([]Statement, error) {
	s := scanner{text: text}
	for s.pos < len(text) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	if s.depth > 0 {
		return nil, s.errorf(s.open, "the parenthesis is not closed")
	}
	if s.copies {
		return nil, s.copyFault()
	}
	s.finish(len(text))
	return s.stmts, nil
}

// scanner is the state of Split.
type scanner struct {
	text  string
	pos   int
	stmts []Statement

	start  int      // of the current statement; meaningful if begun
	begun  bool     // the current statement has a token
	words  []string // its first words
	depth  int      // of parentheses
	open   int      // where the outermost open parenthesis is
	blocks int      // depth of BEGIN ATOMIC and CASE … END in a function's body
	copies bool     // the current statement is COPY … FROM STDIN
}

func (s *scanner) errorf(at int, format string, args ...any) error {
	return fmt.Errorf("%d: %s", LineAt(s.text, at), fmt.Sprintf(format, args...))
}

func (s *scanner) copyFault() error {
	return s.errorf(s.start, "COPY FROM STDIN carries its data in the file, which only psql reads (use INSERT, or a fixture)")
}

// next consumes one token.
func (s *scanner) next() error {
	rest := s.text[s.pos:]
	switch c := rest[0]; {
	case isSpace(c):
		s.pos++
		return nil
	case strings.HasPrefix(rest, "--"):
		s.skipLine()
		return nil
	case strings.HasPrefix(rest, "/*"):
		return s.skipComment()
	case c == ';' && s.depth == 0 && s.blocks == 0:
		s.finish(s.pos)
		s.pos++
		if s.copies {
			return s.copyFault()
		}
		return nil
	case c == '\\' && !s.begun:
		return s.errorf(s.pos, "%s is a command of psql (remove it)", strings.Fields(rest)[0])
	}
	if !s.begun {
		s.begun, s.start = true, s.pos
	}
	return s.token()
}

// token consumes one token that belongs to a statement.
func (s *scanner) token() error {
	rest := s.text[s.pos:]
	switch c := rest[0]; {
	case c == '\'':
		return s.quoted('\'', false, "the string")
	case c == '"':
		return s.quoted('"', false, "the quoted name")
	case c == '$':
		return s.dollar()
	case (c == 'e' || c == 'E') && strings.HasPrefix(rest[1:], "'"):
		s.pos++
		return s.quoted('\'', true, "the string")
	case isIdentStart(c):
		s.word()
		return nil
	case c == '(':
		if s.depth == 0 {
			s.open = s.pos
		}
		s.depth++
	case c == ')' && s.depth > 0:
		s.depth--
	}
	s.pos++
	return nil
}

// finish ends the current statement before end.
func (s *scanner) finish(end int) {
	if s.begun {
		s.stmts = append(s.stmts, Statement{
			Text:  strings.TrimRight(s.text[s.start:end], " \t\r\n\f\v"),
			Line:  LineAt(s.text, s.start),
			Words: s.words,
		})
	}
	s.begun, s.words, s.blocks = false, nil, 0
}

func (s *scanner) skipLine() {
	if i := strings.IndexAny(s.text[s.pos:], "\r\n"); i >= 0 {
		s.pos += i + 1
		return
	}
	s.pos = len(s.text)
}

// skipComment consumes a block comment; they nest.
func (s *scanner) skipComment() error {
	start, depth := s.pos, 0
	for s.pos < len(s.text) {
		switch rest := s.text[s.pos:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			s.pos += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			s.pos += 2
			if depth == 0 {
				return nil
			}
		default:
			s.pos++
		}
	}
	return s.errorf(start, "the comment is not closed")
}

// quoted consumes what stands between two quote characters. A doubled quote
// reads as two strings side by side, which comes to the same.
func (s *scanner) quoted(quote byte, escapes bool, what string) error {
	start := s.pos
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '\\' && escapes:
			s.pos++
		case c == quote && escapes && strings.HasPrefix(s.text[s.pos+1:], string(quote)):
			s.pos++
		case c == quote:
			s.pos++
			if escapes && s.continued() {
				continue
			}
			return nil
		}
	}
	s.pos = len(s.text)
	return s.errorf(start, "%s is not closed", what)
}

// continued reports whether the string that ended goes on after a line break, as
// SQL has it, and moves to the quote that it goes on with.
func (s *scanner) continued() bool {
	rest := s.text[s.pos:]
	trimmed := strings.TrimLeft(rest, " \t\r\n\f\v")
	between := rest[:len(rest)-len(trimmed)]
	if !strings.ContainsAny(between, "\r\n") || !strings.HasPrefix(trimmed, "'") {
		return false
	}
	s.pos += len(between)
	return true
}

// dollar consumes a dollar-quoted string, or a lone dollar.
func (s *scanner) dollar() error {
	rest := s.text[s.pos:]
	end := 1
	for end < len(rest) && isIdentPart(rest[end]) && rest[end] != '$' {
		end++
	}
	if end == len(rest) || rest[end] != '$' || end > 1 && !isIdentStart(rest[1]) {
		s.pos++
		return nil
	}
	tag := rest[:end+1]
	i := strings.Index(rest[len(tag):], tag)
	if i < 0 {
		return s.errorf(s.pos, "the string that %s begins is not closed", tag)
	}
	s.pos += len(tag) + i + len(tag)
	return nil
}

// word consumes a keyword or an unquoted name.
func (s *scanner) word() {
	start := s.pos
	for s.pos < len(s.text) && isIdentPart(s.text[s.pos]) {
		s.pos++
	}
	word := strings.ToUpper(s.text[start:s.pos])
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
func (s *scanner) isRoutine() bool {
	w := s.words
	if len(w) >= 3 && w[1] == "OR" && w[2] == "REPLACE" {
		w = append([]string{w[0]}, w[3:]...)
	}
	return len(w) >= 2 && w[0] == "CREATE" && (w[1] == "FUNCTION" || w[1] == "PROCEDURE")
}

func isSpace(c byte) bool {
	return c == ' ' || c >= '\t' && c <= '\r'
}

func isIdentStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func isIdentPart(c byte) bool {
	return isIdentStart(c) || c >= '0' && c <= '9' || c == '$'
}
