package check

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the report for people: findings of a rule stand together, with the
// reason and the cure behind them, and the counts at the end.
//
//	shop/migrations/0002_index.sql:3: error: index-blocks-writes: index "i" on "items" is …
//	    reason: nobody can write to the table until the index is built
//	    cure:   CREATE INDEX CONCURRENTLY, in a migration of its own: …
//
// A severity is written as style has it; nil for its word.
func (r *Report) WriteText(w io.Writer, style func(Severity) string) error {
	if style == nil {
		style = func(s Severity) string { return string(s) }
	}
	type why struct{ rule, reason, cure string }
	var order []why
	groups := map[why][]Finding{}
	for _, f := range r.Findings {
		key := why{f.Rule, f.Reason, f.Cure}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], f)
	}
	var text strings.Builder
	for _, key := range order {
		for _, f := range groups[key] {
			fmt.Fprintln(&text, f.text(style(f.Severity)))
		}
		fmt.Fprintf(&text, "    reason: %s\n    cure:   %s\n", key.reason, key.cure)
	}
	fmt.Fprintln(&text, r.summary())
	_, err := io.WriteString(w, text.String())
	return err
}

// String is the finding in one line, without the reason and the cure.
func (f Finding) String() string { return f.text(string(f.Severity)) }

func (f Finding) text(severity string) string {
	return f.place() + fmt.Sprintf("%s: %s: %s", severity, f.Rule, f.Message)
}

// place is where the finding is, as compilers write it.
func (f Finding) place() string {
	switch {
	case f.File != "" && f.Line > 0:
		return fmt.Sprintf("%s:%d: ", f.File, f.Line)
	case f.File != "":
		return f.File + ": "
	default:
		return ""
	}
}

// summary is the counts in a line.
func (r *Report) summary() string {
	var parts []string
	for _, n := range []struct {
		count int
		what  string
	}{{r.Count(Error), "error"}, {r.Count(Warning), "warning"}} {
		if n.count > 0 {
			parts = append(parts, count(n.count, n.what))
		}
	}
	if parts == nil {
		parts = []string{"nothing found"}
	}
	text := strings.Join(parts, ", ") + " in " + count(r.Files, "file")
	if r.Allowed > 0 {
		text += fmt.Sprintf(" (%d allowed)", r.Allowed)
	}
	return text
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
