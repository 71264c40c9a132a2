package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/cotenant/cotenant/migrate"
)

// parseAllow reads what stands behind the word of a comment
//
//	-- cotenant:allow RULE [RULE…] [: why]
//
// Commas between the names are as good as spaces.
func parseAllow(text string) (names []string) {
	text, _, _ = strings.Cut(text, ":")
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
}

// allowed is one name of a comment.
type allowed struct {
	rule string
	line int
	file *file
	stmt *statement // nil for the whole file
	used bool
}

// silence takes out the findings that comments allow, and adds what is wrong with the
// comments. It returns what is left, and how many are not. built says whether Builds has
// looked, too.
func (c *checker) silence(built bool) (left []Finding, silenced int) {
	var all []*allowed
	for _, f := range c.files {
		all = append(all, f.allowed(f.Allows, nil)...)
		for i := range f.statements {
			all = append(all, f.allowed(f.statements[i].Allows, &f.statements[i])...)
		}
	}
	for _, one := range c.found {
		allows := false
		for _, a := range all {
			if a.rule == one.Rule && one.isIn(a.file) && (a.stmt == nil || a.stmt == one.stmt) {
				a.used, allows = true, true
			}
		}
		if allows {
			silenced++
		} else {
			left = append(left, one.Finding)
		}
	}
	for _, f := range c.files {
		all = append(all, f.allowed(f.Unused, nil)...)
	}
	for _, a := range all {
		if finding, ok := c.fault(a, built); ok {
			left = append(left, finding)
		}
	}
	return left, silenced
}

// fault says what is wrong with a name of a comment.
func (c *checker) fault(a *allowed, built bool) (Finding, bool) {
	switch known := slices.Collect(ruleNames()); {
	case a.rule == "":
		return c.finding(unknownRule(), a.file, a.line, "-- cotenant:allow names no rule"), true
	case !slices.Contains(known, a.rule) && slices.ContainsFunc(Rules(), func(r Rule) bool { return r.Name == a.rule }):
		return c.finding(unknownRule(), a.file, a.line, fmt.Sprintf("rule %q cannot be allowed", a.rule)), true
	case !slices.Contains(known, a.rule):
		nearest := slices.MinFunc(known, func(x, y string) int {
			return levenshtein.Distance(a.rule, x, nil) - levenshtein.Distance(a.rule, y, nil)
		})
		return c.finding(unknownRule(), a.file, a.line, fmt.Sprintf("there is no rule %q (did you mean %s?)", a.rule, nearest)), true
	case !a.used && (built || !slices.ContainsFunc(builtRules(), func(r Rule) bool { return r.Name == a.rule })):
		return c.finding(unusedAllow(), a.file, a.line, fmt.Sprintf("-- cotenant:allow %s silences nothing", a.rule)), true
	}
	return Finding{}, false
}

// isIn reports whether the finding is in a file: that of both ways, where it has both.
func (f *found) isIn(other *file) bool {
	return f.file != nil && (f.file == other || f.file.Path == other.Path && f.file.Tenant == other.Tenant && f.stmt == nil)
}

// allowed reads comments of the file.
func (f *file) allowed(comments []migrate.Allow, stmt *statement) []*allowed {
	var all []*allowed
	for _, comment := range comments {
		names := parseAllow(comment.Text)
		if len(names) == 0 {
			names = []string{""}
		}
		for _, name := range names {
			all = append(all, &allowed{rule: name, line: comment.Line, file: f, stmt: stmt})
		}
	}
	return all
}
