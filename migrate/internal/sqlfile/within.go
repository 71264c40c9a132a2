package sqlfile

import "slices"

// Within returns the text of the statement with a schema, which is quoted, in front of
// the table of CREATE INDEX CONCURRENTLY, and of the indexes of DROP INDEX CONCURRENTLY:
// where they stand without one. Outside of a transaction nothing else can make sure that
// the search path leads where it did. Other statements are as they were.
func (s Statement) Within(schema string) string {
	c := s.cursor()
	verb := c.acceptAny("CREATE", "DROP")
	c.accept("UNIQUE")
	if verb == "" || !c.accept("INDEX", "CONCURRENTLY") {
		return s.Text
	}
	var at []int
	name := func() {
		if c.done() {
			return
		}
		start := c.tokens[0].start
		if len(c.name()) == 1 {
			at = append(at, start)
		}
	}
	if verb == "DROP" {
		c.accept("IF", "EXISTS")
		for ok := true; ok; ok = c.acceptByte(',') {
			name()
		}
	} else {
		c.find("ON")
		c.accept("ONLY")
		name()
	}
	text := s.Text
	for _, i := range slices.Backward(at) {
		text = text[:i] + schema + "." + text[i:]
	}
	return text
}
