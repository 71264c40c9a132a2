package sqlfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// directive is a comment line that says something about the migration:
//
//	-- cotenant:requires customers/0002_plans
//	-- cotenant:replaces 0001_initial 0002_prices
//	-- cotenant:no-transaction
//
// or silences checks (see Allow).
type directive struct {
	line  int
	name  string
	value string
}

const (
	requires      = "requires"
	replaces      = "replaces"
	noTransaction = "no-transaction"
	allow         = "allow"
)

var directiveLine = regexp.MustCompile(`(?i)^--[ \t]*cotenant:`)

// comment looks for a directive in a comment.
func (s *splitter) comment(t token) error {
	text := s.text[t.start:t.end]
	mark := directiveLine.FindString(text)
	if mark == "" {
		return nil
	}
	name, value, _ := strings.Cut(strings.TrimSpace(text[len(mark):]), " ")
	d := directive{line: LineAt(s.text, t.start), name: name, value: strings.TrimSpace(value)}
	before := s.text[:t.start]
	before = before[strings.LastIndexByte(before, '\n')+1:]
	alone := strings.TrimSpace(before) == ""
	if d.name == allow {
		s.allow(d, t, alone)
		return nil
	}
	if s.begun || !alone {
		return s.errorf(t.start, "-- cotenant:%s stands in the midst of a statement (give it a line of its own, before the statement or after)", d.name)
	}
	if fault := d.fault(); fault != "" {
		return s.errorf(t.start, "%s", fault)
	}
	s.directives = append(s.directives, d)
	return nil
}

// fault says what is wrong with a directive; it is empty if nothing is.
func (d directive) fault() string {
	switch d.name {
	case requires:
		app, name, ok := strings.Cut(d.value, "/")
		if !ok || app == "" || name == "" || strings.ContainsAny(d.value, ",;") {
			return fmt.Sprintf("-- cotenant:requires %s: it names no migration (write app/name, such as customers/0002_plans, a line for each)", d.value)
		}
	case noTransaction:
		if d.value != "" {
			return fmt.Sprintf("-- cotenant:no-transaction takes no value, and has %q (remove it)", d.value)
		}
	case replaces:
		return d.replacesFault()
	default:
		nearest := slices.MinFunc([]string{requires, replaces, noTransaction}, func(a, b string) int {
			return levenshtein.Distance(d.name, a, nil) - levenshtein.Distance(d.name, b, nil)
		})
		return fmt.Sprintf("-- cotenant:%s is not known (did you mean -- cotenant:%s?)", d.name, nearest)
	}
	return ""
}

// replacesFault says what is wrong with the names of migrations that are replaced.
func (d directive) replacesFault() string {
	const cure = "(write names of this app's migrations, such as 0001_initial 0002_prices, all of them)"
	names := strings.Fields(d.value)
	if len(names) == 0 {
		return "-- cotenant:replaces names no migration " + cure
	}
	for _, name := range names {
		if CheckName(name) != nil || strings.ContainsAny(name, ",;") || strings.Contains(name, "..") {
			return fmt.Sprintf("-- cotenant:replaces: %q is not a name for a migration %s", name, cure)
		}
	}
	return ""
}
