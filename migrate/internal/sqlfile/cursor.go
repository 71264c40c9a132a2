package sqlfile

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// cursor reads the tokens of a statement from left to right, without blanks and
// comments.
type cursor struct {
	text   string
	tokens []token
}

// cursor returns one at the statement's first token.
func (s Statement) cursor() *cursor { return &cursor{s.Text, tokens(s.Text)} }

// tokens returns the tokens of a text but for blanks and comments. Where the text
// does not lex they end.
func tokens(text string) []token {
	var all []token
	for l := (lexer{text: text}); l.pos < len(text); {
		t, err := l.next()
		if err != nil {
			break
		}
		if t.kind != blank && t.kind != comment {
			all = append(all, t)
		}
	}
	return all
}

func (c *cursor) done() bool { return len(c.tokens) == 0 }

func (c *cursor) skip() {
	if len(c.tokens) > 0 {
		c.tokens = c.tokens[1:]
	}
}

// word returns the token at i from here in upper case if it is a word, else "".
func (c *cursor) word(i int) string {
	if i >= len(c.tokens) || c.tokens[i].kind != word {
		return ""
	}
	return strings.ToUpper(c.text[c.tokens[i].start:c.tokens[i].end])
}

// accept consumes the words if they are the next ones.
func (c *cursor) accept(words ...string) bool {
	for i, w := range words {
		if c.word(i) != w {
			return false
		}
	}
	c.tokens = c.tokens[len(words):]
	return true
}

// acceptAny consumes the next word if it is one of words, and returns it.
func (c *cursor) acceptAny(words ...string) string {
	w := c.word(0)
	if w == "" || !slices.Contains(words, w) {
		return ""
	}
	c.skip()
	return w
}

// at reports whether the next token is this byte.
func (c *cursor) at(b byte) bool {
	return len(c.tokens) > 0 && c.tokens[0].kind == other && c.text[c.tokens[0].start] == b
}

func (c *cursor) acceptByte(b byte) bool {
	if !c.at(b) {
		return false
	}
	c.skip()
	return true
}

// string consumes a string literal without escapes and returns what it holds.
func (c *cursor) string() (string, bool) {
	if len(c.tokens) == 0 || c.tokens[0].kind != literal || c.text[c.tokens[0].start] != '\'' {
		return "", false
	}
	t := c.tokens[0]
	c.skip()
	return strings.ReplaceAll(c.text[t.start+1:t.end-1], "''", "'"), true
}

// parentheses consumes what stands in parentheses, if an opening one is next.
func (c *cursor) parentheses() {
	depth := 0
	for !c.done() {
		switch {
		case c.at('('):
			depth++
		case c.at(')'):
			depth--
		}
		if depth <= 0 && !c.at(')') {
			return
		}
		c.skip()
		if depth <= 0 {
			return
		}
	}
}

// find moves behind the next such word that is in no parentheses.
func (c *cursor) find(word string) bool {
	for !c.done() {
		if c.accept(word) {
			return true
		}
		if c.at('(') {
			c.parentheses()
			continue
		}
		c.skip()
	}
	return false
}

// isName reports whether a name can begin here.
func (c *cursor) isName() bool {
	return len(c.tokens) > 0 && (c.tokens[0].kind == word || c.tokens[0].kind == quotedName)
}

// name consumes a name and returns its parts as PostgreSQL has them: schema and
// table, or the table alone. It returns nil if there is none.
func (c *cursor) name() []string {
	var parts []string
	for c.isName() {
		if c.word(0) == "U" && len(c.tokens) > 2 && c.text[c.tokens[1].start] == '&' && c.tokens[2].kind == quotedName && c.tokens[0].end+1 == c.tokens[2].start {
			c.tokens = c.tokens[2:] // U&"…": what its escapes stand for does not matter here
		}
		parts = append(parts, identifier(c.text[c.tokens[0].start:c.tokens[0].end]))
		c.skip()
		if !c.acceptByte('.') {
			break
		}
	}
	return parts
}

// identifier is the name that a word or quoted name stands for: in lower case unless
// it is quoted, and of at most 63 bytes.
func identifier(written string) string {
	var name string
	if strings.HasPrefix(written, `"`) {
		name = strings.ReplaceAll(written[1:len(written)-1], `""`, `"`)
	} else {
		name = strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' { // no other letters: neither does PostgreSQL
				return r + 'a' - 'A'
			}
			return r
		}, written)
	}
	const most = 63
	for len(name) > most {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}
