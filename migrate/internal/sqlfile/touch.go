package sqlfile

import "slices"

// Touches returns the names of the tables, views, sequences, types or functions that the
// statement creates or changes, all of the schema on the path; what belongs to them, and
// the children of tables, may change with them. It is not known for statements that can
// reach more, such as DROP … CASCADE, or that run functions, such as DO.
func (s Statement) Touches() (names []string, known bool) {
	t := s.target()
	if len(t.names) == 0 || !t.touchesNamed(s) {
		return nil, false
	}
	for _, parts := range t.names {
		name := newName(parts)
		if name.Schema != "" {
			return nil, false
		}
		names = append(names, name.Name)
	}
	return names, true
}

// touchesNamed reports whether the statement touches no more than what it names.
func (t *target) touchesNamed(s Statement) bool {
	has := func(word string) bool { return s.cursor().find(word) }
	switch t.verb {
	case "ALTER":
		reaches := []string{"ATTACH", "DETACH", "DROP", "INHERIT", "RENAME", "SCHEMA"}
		return (t.kind == "TABLE" || t.kind == "SEQUENCE") && !slices.ContainsFunc(reaches, has)
	case "COMMENT ON":
		switch t.kind {
		case "COLUMN", "DOMAIN", "FUNCTION", "POLICY", "PROCEDURE", "SEQUENCE", "TABLE", "TRIGGER", "TYPE", "VIEW":
			return true
		case "CONSTRAINT":
			return !has("DOMAIN")
		}
	case "CREATE":
		switch t.kind {
		case "DOMAIN", "FUNCTION", "INDEX", "POLICY", "PROCEDURE", "SEQUENCE", "TRIGGER", "VIEW":
			return true
		case "TABLE":
			return !s.queries()
		case "TYPE":
			return has("ENUM") // a range comes with functions
		}
	}
	return false
}

// Defines reports whether the statement changes what one table is, of a schema that it
// names, and nothing else: ALTER TABLE, CREATE INDEX and COMMENT ON do.
func (s Statement) Defines(schema string, tables ...string) bool {
	t := s.target()
	if len(t.names) != 1 {
		return false
	}
	table := newName(t.names[0])
	if table.Schema != schema || !slices.Contains(tables, table.Name) {
		return false
	}
	switch t.verb + " " + t.kind {
	case "ALTER TABLE", "CREATE INDEX", "COMMENT ON TABLE", "COMMENT ON COLUMN":
		return true
	}
	return false
}

// Written are the tables whose rows the statement changes, each by its schema, if that is
// named, and its name. Those that functions and triggers write to are not seen.
func (s Statement) Written() (tables []Name) {
	if s.word(0) != "COPY" && s.word(0) != "LOCK" && !s.grants() {
		s.writes(func(verb string, name []string) string {
			switch verb {
			case "INSERT INTO", "DELETE FROM", "MERGE INTO", "UPDATE", "TRUNCATE":
				tables = append(tables, newName(name))
			}
			return ""
		})
	}
	return tables
}
