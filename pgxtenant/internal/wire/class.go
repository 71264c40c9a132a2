package wire

import (
	"slices"
	"strings"
)

// class says what a statement, or a text of several, asks of the group it stands in
// and does to the session.
type class uint16

const (
	// works reads or writes tables, or might.
	works class = 1 << iota
	// alone is what PostgreSQL runs only by itself: VACUUM, CREATE INDEX CONCURRENTLY.
	alone
	// opaque could end the transaction in its midst (CALL, DO), or is not known.
	opaque
	// begins has a BEGIN.
	begins
	// ends has a COMMIT, ROLLBACK or PREPARE TRANSACTION.
	ends
	// rollsBack has a ROLLBACK: it undoes a path that was set in the same group.
	rollsBack
	// goesOn has something behind what ends a transaction.
	goesOn
	// several is more than one statement.
	several
	// sets could change the path without the tag of its answer telling so.
	sets
	// leaves could leave something else in the session.
	leaves
)

// lasting is what must be remembered of a statement that was prepared.
const lasting = alone | opaque | begins | ends | rollsBack | goesOn | sets | leaves

func (c class) has(any class) bool { return c&any != 0 }

// classify looks at the first words of the statements of a text. When in doubt, it is
// taken for the worst: that costs a round trip and nothing else.
func classify(sql string, escapes bool) class {
	var all class
	statements, unsure := 0, false
	for rest, more := sql, true; more; {
		var statement string
		var doubt bool
		statement, rest, more, doubt = cutStatement(rest, escapes)
		word, tail, ok := firstWord(statement)
		unsure = unsure || doubt || !ok
		if word == "" {
			continue
		}
		statements++
		if all.has(ends) {
			all |= goesOn
		}
		all |= classifyStatement(word, tail)
	}
	if unsure && strings.IndexByte(sql, ';') >= 0 {
		return works | opaque | begins | rollsBack | goesOn | several | sets | leaves
	}
	if statements > 1 {
		all |= several
	}
	return all | classifyCalls(sql)
}

// classifyParsed looks at the text of a Parse message, which has one statement, or
// the server refuses it.
func classifyParsed(sql string) class {
	// Semicolons in front of a statement are allowed.
	word, tail, ok := firstWord(strings.TrimLeft(sql, "; \t\r\n\f\v"))
	if !ok {
		return opaque | works
	}
	return classifyStatement(word, tail) | classifyCalls(sql)
}

// classifyStatement classifies a statement by its first word and what follows it.
func classifyStatement(word, tail string) class {
	switch word {
	case "SELECT", "WITH", "(":
		if intoTemp(tail) {
			return works | leaves
		}
		return works
	case "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE", "COPY", "FETCH", "MOVE", "CLOSE", "LOCK", "TRUNCATE",
		"EXPLAIN", "COMMENT", "GRANT", "REVOKE", "ANALYZE", "REFRESH":
		return works
	case "DECLARE":
		if containsFold(tail, "hold") {
			return works | leaves
		}
		return works
	case "CREATE", "ALTER", "DROP":
		return classifyChange(word, tail)
	case "SET", "RESET":
		return classifySetting(word, tail)
	case "BEGIN", "START":
		return begins
	case "COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE":
		return classifyEnd(word, tail)
	case "SAVEPOINT", "RELEASE", "SHOW", "UNLISTEN", "NOTIFY", "":
		return 0
	case "LISTEN", "DEALLOCATE":
		return leaves
	case "DISCARD":
		return alone | leaves
	case "VACUUM", "REINDEX", "CLUSTER", "CHECKPOINT":
		return alone
	case "DO", "LOAD":
		return works | opaque | sets | leaves
	case "CALL", "EXECUTE":
		return works | opaque | sets
	}
	return works | opaque | sets | leaves
}

// classifyChange classifies CREATE, ALTER and DROP.
func classifyChange(word, tail string) class {
	words := strings.Fields(strings.ToUpper(tail))
	result := works
	if slices.Contains(words, "CONCURRENTLY") ||
		len(words) > 0 && slices.Contains([]string{"DATABASE", "TABLESPACE", "SYSTEM", "SUBSCRIPTION"}, words[0]) {
		result = alone
	}
	// CREATE OR REPLACE LOCAL TEMPORARY …
	if word == "CREATE" && slices.ContainsFunc(words[:min(4, len(words))], isTemp) && !strings.Contains(strings.Join(words, " "), "ON COMMIT DROP") {
		result |= leaves
	}
	return result
}

// classifySetting classifies SET and RESET. What they do to the path, their tag tells.
func classifySetting(word, tail string) class {
	words := strings.FieldsFunc(strings.ToUpper(tail), func(r rune) bool { return r == '=' || r < 128 && !inName(byte(r)) && r != '.' })
	if word == "SET" && len(words) > 0 && words[0] == "SESSION" && !slices.Contains(words, "CHARACTERISTICS") && !slices.Contains(words, "AUTHORIZATION") {
		words = words[1:]
	}
	if len(words) > 0 && slices.Contains([]string{"LOCAL", "TRANSACTION", "CONSTRAINTS", "SEARCH_PATH", "SCHEMA"}, words[0]) {
		return 0
	}
	return leaves
}

// classifyEnd classifies what ends a transaction, and what only begins with the same
// word: ROLLBACK TO, PREPARE, the END of a block in the body of a function.
func classifyEnd(word, tail string) class {
	words := strings.Fields(strings.ToUpper(tail))
	if len(words) > 0 && (words[0] == "WORK" || words[0] == "TRANSACTION") {
		if word == "PREPARE" {
			return ends
		}
		words = words[1:]
	}
	switch {
	case word == "PREPARE":
		return works | leaves
	case len(words) > 0 && words[0] == "PREPARED":
		return alone
	case len(words) > 0 && words[0] == "TO":
		return 0
	}
	result := ends
	if word == "ROLLBACK" || word == "ABORT" {
		result |= rollsBack
	}
	if len(words) > 1 && words[0] == "AND" && words[1] != "NO" {
		result |= goesOn // in a new transaction
	}
	return result
}

// classifyCalls looks for functions that reach past their statement, and for names
// of temporary tables, all of which have an underscore.
func classifyCalls(sql string) class {
	var result class
	for at := strings.IndexByte(sql, '_'); at >= 0; {
		before, after := sql[:at], sql[at+1:]
		switch {
		case hasSuffixFold(before, "set") && hasPrefixFold(after, "config"):
			result |= sets
			if !setsLocally(after) {
				result |= leaves
			}
		case hasSuffixFold(before, "advisory") && hasPrefixFold(after, "lock"),
			hasSuffixFold(before, "pg") && hasPrefixFold(after, "temp"):
			result |= leaves
		}
		next := strings.IndexByte(after, '_')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return result
}

// setsLocally reports whether the call of set_config that s is the end of has true for
// its last argument.
func setsLocally(s string) bool {
	call, _, _ := strings.Cut(s, ")")
	comma := strings.LastIndexByte(call, ',')
	return comma >= 0 && strings.EqualFold(strings.TrimSpace(call[comma+1:]), "true")
}

// intoTemp reports whether the text has an INTO TEMP.
func intoTemp(sql string) bool {
	if !containsFold(sql, "into") {
		return false
	}
	words := strings.Fields(strings.ToUpper(sql))
	for i, word := range words {
		if word == "INTO" && slices.ContainsFunc(words[i+1:min(i+3, len(words))], isTemp) {
			return true
		}
	}
	return false
}

func isTemp(word string) bool { return word == "TEMP" || word == "TEMPORARY" }

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
