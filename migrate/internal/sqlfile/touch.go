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
