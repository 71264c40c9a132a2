package sqlfile

import "fmt"

// grantsJudged says what privileges a GRANT or REVOKE would change that are not on the
// tenant's own. It is empty if there are none.
func (s Statement) grantsJudged(judge judge) string {
	c := s.cursor()
	verb := c.word(0)
	wide := func(what string) string {
		return fmt.Sprintf("%s %s: it is for the whole database, and a tenant's app runs once for each tenant (put it into a migration of a shared app)", verb, what)
	}
	if !c.find("ON") {
		return wide("of a role")
	}
	kind := ""
	if next := c.word(1); next != "TO" && next != "FROM" && (len(c.tokens) > 1 && c.tokens[1].kind != other) { // not a table of that name
		kind = c.word(0)
	}
	switch kind {
	case "DATABASE", "FOREIGN", "LANGUAGE", "PARAMETER", "SCHEMA", "TABLESPACE":
		return wide("ON " + kind)
	case "ALL":
		return wide("ON ALL … IN SCHEMA")
	case "LARGE":
		return ""
	case "DOMAIN", "FUNCTION", "PROCEDURE", "ROUTINE", "SEQUENCE", "TABLE", "TYPE":
		c.skip()
	}
	for more := true; more; more = c.acceptByte(',') {
		if fault := judge(verb+" ON", c.name()); fault != "" {
			return fault
		}
		c.parentheses()
	}
	return ""
}
