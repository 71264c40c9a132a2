package sqlfile

import (
	"fmt"
	"strings"
)

// trespass says what a tenant app's statement would do outside of the tenant's
// schema. It is empty if there is nothing. What a function or a DO block does is not
// known: the migrator role holds that back.
func (s Statement) trespass() string {
	if s.setsRole() {
		return s.word(0) + " of the role: a tenant's files run as the migrator role, which cannot change what is shared (remove the statement, or put what needs another role into a shared app)"
	}
	if fault := s.writes(outside); fault != "" {
		return fault
	}
	t := s.target()
	switch t.wide {
	case "":
	case "SCHEMA":
		return t.verb + " SCHEMA: cotenant makes the schema that a tenant's file is for (remove the statement, and the name of the schema from the others; what is shared goes into a shared app)"
	default:
		return fmt.Sprintf("%s %s: it is for the whole database, and a tenant's app runs once for each tenant (put it into a migration of a shared app)", t.verb, t.wide)
	}
	if t.moves {
		return fmt.Sprintf("%s %s … SET SCHEMA: it moves what belongs to a tenant out of the tenant's schema (remove the statement)", t.verb, t.kind)
	}
	for _, name := range t.names {
		schema := newName(name).Schema
		if schema == "" || schema == "pg_temp" {
			continue
		}
		what := t.does() + " " + strings.Join(name, ".")
		switch {
		case t.verb != "CREATE" && t.verb != "SELECT INTO":
			return fmt.Sprintf("%s: it changes what stands in schema %q, once for each tenant (leave the schema out, or put it into a shared app)", what, schema)
		case schema == "public":
			return fmt.Sprintf("%s: what belongs to a tenant would be created in public (leave the schema out, or put it into a shared app)", what)
		default:
			return fmt.Sprintf("%s: what belongs to a tenant would be created in schema %q (leave the schema out, or put it into a shared app)", what, schema)
		}
	}
	return ""
}

// target is what a statement creates, alters, drops or comments on.
type target struct {
	verb  string     // CREATE
	kind  string     // MATERIALIZED VIEW
	names [][]string // that decide about the schema: of an index, the table's
	on    bool       // the names are those of what it is on
	wide  string     // the kind of object where that is in no schema
	moves bool       // to another schema
}

// isWide reports whether objects whose kind begins with the word are in no schema.
func isWide(word string) bool {
	switch word {
	case "ACCESS", "DATABASE", "EXTENSION", "GROUP", "LANGUAGE", "PUBLICATION", "ROLE", "SCHEMA", "SERVER", "SUBSCRIPTION", "TABLESPACE", "USER":
		return true
	}
	return false
}

func (s Statement) target() target {
	c := s.cursor()
	verb := c.acceptAny("CREATE", "ALTER", "DROP", "COMMENT", "IMPORT", "REASSIGN", "SELECT", "WITH")
	t := target{verb: verb}
	switch verb {
	case "":
		return t
	case "SELECT", "WITH":
		return selectInto(c)
	case "REASSIGN":
		t.wide = "OWNED"
		return t
	case "IMPORT":
		if c.accept("FOREIGN", "SCHEMA") {
			t.wide = "FOREIGN SCHEMA"
		}
		return t
	case "COMMENT":
		if t.verb = "COMMENT ON"; !c.accept("ON") {
			return t
		}
	case "CREATE":
		for m := c.word(0); isModifier(m); m = c.word(0) {
			if m == "TEMP" || m == "TEMPORARY" {
				return t
			}
			c.skip()
		}
	}
	t.readKind(c)
	if t.wide != "" || t.kind == "" {
		return t
	}
	t.readNames(c)
	if verb == "ALTER" {
		for c.find("SET") {
			t.moves = t.moves || c.accept("SCHEMA")
		}
	}
	return t
}

// isModifier reports whether the word stands between CREATE and the kind of object.
func isModifier(word string) bool {
	switch word {
	case "OR", "REPLACE", "GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED", "RECURSIVE", "UNIQUE", "CONSTRAINT", "TRUSTED", "PROCEDURAL", "DEFAULT":
		return true
	}
	return false
}

// readKind reads the kind of object.
func (t *target) readKind(c *cursor) {
	first := c.word(0)
	switch {
	case first == "":
		return
	case isWide(first):
		t.wide = first
		return
	case first == "FOREIGN" && c.word(1) == "DATA":
		t.wide = "FOREIGN DATA WRAPPER"
		return
	case first == "EVENT", first == "DEFAULT" && c.word(1) == "PRIVILEGES", first == "OWNED":
		t.wide = strings.TrimSpace(first + " " + c.word(1))
		return
	}
	words := 1
	switch first {
	case "MATERIALIZED", "FOREIGN":
		words = 2
	case "OPERATOR":
		if c.word(1) == "CLASS" || c.word(1) == "FAMILY" {
			words = 2
		}
	case "TEXT":
		words = 3
	case "CAST", "TRANSFORM", "LARGE", "PROCEDURAL":
		return // no schema's, or only by the types
	}
	kind := make([]string, words)
	for i := range kind {
		kind[i] = c.word(i)
	}
	c.tokens = c.tokens[min(words, len(c.tokens)):]
	t.kind = strings.Join(kind, " ")
}

// readNames reads the names behind the kind.
func (t *target) readNames(c *cursor) {
	c.accept("CONCURRENTLY")
	if !c.accept("IF", "NOT", "EXISTS") {
		c.accept("IF", "EXISTS")
	}
	t.on = t.kind == "TRIGGER" || t.kind == "RULE" || t.kind == "POLICY" || t.kind == "CONSTRAINT" && t.verb == "COMMENT ON"
	switch {
	case t.on:
		on := "ON"
		if t.kind == "RULE" && t.verb == "CREATE" {
			on = "TO" // CREATE RULE name AS ON INSERT TO table
		}
		if c.find(on) {
			c.accept("DOMAIN")
			t.add(c.name())
		}
	case t.kind == "INDEX" && t.verb == "CREATE":
		if t.on = c.find("ON"); t.on {
			c.accept("ONLY")
			t.add(c.name())
		}
	case t.kind == "STATISTICS" && t.verb == "CREATE" && c.word(0) == "ON":
	case t.kind == "OPERATOR":
		name, sign := c.name(), ""
		for ; !c.done() && c.tokens[0].kind == other && !c.at('('); c.skip() {
			sign += c.text[c.tokens[0].start:c.tokens[0].end]
		}
		t.add(append(name, sign))
	case t.kind == "COLUMN":
		if name := c.name(); len(name) > 1 {
			t.add(name[:len(name)-1])
		}
	default:
		t.readList(c)
	}
}

// readList reads the name, or the names of DROP, which can have arguments.
func (t *target) readList(c *cursor) {
	for ok := true; ok; ok = t.verb == "DROP" && c.acceptByte(',') {
		c.accept("ONLY")
		t.add(c.name())
		c.parentheses()
	}
}

func (t *target) add(name []string) {
	if name != nil {
		t.names = append(t.names, name)
	}
}

// selectInto reads the table that a query makes: SELECT … INTO, and not INSERT INTO
// behind a WITH.
func selectInto(c *cursor) target {
	t := target{verb: "SELECT INTO"}
	for !c.done() {
		switch {
		case c.acceptAny("INSERT", "MERGE") != "":
			c.accept("INTO")
		case c.accept("INTO"):
			if c.acceptAny("TEMP", "TEMPORARY") != "" {
				return t
			}
			c.accept("UNLOGGED")
			t.kind = "TABLE"
			c.accept("TABLE")
			t.add(c.name())
			return t
		case c.at('('):
			c.parentheses()
		default:
			c.skip()
		}
	}
	return t
}
