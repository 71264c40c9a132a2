package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Severity is how bad a finding is.
type Severity string

// The severities, the worst first.
const (
	Error   Severity = "error"   // it is broken now
	Warning Severity = "warning" // it will hurt
	Note    Severity = "note"    // it is good to know
)

// rank orders severities, the worst first.
func (s Severity) rank() int { return slices.Index([]Severity{Error, Warning, Note}, s) }

// Finding is something that a check has to say. What is the matter in many schemas alike
// is one finding.
type Finding struct {
	// Check names the check: "index-invalid".
	Check string
	// Severity is how bad it is.
	Severity Severity
	// Subject is what it is about: `index "orders_total_idx" on "orders"`.
	Subject string
	// Message says what is the matter, Reason why that hurts, Cure what to do.
	Message, Reason, Cure string
	// Fix is the SQL with which the function Fix mends the first of them; it is empty
	// where that is left to people.
	Fix string
	// Count is in how many schemas it is so, or of how many things; 0 where it is about
	// none that can be counted.
	Count int
	// Schemas are the first of them by name, at most five; none where it is about none.
	Schemas []string
}

// String says it in a line, without the reason and the cure:
//
//	index-invalid: index "orders_total_idx" on "orders": it is invalid (schemas "acme", "globex" and 998 more)
func (f *Finding) String() string {
	text := f.Check + ": " + f.Message
	if f.Subject != "" {
		text = f.Check + ": " + f.Subject + ": " + f.Message
	}
	if len(f.Schemas) > 0 {
		text += " (" + some(f.Schemas, f.Count) + ")"
	}
	return text
}

// Report is what an examination has found. Its size does not depend on how many schemas
// there are.
type Report struct {
	// Findings are sorted by their severity, the worst first.
	Findings []Finding
	// Checks is how many checks there were.
	Checks int
	// Tenants is how many tenants the database has, the public one not counted.
	Tenants int
	// Took is how long the examination was.
	Took time.Duration
}

// Count returns how many findings have the severity.
func (r *Report) Count(s Severity) int {
	n := 0
	for i := range r.Findings {
		if r.Findings[i].Severity == s {
			n++
		}
	}
	return n
}

// String counts: "1 error, 2 warnings, 3 notes".
func (r *Report) String() string {
	var parts []string
	for _, s := range []Severity{Error, Warning, Note} {
		switch n := r.Count(s); {
		case n == 1:
			parts = append(parts, "1 "+string(s))
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, s))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "nothing was found")
}

// sort puts the worst first, and leaves the order of the checks otherwise.
func (r *Report) sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(a.Severity.rank(), b.Severity.rank()) })
}

// some names the first of n schemas.
func some(schemas []string, n int) string {
	quoted := make([]string, len(schemas))
	for i, name := range schemas {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	text := "schema " + quoted[0]
	if len(quoted) > 1 {
		text = "schemas " + strings.Join(quoted, ", ")
	}
	if more := n - len(quoted); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
