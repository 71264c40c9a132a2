package sqlfile

import (
	"slices"
	"strings"
)

// Tidy reports whether the statement leaves nothing in its session but settings and the
// role: no temporary table, prepared statement, cursor, lock of the session, and so on.
// A function may, so what works on rows and calls one that is not known is not taken for
// tidy. What triggers and the expressions of columns, constraints and indexes call is
// not seen.
func (s Statement) Tidy() bool {
	switch s.word(0) {
	case "ALTER", "ANALYZE", "CLUSTER", "COMMENT", "DROP", "GRANT", "LOCK",
		"REINDEX", "RESET", "REVOKE", "SET", "TRUNCATE", "VACUUM":
	case "CREATE":
		if s.queries() && s.calls() {
			return false
		}
	case "COPY", "DELETE", "INSERT", "MERGE", "UPDATE":
		if s.calls() {
			return false
		}
	default:
		return false
	}
	return !slices.Contains(s.Words, "TEMP") && !slices.Contains(s.Words, "TEMPORARY") && !strings.Contains(strings.ToLower(s.Text), "pg_temp")
}

// queries reports whether a CREATE fills what it creates: CREATE TABLE … AS, and
// materialized views.
func (s Statement) queries() bool {
	switch t := s.target(); t.kind {
	case "MATERIALIZED VIEW":
		return true
	case "TABLE":
		return s.cursor().find("AS")
	}
	return false
}

// calls reports whether a statement may call a function that is not known: whether an
// opening parenthesis follows a name that is none of the words below, and not that of the
// table that is written to.
func (s Statement) calls() bool {
	c := s.cursor()
	if c.acceptAny("COPY", "CREATE", "INSERT") != "" {
		for isModifier(c.word(0)) {
			c.skip()
		}
		c.acceptAny("TABLE", "INTO")
		c.accept("IF", "NOT", "EXISTS")
		c.name()
		c.acceptByte('(') // its columns
	}
	called, qualified := "", false // "" behind what is no name
	for ; !c.done(); c.skip() {
		switch w := c.word(0); {
		case w != "":
			called, qualified = w, qualified && called == "."
		case c.isName():
			called = "\"" // a quoted name is not looked at
		case c.at('.'):
			called, qualified = ".", true
		case c.at('(') && called != "" && (qualified || !isHarmless(called)):
			return true
		default:
			called, qualified = "", false
		}
	}
	return false
}

// isHarmless reports whether a word in front of a parenthesis calls nothing, or what
// leaves nothing in the session.
func isHarmless(word string) bool {
	switch word {
	case "ALL", "AND", "ANY", "ARRAY", "AS", "BETWEEN", "BY", "CASE", "CONFLICT", "DISTINCT", "ELSE", "EXCEPT", "EXISTS", "FILTER", "FROM",
		"HAVING", "IN", "INSERT", "INTERSECT", "JOIN", "LATERAL", "LIKE", "LIMIT", "NOT", "ON", "OR", "OVER", "RETURNING", "ROW", "SELECT", "SET", "SOME",
		"THEN", "UNION", "USING", "VALUES", "WHEN", "WHERE", "WITH": // of the language
		return true
	case "BIT", "CHAR", "CHARACTER", "DECIMAL", "NUMERIC", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "VARCHAR", "VARYING": // types
		return true
	case "ABS", "ARRAY_AGG", "AVG", "CAST", "CEIL", "CLOCK_TIMESTAMP", "COALESCE", "CONCAT", "COUNT", "DATE_TRUNC", "EXTRACT", "FLOOR", "FORMAT",
		"GENERATE_SERIES", "GEN_RANDOM_UUID", "GREATEST", "JSONB_BUILD_OBJECT", "JSON_BUILD_OBJECT", "LEAST", "LENGTH", "LOWER", "MAX", "MD5", "MIN", "NOW",
		"NULLIF", "RANDOM", "REPLACE", "ROUND", "ROW_NUMBER", "STRING_AGG", "SUBSTRING", "SUM", "TO_CHAR", "TO_TIMESTAMP", "TRIM", "UNNEST", "UPPER":
		return true
	}
	return false
}
