package schemasync

import (
	"fmt"
	"strings"

	"github.com/cotenant/cotenant/internal/catalog"
)

// describe names an object for people.
func describe(o catalog.Object) string {
	if o.Kind == catalog.Comment {
		return "the comment on " + o.Name
	}
	return o.Key()
}

// difference says how what the schema has differs from what schema.sql has.
func difference(want, have catalog.Object) string {
	name := describe(want)
	if have.Name != want.Name {
		name += " (" + have.Name + " in the schema)"
	}
	const short = 120
	a, b := want.Definition, have.Definition
	if len(a) <= short && len(b) <= short && !strings.Contains(a+b, "\n") {
		return fmt.Sprintf("%s is %s in schema.sql and %s in the schema", name, side(a, want), side(b, have))
	}
	a, b = firstDifference(a, b)
	return fmt.Sprintf("%s differs: schema.sql has %s where the schema has %s", name, line(a), line(b))
}

// side is a short definition in a sentence.
func side(definition string, o catalog.Object) string {
	switch {
	case o.Kind == catalog.Comment:
		return fmt.Sprintf("%q", definition)
	case definition == "":
		return "ordinary"
	}
	return definition
}

// firstDifference returns the first lines of a and b that differ.
func firstDifference(a, b string) (string, string) {
	for {
		lineA, restA, moreA := strings.Cut(a, "\n")
		lineB, restB, moreB := strings.Cut(b, "\n")
		if strings.Trim(lineA, " ,") != strings.Trim(lineB, " ,") || !moreA || !moreB {
			return lineA, lineB
		}
		a, b = restA, restB
	}
}

// line is a line of a definition in a sentence.
func line(text string) string {
	const most = 200
	text = strings.Trim(text, " ,")
	if text == "" {
		return "nothing"
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	return "“" + text + "”"
}
