package sqlfile

import (
	"fmt"
	"slices"
	"strings"
)

// isDump reports whether the statements are pg_dump's. The mark is the statement that
// empties the search path: from there on every name is written with its schema. (Tools
// that keep dumps in repositories take the comments off.) Before version 10.3 pg_dump
// set the path to public instead, and wrote names of public without it.
func isDump(text string, stmts []Statement) bool {
	header := strings.Contains(text, "-- PostgreSQL database dump")
	return slices.ContainsFunc(stmts, func(s Statement) bool {
		return s.emptiesPath() || header && s.pathToPublic()
	})
}

// emptiesPath reports whether the statement is SELECT set_config('search_path', ”, …).
func (s Statement) emptiesPath() bool {
	c := s.cursor()
	if !c.accept("SELECT") {
		return false
	}
	if name := c.name(); len(name) == 0 || name[len(name)-1] != "set_config" || !c.acceptByte('(') {
		return false
	}
	setting, _ := c.string()
	comma := c.acceptByte(',')
	value, isString := c.string()
	return setting == "search_path" && comma && isString && value == ""
}

func (s Statement) pathToPublic() bool {
	c := s.cursor()
	return c.accept("SET", "SEARCH_PATH") && c.acceptByte('=') && c.accept("PUBLIC") &&
		(c.done() || c.acceptByte(',') && c.accept("PG_CATALOG") && c.done())
}

// isPreamble reports whether pg_dump sets this for the sake of psql and old servers, or
// to what it is anyway. Other values are left, and mean something.
func isPreamble(setting, value string) bool {
	switch setting {
	case "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout", "transaction_timeout":
		return value == "0"
	case "client_encoding":
		return strings.EqualFold(value, "UTF8") || strings.EqualFold(value, "UTF-8")
	case "client_min_messages":
		return value == "warning"
	case "default_table_access_method":
		return value == "heap"
	case "default_tablespace":
		return value == ""
	case "default_with_oids":
		return value == "false"
	case "row_security":
		return value == "off"
	case "standard_conforming_strings":
		return value == "on"
	case "xmloption":
		return value == "content"
	case "escape_string_warning":
		return true
	}
	return false
}

// setting reads SET name = value.
func (s Statement) setting() (name, value string) {
	c := s.cursor()
	if !c.accept("SET") {
		return "", ""
	}
	c.accept("SESSION")
	parts := c.name()
	if len(parts) != 1 || !c.acceptByte('=') && !c.accept("TO") || c.done() {
		return "", ""
	}
	if text, ok := c.string(); ok {
		return parts[0], text
	}
	return parts[0], c.text[c.tokens[0].start:c.tokens[len(c.tokens)-1].end]
}

// undump takes out of pg_dump's statements what is not a schema's, and for a tenant's
// app the schema's name, so that they make the same in any schema.
func (r *Reader) undump(src source, stmts []Statement) ([]Statement, error) {
	d := dump{src: src, tenant: r.Tenant, made: map[string]bool{}}
	for _, s := range stmts {
		if t := s.target(); t.verb == "CREATE" {
			for _, name := range t.names {
				if n := newName(name); n.Schema == "public" {
					d.made[n.Name] = true
				}
			}
		}
		d.routines = d.routines || isRoutine(s)
	}
	var kept []Statement
	for _, s := range stmts {
		drop, err := d.drops(&s)
		if err != nil {
			return nil, err
		}
		if drop || s.changesHistory() != "" {
			continue
		}
		if d.tenant {
			if s, err = d.unqualify(s); err != nil {
				return nil, err
			}
		}
		kept = append(kept, s)
	}
	return kept, nil
}

// dump is what is known of the whole while it is read.
type dump struct {
	src      source
	tenant   bool
	made     map[string]bool // the names that it creates in public
	routines bool            // it creates functions or procedures
}

func isRoutine(s Statement) bool {
	t := s.target()
	return t.verb == "CREATE" && (t.kind == "FUNCTION" || t.kind == "PROCEDURE")
}

// drops reports whether the statement is taken out. It may change it instead.
func (d *dump) drops(s *Statement) (bool, error) {
	switch s.word(0) {
	case "SELECT":
		return s.emptiesPath(), nil
	case "SET", "RESET":
		return d.dropsSetting(s)
	case "DROP":
		if c := s.cursor(); d.tenant || c.accept("DROP", "SCHEMA") {
			return false, d.src.errorfLine(s.Line, "DROP in a dump: where the schema lacks what it names, it would reach what public has (dump without --clean)")
		}
	case "CREATE", "COMMENT":
		c := s.cursor()
		if c.accept("CREATE", "EXTENSION") || c.accept("COMMENT", "ON", "EXTENSION") {
			c.accept("IF", "NOT", "EXISTS")
			return slices.Equal(c.name(), []string{"plpgsql"}), nil // every database has it
		}
		if c.accept("CREATE", "SCHEMA") || c.accept("COMMENT", "ON", "SCHEMA") {
			c.accept("IF", "NOT", "EXISTS")
			return slices.Equal(c.name(), []string{"public"}), nil
		}
	case "ALTER":
		c := s.cursor()
		schema := c.accept("ALTER", "SCHEMA")
		for c.find("OWNER") {
			if c.accept("TO") && c.name() != nil && c.done() {
				return d.tenant || schema, nil
			}
		}
	case "GRANT", "REVOKE":
		c := s.cursor()
		if d.tenant && c.find("ON") && c.accept("SCHEMA") {
			return false, d.src.errorfLine(s.Line, "%s ON SCHEMA is about public, and not about a tenant's schema (remove it, or dump with --no-privileges)", s.word(0))
		}
	}
	return false, nil
}

func (d *dump) dropsSetting(s *Statement) (bool, error) {
	if s.pathToPublic() {
		return true, nil
	}
	if d.tenant && s.setsRole() { // --use-set-session-authorization, in place of OWNER TO
		return true, nil
	}
	name, value := s.setting()
	if isPreamble(name, value) {
		return true, nil
	}
	switch name {
	case "client_encoding":
		return false, d.src.errorfLine(s.Line, "the dump is in %s (dump with --encoding=UTF8)", value)
	case "standard_conforming_strings":
		return false, d.src.errorfLine(s.Line, "strings in which a backslash escapes are not read (dump with standard_conforming_strings on)")
	case "check_function_bodies":
		if !d.routines {
			return true, nil
		}
		// Functions stand before the tables that they use. For the transaction, that
		// is, and not for what comes after it.
		s.Text = fmt.Sprintf("SET LOCAL %s = %s", name, value)
		s.Words = []string{"SET", "LOCAL", strings.ToUpper(name), strings.ToUpper(value)}
	}
	return false, nil
}
