package sqltext

import "strings"

// Plain returns sql without its comments, and with one blank between its tokens: two texts
// that differ in nothing else do the same.
func Plain(sql string) string {
	var b strings.Builder
	for l := (lexer{sql: sql}); ; {
		l.skipSpace()
		start := l.at
		if l.next() == (token{}) {
			return b.String()
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(sql[start:l.at])
	}
}
