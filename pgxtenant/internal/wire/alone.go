package wire

import (
	"slices"
	"strings"
)

// standsAlone reports whether a statement, or several in one text, may not stand
// behind ours in one group or message: PostgreSQL refuses VACUUM, CREATE INDEX
// CONCURRENTLY and their like there, CALL and DO lose the right to COMMIT, and
// behind a ROLLBACK, or a BEGIN that is rolled back later, ours would be undone, so
// that what follows ran on another path. When in doubt it says yes, which costs a round trip and nothing
// else.
func standsAlone(sql string) bool {
	for _, word := range []string{"rollback", "abort", "begin", "start"} {
		if containsFold(sql, word) {
			return true
		}
	}
	switch keyword(sql) {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE", "(",
		"COMMIT", "END", "SAVEPOINT", "RELEASE",
		"COPY", "DECLARE", "FETCH", "MOVE", "CLOSE", "LOCK", "TRUNCATE", "EXPLAIN",
		"SET", "SHOW", "RESET", "LISTEN", "UNLISTEN", "NOTIFY", "PREPARE", "EXECUTE", "DEALLOCATE",
		"COMMENT", "GRANT", "REVOKE", "ANALYZE", "REFRESH", "":
		return false
	case "CREATE", "ALTER", "DROP":
		return slices.ContainsFunc([]string{"concurrently", "database", "tablespace", "system", "subscription"}, func(word string) bool {
			return containsFold(sql, word)
		})
	}
	return true
}

// isBegin reports whether sql begins a transaction and does nothing else.
func isBegin(sql string) bool {
	word := keyword(sql)
	return (word == "BEGIN" || word == "START") && !strings.Contains(strings.TrimRight(sql, " \t\r\n\f\v;"), ";")
}

// containsFold reports whether s contains word, which is in lower case, in any case.
func containsFold(s, word string) bool {
	for i := 0; i+len(word) <= len(s); i++ {
		if s[i]|0x20 == word[0] && strings.EqualFold(s[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// keyword is the first word of a statement in upper case, after space and
// comments: empty if there is none, and the first character if that is no letter.
func keyword(sql string) string {
	for {
		sql = strings.TrimLeft(sql, " \t\r\n\f\v;")
		switch {
		case sql == "":
			return ""
		case strings.HasPrefix(sql, "--"):
			_, sql, _ = strings.Cut(sql, "\n")
		case strings.HasPrefix(sql, "/*"):
			sql = skipComment(sql)
		default:
			end := strings.IndexFunc(sql, func(r rune) bool { return !isLetter(r) })
			switch end {
			case -1:
				return strings.ToUpper(sql)
			case 0:
				return sql[:1]
			}
			return strings.ToUpper(sql[:end])
		}
	}
}

func isLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r > 127
}

// skipComment returns what follows the block comment that sql begins with; they
// nest.
func skipComment(sql string) string {
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
				return sql[i+1:]
			}
		}
	}
	return ""
}
