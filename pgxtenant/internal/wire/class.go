package wire

// class says what a statement, or a text of several, asks of the group it stands in
// and does to the session.
type class uint16

const (
	// works reads or writes tables, or might.
	works class = 1 << iota
	// alone is what PostgreSQL runs only by itself: VACUUM, CREATE INDEX CONCURRENTLY.
	alone
	// opaque could end the transaction in its midst, or is not known.
	opaque
	// commits is of those what is known to be able to (CALL, DO).
	commits
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
	// atEnd is a text at the end of which something has worked since the last
	// transaction ended.
	atEnd
	// sets could change the path without the tag of its answer telling so.
	sets
	// leaves could leave something else in the session.
	leaves
	// roles could have another role go on, which may not use the schema.
	roles
	// discards has our statements be gone when it has ended.
	discards
)

// lasting is what must be remembered of a statement that was prepared.
const lasting = alone | opaque | commits | begins | ends | rollsBack | goesOn | sets | leaves | roles | discards

// has reports whether it is any of those.
func (c class) has(those class) bool { return c&those != 0 }

// classify looks at the statements of a text, and returns where those begin that end a
// transaction in which something works. What is not understood is taken for the
// worst: that costs a round trip and nothing else.
func classify(sql string, escapes bool) (all class, endings []int) {
	l := lexer{sql: sql, escapes: escapes}
	statements, working, atomic := 0, false, false
	for l.at < len(sql) {
		at := l.at
		s := l.statement()
		if s.n == 0 {
			continue
		}
		statements++
		if all.has(ends) {
			all |= goesOn
		}
		what := s.classify()
		if what.has(ends) && working {
			endings = append(endings, at)
		}
		working = what.has(works) || working && !what.has(ends)
		all |= what
		atomic = atomic || s.atomic
	}
	if atomic || l.open {
		// Where it ends is not known, or PostgreSQL will not have it at all.
		return all | works | opaque | several, nil
	}
	if statements > 1 {
		all |= several
	}
	if working {
		all |= atEnd
	}
	return all, endings
}

// classifyParsed looks at the text of a Parse message, which has one statement, or
// the server refuses it.
func classifyParsed(sql string, escapes bool) class {
	l := lexer{sql: sql, escapes: escapes}
	for l.at < len(sql) {
		if s := l.statement(); s.n > 0 {
			return s.classify()
		}
	}
	return 0
}

// classify classifies a statement by its first words.
func (s *statement) classify() class {
	result := s.first() | s.calls
	if s.settings && containsFold(s.text, "update") {
		result |= sets | leaves
	}
	if s.temporary && !s.drops || s.hold {
		result |= leaves
	}
	return result
}

func (s *statement) first() class {
	switch s.words[0] {
	case "SELECT", "WITH", "(", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE", "COPY", "DECLARE", "FETCH", "MOVE", "CLOSE", "LOCK", "TRUNCATE",
		"EXPLAIN", "COMMENT", "GRANT", "REVOKE", "ANALYZE", "REFRESH":
		return works
	case "CREATE", "ALTER", "DROP":
		if s.concurrently {
			return works | alone
		}
		switch s.words[1] {
		case "DATABASE", "TABLESPACE", "SYSTEM", "SUBSCRIPTION":
			return alone
		}
		return works
	case "VACUUM", "REINDEX", "CLUSTER":
		return works | alone
	case "CHECKPOINT":
		return alone
	case "DISCARD":
		return alone | leaves | discards
	case "SET", "RESET":
		return s.setting()
	case "BEGIN", "START":
		return begins
	case "COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE":
		return s.ending()
	case "SAVEPOINT", "RELEASE", "SHOW", "UNLISTEN", "NOTIFY":
		return 0
	case "LISTEN":
		return leaves
	case "DEALLOCATE":
		return leaves | discards
	case "DO":
		// What PL/pgSQL needs to end a transaction.
		if containsFold(s.text, "commit") || containsFold(s.text, "rollback") || containsFold(s.text, "call") {
			return works | opaque | commits | sets | leaves | roles
		}
		return works | sets | s.insideBlock()
	case "CALL", "EXECUTE":
		return works | opaque | commits | sets
	}
	return works | opaque | sets | leaves
}

// insideBlock classifies a DO block by what it could have inside, of which nothing is
// known for certain.
func (s *statement) insideBlock() class {
	var result class
	if containsFold(s.text, "role") || containsFold(s.text, "authorization") {
		result |= roles | leaves
	}
	for _, word := range []string{"set_config", "set ", "temp", "advisory", "listen", "execute", "hold"} {
		if containsFold(s.text, word) {
			result |= leaves
		}
	}
	return result
}

// setting classifies SET and RESET. What they do to the path, their tag tells.
func (s *statement) setting() class {
	name := s.words[1]
	if name == "SESSION" && s.words[0] == "SET" && s.words[2] != "CHARACTERISTICS" && s.words[2] != "AUTHORIZATION" {
		name = s.words[2]
	}
	switch name {
	case "LOCAL":
		if s.words[2] == "ROLE" || s.words[2] == "SESSION" {
			return roles
		}
		return 0
	case "ROLE", "AUTHORIZATION", "SESSION":
		return leaves | roles
	case "TRANSACTION", "SEARCH_PATH", "SCHEMA":
		return 0
	case "CONSTRAINTS":
		return works // triggers that were deferred
	}
	return leaves
}

// ending classifies what ends a transaction, and what only begins with the same word:
// ROLLBACK TO, PREPARE.
func (s *statement) ending() class {
	words := s.words[1:]
	if words[0] == "WORK" || words[0] == "TRANSACTION" {
		if s.words[0] == "PREPARE" {
			return ends
		}
		words = words[1:]
	}
	switch {
	case s.words[0] == "PREPARE":
		return works | leaves
	case words[0] == "PREPARED":
		return alone
	case words[0] == "TO":
		return 0
	}
	result := ends
	if s.words[0] == "ROLLBACK" || s.words[0] == "ABORT" {
		result |= rollsBack
	}
	if words[0] == "AND" && words[1] != "NO" {
		result |= goesOn // in a new transaction
	}
	return result
}
