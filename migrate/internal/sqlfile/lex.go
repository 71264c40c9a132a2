package sqlfile

import (
	"fmt"
	"strings"
)

// kind is what a token is.
type kind uint8

const (
	blank      kind = iota
	comment         // with the line end, or from /* to */
	word            // a keyword, or a name without quotes
	quotedName      // with its quotes
	literal         // a string with its quotes, and the E in front
	body            // a dollar-quoted string
	other           // one byte of anything else
)

// token is a piece of a text.
type token struct {
	kind       kind
	start, end int
}

// lexer takes a text apart by the lexical rules of PostgreSQL (manual, 4.1 "Lexical
// Structure", with standard_conforming_strings on).
type lexer struct {
	text string
	pos  int
}

// lexError is text that does not lex.
type lexError struct {
	at      int
	message string
}

func (e *lexError) Error() string { return e.message }

// next consumes one token of what is left, which is not empty.
func (l *lexer) next() (token, error) {
	t := token{kind: other, start: l.pos}
	var err error
	switch rest := l.text[l.pos:]; {
	case isSpace(rest[0]):
		t.kind = blank
		l.pos += len(rest) - len(strings.TrimLeft(rest, " \t\r\n\f\v"))
	case strings.HasPrefix(rest, "--"):
		t.kind = comment
		l.skipLine()
	case strings.HasPrefix(rest, "/*"):
		t.kind = comment
		err = l.skipComment()
	case rest[0] == '\'':
		t.kind = literal
		err = l.quoted('\'', false, "the string")
	case rest[0] == '"':
		t.kind = quotedName
		err = l.quoted('"', false, "the quoted name")
	case rest[0] == '$':
		t.kind, err = l.dollar()
	case (rest[0] == 'e' || rest[0] == 'E') && strings.HasPrefix(rest[1:], "'"):
		t.kind = literal
		l.pos++
		err = l.quoted('\'', true, "the string")
	case isIdentStart(rest[0]):
		t.kind = word
		for l.pos < len(l.text) && isIdentPart(l.text[l.pos]) {
			l.pos++
		}
	default:
		l.pos++
	}
	t.end = l.pos
	return t, err
}

func (l *lexer) skipLine() {
	if i := strings.IndexAny(l.text[l.pos:], "\r\n"); i >= 0 {
		l.pos += i + 1
		return
	}
	l.pos = len(l.text)
}

// skipComment consumes a block comment; they nest.
func (l *lexer) skipComment() error {
	start, depth := l.pos, 0
	for l.pos < len(l.text) {
		switch rest := l.text[l.pos:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.pos += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.pos += 2
			if depth == 0 {
				return nil
			}
		default:
			l.pos++
		}
	}
	return &lexError{start, "the comment is not closed"}
}

// quoted consumes what stands between two quote characters; doubled, the quote is one of
// what stands between.
func (l *lexer) quoted(quote byte, escapes bool, what string) error {
	start := l.pos
	for l.pos++; l.pos < len(l.text); l.pos++ {
		switch c := l.text[l.pos]; {
		case c == '\\' && escapes:
			l.pos++
		case c == quote && strings.HasPrefix(l.text[l.pos+1:], string(quote)):
			l.pos++
		case c == quote:
			l.pos++
			if escapes && l.continued() {
				continue
			}
			return nil
		}
	}
	l.pos = len(l.text)
	return &lexError{start, what + " is not closed"}
}

// continued reports whether the string that ended goes on after a line break, as SQL
// has it, and moves to the quote that it goes on with.
func (l *lexer) continued() bool {
	rest := l.text[l.pos:]
	trimmed := strings.TrimLeft(rest, " \t\r\n\f\v")
	between := rest[:len(rest)-len(trimmed)]
	if !strings.ContainsAny(between, "\r\n") || !strings.HasPrefix(trimmed, "'") {
		return false
	}
	l.pos += len(between)
	return true
}

// dollar consumes a dollar-quoted string, or a lone dollar.
func (l *lexer) dollar() (kind, error) {
	rest := l.text[l.pos:]
	end := 1
	for end < len(rest) && isIdentPart(rest[end]) && rest[end] != '$' {
		end++
	}
	if end == len(rest) || rest[end] != '$' || end > 1 && !isIdentStart(rest[1]) {
		l.pos++
		return other, nil
	}
	tag := rest[:end+1]
	i := strings.Index(rest[len(tag):], tag)
	if i < 0 {
		start := l.pos
		l.pos = len(l.text)
		return body, &lexError{start, fmt.Sprintf("the string that %s begins is not closed", tag)}
	}
	l.pos += len(tag) + i + len(tag)
	return body, nil
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
