package sqlfile

import (
	"slices"
	"strings"
)

// Statement is one SQL statement of a file.
type Statement struct {
	Text  string   // without the final semicolon
	Line  int      // of its first character, from 1
	Words []string // its first unquoted words, in upper case
	Alone bool     // PostgreSQL runs it outside of a transaction only

	Allows []Allow // the comments at it that silence checks
}

// wordsKept is how many words of a statement are kept: enough to tell
// CREATE OR REPLACE FUNCTION and COPY … FROM STDIN is told by the splitter.
const wordsKept = 4

// word is the i-th of the first words, "" if there are fewer.
func (s Statement) word(i int) string {
	if i < len(s.Words) {
		return s.Words[i]
	}
	return ""
}

// Fault says why a statement cannot be part of a file that runs in one
// transaction of ours, on a search path of ours; it is empty for all others.
func (s Statement) Fault() string {
	switch s.word(0) {
	case "BEGIN", "COMMIT", "END", "ABORT", "START":
		return s.word(0) + ": every file runs in a transaction of its own (remove the statement)"
	case "ROLLBACK":
		if !slices.Contains(s.Words, "TO") {
			return "ROLLBACK: every file runs in a transaction of its own (remove the statement)"
		}
	case "PREPARE":
		if s.word(1) == "TRANSACTION" {
			return "PREPARE TRANSACTION: every file runs in a transaction of its own (remove the statement)"
		}
	case "SET", "RESET":
		if w := slices.IndexFunc(s.Words, func(w string) bool { return w == "SEARCH_PATH" || w == "SCHEMA" }); w == 1 || w == 2 {
			return "it sets the search path, which cotenant sets to the schema that the file is for (remove the statement)"
		}
		if s.word(0) == "RESET" && s.word(1) == "ALL" {
			return "RESET ALL: it resets the search path (remove the statement)"
		}
	case "DISCARD":
		return "DISCARD: it resets the connection (remove the statement)"
	case "CREATE", "DROP", "ALTER":
		return s.objectFault()
	}
	return ""
}

// objectFault says why an object cannot be created, altered or dropped in a file.
func (s Statement) objectFault() string {
	switch kind := s.word(1); kind {
	case "DATABASE":
		if s.word(0) == "ALTER" {
			return ""
		}
		return s.word(0) + " DATABASE: a database is no part of a schema (do it once, by hand)"
	case "SYSTEM", "TABLESPACE", "SUBSCRIPTION":
		return s.word(0) + " " + kind + ": it is for the whole server and no part of a schema (do it once, by hand)"
	}
	if created, _ := s.ConcurrentIndexes(); created != nil && created[0].Name == "" {
		return "CREATE INDEX CONCURRENTLY without a name: what it leaves when it fails could not be found (name the index)"
	}
	return ""
}

// alone reports whether PostgreSQL refuses the statement in a transaction. What is
// refused in files anyway is not looked at.
func (s Statement) alone() bool {
	c := s.cursor
	switch s.word(0) {
	case "VACUUM":
		return true
	case "CREATE", "DROP":
		created, dropped := s.ConcurrentIndexes()
		return created != nil || dropped != nil
	case "REINDEX":
		c := c()
		c.skip()
		c.parentheses()
		return c.acceptAny("SCHEMA", "DATABASE", "SYSTEM") != "" || slices.Contains(s.Words, "CONCURRENTLY")
	case "CLUSTER":
		c := c()
		c.skip()
		c.parentheses()
		c.accept("VERBOSE")
		return c.done()
	case "ALTER":
		c := c()
		return s.word(1) == "TABLE" && c.find("DETACH") && c.accept("PARTITION") && c.name() != nil && c.accept("CONCURRENTLY")
	}
	return false
}

// Name is that of an object, as PostgreSQL has it.
type Name struct {
	Schema string // "" where the search path decides
	Name   string
}

func newName(parts []string) Name {
	switch len(parts) {
	case 0:
		return Name{}
	case 1:
		return Name{Name: parts[0]}
	default:
		return Name{Schema: parts[len(parts)-2], Name: parts[len(parts)-1]}
	}
}

// ConcurrentIndexes returns the index that the statement creates CONCURRENTLY, and
// those that it drops so. Where one of them fails it can leave an invalid index of
// that name, which IF NOT EXISTS would take for a good one.
func (s Statement) ConcurrentIndexes() (created, dropped []Name) {
	if !slices.Contains(s.Words, "CONCURRENTLY") {
		return nil, nil
	}
	c := s.cursor()
	verb := c.acceptAny("CREATE", "DROP")
	c.accept("UNIQUE")
	if verb == "" || !c.accept("INDEX", "CONCURRENTLY") {
		return nil, nil
	}
	if verb == "DROP" {
		c.accept("IF", "EXISTS")
		for ok := true; ok; ok = c.acceptByte(',') {
			dropped = append(dropped, newName(c.name()))
		}
		return nil, dropped
	}
	c.accept("IF", "NOT", "EXISTS")
	var index Name
	if c.word(0) != "ON" {
		index = newName(c.name())
	}
	c.find("ON")
	c.accept("ONLY")
	index.Schema = newName(c.name()).Schema // an index is where its table is
	return []Name{index}, nil
}

// InTransaction returns what does the same within a transaction, for a schema that
// nobody else uses yet: CREATE INDEX without CONCURRENTLY. It is empty for what is
// not needed there, such as VACUUM. The text is as long as the statement's and has the
// same lines.
func (s Statement) InTransaction() string {
	if !s.Alone {
		return s.Text
	}
	switch s.word(0) {
	case "CREATE", "DROP", "ALTER":
	default:
		return ""
	}
	c := s.cursor()
	for ; !c.done(); c.skip() {
		if c.word(0) == "CONCURRENTLY" {
			t := c.tokens[0]
			return s.Text[:t.start] + strings.Repeat(" ", t.end-t.start) + s.Text[t.end:]
		}
	}
	return s.Text
}
