package sqltext

import "strings"

// statement is what is looked at of one.
type statement struct {
	words [6]string // the first of its tokens; words in upper case
	n     int       // how many tokens it has
	text  string    // from the end of the statement before

	calls        Class // Sets and Leaves, for what it calls
	temporary    bool  // it makes a temporary table or view
	drops        bool  // which is dropped on commit
	hold         bool  // it has a HOLD
	settings     bool  // it has pg_settings, an UPDATE of which sets one
	concurrently bool
	atomic       bool // it has the body of a function, with statements in it
}

// statement reads up to a semicolon, or to the end of the text.
func (l *lexer) statement() statement {
	var s statement
	var last [2]token
	start := l.at
	for t := l.next(); ; t = l.next() {
		if t == (token{}) || t.quoted == 0 && t.text == ";" {
			break
		}
		if s.n < len(s.words) {
			s.words[s.n] = strings.ToUpper(t.text)
			if t.quoted != 0 {
				s.words[s.n] = string(t.quoted)
			}
		}
		s.n++
		s.look(l, t, last)
		last = [2]token{t, last[0]}
	}
	s.text = l.sql[start:l.at]
	return s
}

// look looks at a token and those before it, the last one first.
func (s *statement) look(l *lexer, t token, last [2]token) {
	switch len(t.text) {
	case 4, 9: // for speed
		if t.is("TEMP") || t.is("TEMPORARY") {
			made := last[0].is("CREATE") || last[0].is("REPLACE") || last[0].is("LOCAL") || last[0].is("GLOBAL")
			s.temporary = s.temporary || made || last[0].is("INTO") && !last[1].is("INSERT") && !last[1].is("MERGE")
		}
		s.hold = s.hold || t.is("HOLD") && last[0].is("WITH")
		s.drops = s.drops || t.is("DROP") && last[0].is("COMMIT") && last[1].is("ON")
	case 6:
		s.atomic = s.atomic || t.is("ATOMIC") && last[0].is("BEGIN")
	case 12:
		s.concurrently = s.concurrently || t.is("CONCURRENTLY")
	}
	if strings.IndexByte(t.text, '_') > 0 {
		s.settings = s.settings || strings.EqualFold(t.text, "pg_settings")
		if !s.calls.Has(Leaves) { // else all is known that can be
			s.calls |= called(l, t.text)
		}
	}
}

// called classifies the call of a function, and the name of a schema, by its name.
func called(l *lexer, name string) Class {
	switch {
	case strings.EqualFold(name, "set_config"):
		if setsLocally(*l) {
			return Sets | Roles
		}
		return Sets | Leaves | Roles
	case hasPrefixFold(name, "pg_advisory_lock"), hasPrefixFold(name, "pg_try_advisory_lock"), hasPrefixFold(name, "pg_temp"):
		return Leaves
	}
	return 0
}

// setsLocally reports whether the arguments that come next end with true.
func setsLocally(l lexer) bool {
	depth, n := 0, 0 // n is how many tokens the last argument has
	var last token
	if ahead := l; ahead.next().text != "(" {
		return false
	}
	for t := l.next(); t != (token{}); t = l.next() {
		switch {
		case t.quoted != 0:
		case t.text == "(":
			depth++
		case t.text == ")":
			if depth--; depth == 0 {
				return n == 1 && last.is("TRUE")
			}
		case t.text == "," && depth == 1:
			n = 0
			continue
		}
		last = t
		n++
	}
	return false
}
