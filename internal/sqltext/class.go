// Package sqltext reads what an application sends, as far as it takes to know what
// that does to the transaction and the session.
package sqltext

// Class says what a statement, or a text of several, asks of the group it stands in
// and does to the session.
type Class uint16

const (
	// Works reads or writes tables, or might.
	Works Class = 1 << iota
	// Alone is what PostgreSQL runs only by itself: VACUUM, CREATE INDEX CONCURRENTLY.
	Alone
	// Opaque could end the transaction in its midst, or is not known.
	Opaque
	// Commits is of those what is known to be able to (CALL, DO).
	Commits
	// Begins has a BEGIN.
	Begins
	// Ends has a COMMIT, ROLLBACK or PREPARE TRANSACTION.
	Ends
	// RollsBack has a ROLLBACK: it undoes a path that was set in the same group.
	RollsBack
	// GoesOn has something behind what ends a transaction.
	GoesOn
	// Several is more than one statement.
	Several
	// AtEnd is a text at the end of which something has worked since the last
	// transaction ended.
	AtEnd
	// Sets could change the path without the tag of its answer telling so.
	Sets
	// Leaves could leave something else in the session.
	Leaves
	// Roles could have another role go on, which may not use the schema.
	Roles
	// Discards has our statements be gone when it has ended.
	Discards
	// Names has a SET or RESET that names the path: the tag of its answer tells.
	Names
	// Unsure is not known well enough to say that it leaves nothing.
	Unsure
)

// Has reports whether it is any of those.
func (c Class) Has(those Class) bool { return c&those != 0 }

// Classify looks at the statements of a text, and returns where those begin that end a
// transaction in which something works. What is not understood is taken for the
// worst. With escapes a backslash escapes in every string, as it does where
// standard_conforming_strings is off.
func Classify(sql string, escapes bool) (all Class, endings []int) {
	l := lexer{sql: sql, escapes: escapes}
	statements, working, atomic := 0, false, false
	for l.at < len(sql) {
		at := l.at
		s := l.statement()
		if s.n == 0 {
			continue
		}
		statements++
		if all.Has(Ends) {
			all |= GoesOn
		}
		what := s.classify()
		if what.Has(Ends) && working {
			endings = append(endings, at)
		}
		working = what.Has(Works) || working && !what.Has(Ends)
		all |= what
		atomic = atomic || s.atomic
	}
	if atomic || l.open {
		// Where it ends is not known, or PostgreSQL will not have it at all.
		return all | Works | Opaque | Several, nil
	}
	if statements > 1 {
		all |= Several
	}
	if working {
		all |= AtEnd
	}
	return all, endings
}

// ClassifyParsed looks at the text of a Parse message, which has one statement, or
// the server refuses it.
func ClassifyParsed(sql string, escapes bool) Class {
	l := lexer{sql: sql, escapes: escapes}
	for l.at < len(sql) {
		if s := l.statement(); s.n > 0 {
			return s.classify()
		}
	}
	return 0
}

// classify classifies a statement by its first words.
func (s *statement) classify() Class {
	result := s.first() | s.calls
	if s.settings && containsFold(s.text, "update") {
		result |= Sets | Leaves
	}
	if s.temporary && !s.drops || s.hold {
		result |= Leaves
	}
	return result
}

func (s *statement) first() Class {
	switch s.words[0] {
	case "SELECT", "WITH", "(", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE", "COPY", "DECLARE", "FETCH", "MOVE", "CLOSE", "LOCK", "TRUNCATE",
		"EXPLAIN", "COMMENT", "GRANT", "REVOKE", "ANALYZE", "REFRESH", "SECURITY", "REASSIGN", "IMPORT":
		return Works
	case "CREATE", "ALTER", "DROP":
		if s.concurrently {
			return Works | Alone
		}
		switch s.words[1] {
		case "DATABASE", "TABLESPACE", "SYSTEM", "SUBSCRIPTION":
			return Alone
		}
		return Works
	case "VACUUM", "REINDEX", "CLUSTER":
		return Works | Alone
	case "CHECKPOINT":
		return Alone
	case "DISCARD":
		return Alone | Leaves | Discards
	case "SET", "RESET":
		return s.setting()
	case "BEGIN", "START":
		return Begins
	case "COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE":
		return s.ending()
	case "SAVEPOINT", "RELEASE", "SHOW", "UNLISTEN", "NOTIFY":
		return 0
	case "LISTEN", "LOAD":
		return Leaves
	case "DEALLOCATE":
		return Leaves | Discards
	case "DO":
		// What PL/pgSQL needs to end a transaction.
		if containsFold(s.text, "commit") || containsFold(s.text, "rollback") || containsFold(s.text, "call") {
			return Works | Opaque | Commits | Sets | Roles | Unsure | s.insideBlock()
		}
		return Works | Sets | s.insideBlock()
	case "CALL", "EXECUTE":
		return Works | Opaque | Commits | Sets
	}
	return Works | Opaque | Sets | Unsure
}

// insideBlock classifies a DO block by what it could have inside, of which nothing is
// known for certain.
func (s *statement) insideBlock() Class {
	var result Class
	if containsFold(s.text, "role") || containsFold(s.text, "authorization") {
		result |= Roles | Leaves
	}
	for _, word := range []string{"set_config", "set ", "temp", "advisory", "listen", "execute", "hold"} {
		if containsFold(s.text, word) {
			result |= Leaves
		}
	}
	return result
}

// setting classifies SET and RESET. What they do to the path, their tag tells.
func (s *statement) setting() Class {
	name := s.words[1]
	if name == "SESSION" && s.words[0] == "SET" && s.words[2] != "CHARACTERISTICS" && s.words[2] != "AUTHORIZATION" {
		name = s.words[2]
	}
	switch name {
	case "LOCAL":
		if s.words[2] == "ROLE" || s.words[2] == "SESSION" {
			return Roles
		}
		return 0
	case "ROLE", "AUTHORIZATION", "SESSION":
		return Leaves | Roles
	case "SEARCH_PATH", "SCHEMA":
		return Names
	case "TRANSACTION":
		return 0
	case "CONSTRAINTS":
		return Works // triggers that were deferred
	}
	return Leaves
}

// ending classifies what ends a transaction, and what only begins with the same word:
// ROLLBACK TO, PREPARE.
func (s *statement) ending() Class {
	words := s.words[1:]
	if words[0] == "WORK" || words[0] == "TRANSACTION" {
		if s.words[0] == "PREPARE" {
			return Ends
		}
		words = words[1:]
	}
	switch {
	case s.words[0] == "PREPARE":
		return Works | Leaves
	case words[0] == "PREPARED":
		return Alone
	case words[0] == "TO":
		return 0
	}
	result := Ends
	if s.words[0] == "ROLLBACK" || s.words[0] == "ABORT" {
		result |= RollsBack
	}
	if words[0] == "AND" && words[1] != "NO" {
		result |= GoesOn // in a new transaction
	}
	return result
}
