package sqlfile

import (
	"fmt"
	"strings"
)

// judge says what is wrong with a statement that does what the verb says to what has the
// name. It is empty if nothing is.
type judge func(verb string, name []string) string

// historyTable records what a schema has. It is cotenant's.
const historyTable = "cotenant_migrations"

// changesHistory says what a statement would do to the table in which it is recorded what
// the schema has: then the next file could not be recorded, or would run again and again.
// It is empty if there is nothing. Reading it, and letting others read it, is no harm.
func (s Statement) changesHistory() string {
	fault := func(verb string, name []string) string {
		if newName(name).Name != historyTable {
			return ""
		}
		return fmt.Sprintf("%s %s: cotenant records there what the schema has (remove the statement; a record is made or forgotten with --fake)", verb, strings.Join(name, "."))
	}
	if !s.grants() {
		if fault := s.writes(fault); fault != "" {
			return fault
		}
	}
	t := s.target()
	for _, name := range t.names {
		if fault := fault(t.does(), name); fault != "" {
			return fault
		}
	}
	return ""
}

// does are the verb and the kind of object of a target.
func (t *target) does() string {
	if t.on {
		return t.verb + " " + t.kind + " on"
	}
	return t.verb + " " + t.kind
}

// Elsewhere reports whether all that the statement does is in a schema that it names:
// ALTER TABLE cotenant.tenants. Which names are those of the own schema is for the caller
// to know: see Unqualified.
func (s Statement) Elsewhere() bool {
	own := func(name []string) bool {
		schema := newName(name).Schema
		return schema == "" || schema == "pg_temp"
	}
	there, here := false, false
	judge := func(_ string, name []string) string {
		there, here = there || !own(name), here || own(name)
		return ""
	}
	t := s.target()
	for _, name := range t.names {
		judge(t.verb, name)
	}
	if len(t.names) == 0 && t.wide == "" {
		s.writes(judge)
	}
	return there && !here
}

// grants reports whether the statement is about privileges.
func (s Statement) grants() bool { return s.word(0) == "GRANT" || s.word(0) == "REVOKE" }
