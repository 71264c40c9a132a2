package wire

import "strings"

// cutStatement returns the first statement of sql and what follows its semicolon, as
// PostgreSQL's own scanner (scan.l) finds it. escapes says that a backslash escapes
// in every string (standard_conforming_strings is off). doubt says that the
// statement may end elsewhere.
func cutStatement(sql string, escapes bool) (statement, rest string, more, doubt bool) {
	for i := 0; i < len(sql); {
		switch ch := sql[i]; {
		case ch == ';':
			return sql[:i], sql[i+1:], true, doubt
		case ch == '\'' || ch == '"':
			n := strings.IndexByte(sql[i+1:], ch)
			if n < 0 {
				return sql, "", false, true
			}
			if ch == '\'' {
				// What follows an E'…' may continue it.
				escapes = escapes || i > 0 && sql[i-1]|0x20 == 'e'
				doubt = doubt || escapes && strings.IndexByte(sql[i+1:i+1+n], '\\') >= 0
			}
			i += n + 2
		case ch == '-' && strings.HasPrefix(sql[i:], "--"):
			n := strings.IndexAny(sql[i:], "\r\n")
			if n < 0 {
				return sql, "", false, doubt
			}
			i += n
		case ch == '/' && strings.HasPrefix(sql[i:], "/*"):
			rest, ok := skipComment(sql[i:])
			if !ok {
				return sql, "", false, true
			}
			i = len(sql) - len(rest)
		case ch == '$':
			tag := dollarTag(sql[i:])
			if tag == "" || i > 0 && inName(sql[i-1]) {
				// Part of a name, or a parameter; which of the two is not looked into.
				doubt = doubt || tag != ""
				i++
				continue
			}
			n := strings.Index(sql[i+len(tag):], tag)
			if n < 0 {
				return sql, "", false, true
			}
			i += n + 2*len(tag)
		default:
			i++
		}
	}
	return sql, "", false, doubt
}

// dollarTag returns the $tag$ that s begins with, else nothing.
func dollarTag(s string) string {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '$':
			return s[:i+1]
		case !inName(s[i]) || i == 1 && s[i] >= '0' && s[i] <= '9':
			return ""
		}
	}
	return ""
}

// firstWord is the first word of a statement in upper case, after space and
// comments, and what follows it. The word is empty if there is none, and the first
// character if that is no letter. more is false if a comment does not end.
func firstWord(sql string) (word, tail string, ok bool) {
	for {
		sql = strings.TrimLeft(sql, " \t\r\n\f\v")
		switch {
		case sql == "":
			return "", "", true
		case strings.HasPrefix(sql, "--"):
			end := strings.IndexAny(sql, "\r\n")
			if end < 0 {
				return "", "", true
			}
			sql = sql[end:]
		case strings.HasPrefix(sql, "/*"):
			if sql, ok = skipComment(sql); !ok {
				return "", "", false
			}
		default:
			end := 0
			for end < len(sql) && isLetter(sql[end]) {
				end++
			}
			end = max(end, 1)
			return strings.ToUpper(sql[:end]), sql[end:], true
		}
	}
}

// skipComment returns what follows the block comment that sql begins with; they
// nest.
func skipComment(sql string) (rest string, ok bool) {
	depth := 0
	for i := 0; i+1 < len(sql); i++ {
		switch sql[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return sql[i+1:], true
			}
		}
	}
	return "", false
}

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
