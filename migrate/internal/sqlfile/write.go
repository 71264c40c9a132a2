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

// writes says what the judge has against what a statement changes without creating,
// altering or dropping it. It is empty if there is nothing.
func (s Statement) writes(judge judge) string {
	switch s.word(0) {
	case "INSERT", "UPDATE", "DELETE", "TRUNCATE", "MERGE", "WITH", "EXPLAIN", "PREPARE":
		return s.rowsJudged(judge)
	case "COPY":
		return s.copiesJudged(judge)
	case "LOCK":
		return s.locksJudged(judge)
	case "CLUSTER", "REFRESH", "REINDEX":
		return s.rebuildsJudged(judge)
	case "ALTER", "CREATE":
		if s.word(0) == "CREATE" && s.queries() { // CREATE TABLE … AS WITH … DELETE
			return s.rowsJudged(judge)
		}
		return s.childJudged(judge)
	case "GRANT", "REVOKE":
		return s.grantsJudged(judge)
	}
	return ""
}

// outside says that the statement would change what it names, if that is in a schema: it
// cannot be the tenant's, which has another name for each.
func outside(verb string, name []string) string {
	switch schema := newName(name).Schema; schema {
	case "", "pg_temp":
		return ""
	case "public":
		return fmt.Sprintf("%s %s: a tenant's file may not change what is shared (leave the schema out if the table is the tenant's, or put it into a shared app)", verb, strings.Join(name, "."))
	default:
		return fmt.Sprintf("%s %s: it changes what stands in schema %q, once for each tenant (leave the schema out, or put it into a shared app)", verb, strings.Join(name, "."), schema)
	}
}

// listJudged does so for a list of tables.
func (c *cursor) listJudged(verb string, judge judge) string {
	for more := true; more; more = c.acceptByte(',') {
		if fault := judge(verb, c.relation()); fault != "" {
			return fault
		}
	}
	return ""
}

// relation consumes the name of a table, which can stand with ONLY, ONLY (…) or *.
func (c *cursor) relation() []string {
	if c.accept("ONLY") {
		c.acceptByte('(')
	}
	name := c.name()
	c.acceptByte(')')
	c.acceptByte('*')
	return name
}

// rowsJudged looks for rows that are changed, also by a part of the statement.
func (s Statement) rowsJudged(judge judge) string {
	c := s.cursor()
	begins := true // a statement can begin here
	for !c.done() {
		verb := c.written(begins)
		if verb == "" {
			begins = c.at('(') || c.at(')') || c.begins(s.word(0))
			c.skip()
			continue
		}
		fault := judge(verb, c.relation())
		if fault == "" && verb == "TRUNCATE" && c.acceptByte(',') {
			fault = c.listJudged(verb, judge)
		}
		if fault != "" {
			return fault
		}
		begins = false
	}
	return ""
}

// begins reports whether a statement can begin behind the word that is next.
func (c *cursor) begins(verb string) bool {
	switch c.word(0) {
	case "EXPLAIN", "ANALYZE", "VERBOSE":
		return verb == "EXPLAIN"
	case "AS":
		return verb == "PREPARE"
	}
	return false
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

// copiesJudged looks at COPY: what it reads into, and the query that it writes out.
func (s Statement) copiesJudged(judge judge) string {
	c := s.cursor()
	c.skip()
	if c.at('(') {
		return s.rowsJudged(judge)
	}
	c.accept("BINARY")
	name := c.name()
	c.parentheses()
	if !c.accept("FROM") {
		return ""
	}
	return judge("COPY", name)
}

// locksJudged looks at LOCK. The weakest lock is that of every SELECT.
func (s Statement) locksJudged(judge judge) string {
	c := s.cursor()
	c.skip()
	c.accept("TABLE")
	fault := c.listJudged("LOCK", judge)
	if c.find("IN") && c.accept("ACCESS", "SHARE") {
		return ""
	}
	return fault
}

// rebuildsJudged looks at what is built anew.
func (s Statement) rebuildsJudged(judge judge) string {
	c := s.cursor()
	verb := c.word(0)
	c.skip()
	c.parentheses()
	c.accept("VERBOSE")
	switch verb {
	case "REINDEX":
		kind := c.acceptAny("INDEX", "TABLE")
		if kind == "" {
			return "" // SCHEMA, DATABASE or SYSTEM
		}
		verb += " " + kind
	case "REFRESH":
		if !c.accept("MATERIALIZED", "VIEW") {
			return ""
		}
		verb += " MATERIALIZED VIEW"
	}
	c.accept("CONCURRENTLY")
	return judge(verb, c.name())
}

// childJudged looks for a table that becomes the child of another, or its parent: who
// reads a parent reads the rows of its children.
func (s Statement) childJudged(judge judge) string {
	c := s.cursor()
	c.skip()
	for isModifier(c.word(0)) {
		if c.word(0) == "TEMP" || c.word(0) == "TEMPORARY" {
			return ""
		}
		c.skip()
	}
	c.accept("FOREIGN")
	if !c.accept("TABLE") {
		return ""
	}
	for !c.done() {
		fault := ""
		switch {
		case c.accept("PARTITION", "OF"):
			fault = judge("PARTITION OF", c.relation())
		case c.accept("ATTACH", "PARTITION"):
			fault = judge("ATTACH PARTITION", c.relation())
		case c.accept("INHERIT"):
			fault = judge("INHERIT", c.relation())
		case c.accept("INHERITS") && c.acceptByte('('):
			fault = c.listJudged("INHERITS", judge)
		case c.at('('):
			c.parentheses() // its columns
		default:
			c.skip()
		}
		if fault != "" {
			return fault
		}
	}
	return ""
}
