package sqlfile

import (
	"fmt"
	"strings"
)

// setsRole reports whether the statement sets or resets who the session acts as.
func (s Statement) setsRole() bool {
	c := s.cursor()
	if c.acceptAny("SET", "RESET") == "" {
		return false
	}
	if c.accept("LOCAL") || c.word(1) != "AUTHORIZATION" && c.accept("SESSION") {
		if c.accept("SESSION", "AUTHORIZATION") {
			return true
		}
	}
	if c.accept("SESSION", "AUTHORIZATION") {
		return true
	}
	name := c.name()
	return len(name) == 1 && (name[0] == "role" || name[0] == "session_authorization")
}

// writesOutside says what rows a statement would change in a schema that it names: it
// cannot be the tenant's, which has another name for each. It is empty if there are none.
func (s Statement) writesOutside() string {
	switch s.word(0) {
	case "INSERT", "UPDATE", "DELETE", "TRUNCATE", "MERGE", "WITH", "EXPLAIN":
	default:
		return ""
	}
	c := s.cursor()
	begins := true // a statement can begin here
	for !c.done() {
		verb := c.written(begins)
		if verb == "" {
			begins = c.at('(') || c.at(')')
			c.skip()
			continue
		}
		for more := true; more; more = verb == "TRUNCATE" && c.acceptByte(',') {
			c.accept("ONLY")
			name := c.name()
			switch schema := newName(name).Schema; schema {
			case "", "pg_temp":
			case "public":
				return fmt.Sprintf("%s %s: a tenant's file may not change what is shared (leave the schema out if the table is the tenant's, or put it into a shared app)", verb, strings.Join(name, "."))
			default:
				return fmt.Sprintf("%s %s: it changes what stands in schema %q, once for each tenant (leave the schema out, or put it into a shared app)", verb, strings.Join(name, "."), schema)
			}
			c.acceptByte('*')
		}
		begins = false
	}
	return ""
}

// written consumes the words in front of the name of a table that is written to.
func (c *cursor) written(begins bool) string {
	switch {
	case c.accept("INSERT", "INTO"):
		return "INSERT INTO"
	case c.accept("DELETE", "FROM"):
		return "DELETE FROM"
	case c.accept("MERGE", "INTO"):
		return "MERGE INTO"
	case begins && c.accept("UPDATE"):
		return "UPDATE"
	case begins && c.accept("TRUNCATE"):
		c.accept("TABLE")
		return "TRUNCATE"
	}
	return ""
}
