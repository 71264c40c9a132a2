package sqltext

import "strings"

// lexer takes SQL apart as PostgreSQL's own scanner (scan.l) does, as far as it takes
// to know what is a word, what is quoted, and where a statement ends.
type lexer struct {
	sql     string
	at      int
	escapes bool // a backslash escapes in every string: standard_conforming_strings is off
	open    bool // something that is quoted, or a comment, does not end
}

// token is a word, something quoted, or one character of anything else. At the end
// of the text it is empty.
type token struct {
	text   string // of what is quoted by double quotes, what is between them; of a string nothing
	quoted byte   // ', " or $
}

// is reports whether the token is a keyword, which is given in upper case.
func (t token) is(keyword string) bool {
	return t.quoted == 0 && len(t.text) == len(keyword) && strings.EqualFold(t.text, keyword)
}

func (l *lexer) next() token {
	l.skipSpace()
	if l.at >= len(l.sql) {
		return token{}
	}
	start := l.at
	switch ch := l.sql[start]; {
	case isLetter(ch):
		for l.at < len(l.sql) && inName(l.sql[l.at]) {
			l.at++
		}
		if (ch|0x20 == 'e') && l.at == start+1 && strings.HasPrefix(l.sql[l.at:], "'") {
			l.skipEscaped()
			return token{quoted: '\''}
		}
		return token{text: l.sql[start:l.at]}
	case ch == '\'':
		if l.escapes {
			l.skipEscaped()
		} else {
			l.skipQuoted(ch)
		}
		return token{quoted: ch}
	case ch == '"':
		l.skipQuoted(ch)
		return token{text: strings.Trim(l.sql[start:l.at], `"`), quoted: ch}
	case ch == '$':
		if tag := dollarTag(l.sql[start:]); tag != "" {
			l.at += len(tag)
			l.skipPast(tag)
			return token{quoted: ch}
		}
	}
	l.at++
	return token{text: l.sql[start:l.at]}
}

// skipSpace skips white space and comments.
func (l *lexer) skipSpace() {
	for l.at < len(l.sql) {
		switch rest := l.sql[l.at:]; {
		case isSpace(rest[0]):
			l.at++
		case strings.HasPrefix(rest, "--"):
			end := strings.IndexAny(rest, "\r\n")
			if end < 0 {
				end = len(rest)
			}
			l.at += end
		case strings.HasPrefix(rest, "/*"):
			l.skipComment()
		default:
			return
		}
	}
}

// skipComment skips a block comment; they nest.
func (l *lexer) skipComment() {
	for depth := 0; l.at < len(l.sql); {
		switch rest := l.sql[l.at:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.at += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.at += 2
			if depth == 0 {
				return
			}
		default:
			l.at++
		}
	}
	l.open = true
}

// skipQuoted skips what is between two of the quote. A quote that is doubled is taken
// for the end of one and the beginning of another.
func (l *lexer) skipQuoted(quote byte) {
	l.at++
	l.skipPast(string(quote))
}

func (l *lexer) skipPast(s string) {
	n := strings.Index(l.sql[l.at:], s)
	if n < 0 {
		l.at, l.open = len(l.sql), true
		return
	}
	l.at += n + len(s)
}

// skipEscaped skips a string in which a backslash escapes, with those that continue it
// on another line.
func (l *lexer) skipEscaped() {
	for l.at++; l.at < len(l.sql); l.at++ {
		switch l.sql[l.at] {
		case '\\':
			l.at++
		case '\'':
			l.at++
			if !l.continues() {
				return
			}
		}
	}
	l.at, l.open = len(l.sql), true
}

// continues reports whether a string goes on behind its quote: at once, as a quote that
// is doubled does, or on another line. If so, it skips to the quote.
func (l *lexer) continues() bool {
	ahead := *l
	newline := false
	for ahead.at < len(ahead.sql) && (isSpace(ahead.sql[ahead.at]) || strings.HasPrefix(ahead.sql[ahead.at:], "--")) {
		from := ahead.at
		if ahead.sql[from] == '-' {
			end := strings.IndexAny(ahead.sql[from:], "\r\n")
			if end < 0 {
				return false
			}
			ahead.at += end
		} else {
			ahead.at++
		}
		newline = newline || strings.ContainsAny(ahead.sql[from:ahead.at], "\r\n")
	}
	if !strings.HasPrefix(ahead.sql[ahead.at:], "'") || ahead.at > l.at && !newline {
		return false
	}
	l.at = ahead.at
	return true
}

// dollarTag returns the $tag$ that s begins with, else nothing.
func dollarTag(s string) string {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '$':
			return s[:i+1]
		case s[i] >= '0' && s[i] <= '9' && i > 1, isLetter(s[i]):
		default:
			return ""
		}
	}
	return ""
}

func isSpace(ch byte) bool { return strings.IndexByte(" \t\r\n\f\v", ch) >= 0 }

// isLetter reports whether ch can begin a name.
func isLetter(ch byte) bool {
	return ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch == '_' || ch > 127
}

// inName reports whether ch can stand within a name.
func inName(ch byte) bool { return isLetter(ch) || ch >= '0' && ch <= '9' || ch == '$' }

// containsFold reports whether s contains word, which is in lower case, in any case.
func containsFold(s, word string) bool {
	for i := 0; i+len(word) <= len(s); i++ {
		if s[i]|0x20 == word[0] && strings.EqualFold(s[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
