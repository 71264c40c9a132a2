package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/internal/catalog"
)

// raised is the SQLSTATE of RAISE EXCEPTION.
const raised = "P0001"

// shared reports whether a difference is none to tell: an extension is for all, and a way
// back leaves it to those who use it meanwhile.
func shared(d difference) bool { return d.object().Kind == catalog.Extension && d.before == nil }

// notUndone is a finding about a way back that does not lead to where its migration came
// from. As long as the migration can run again, it is a warning where nothing is left but
// a value of an enum, which cannot be taken away, a comment, or a constraint that is valid
// and was not.
func (w *walker) notUndone(s *walkStep, left []difference, again error) Finding {
	r := downDiffers()
	f := Finding{Rule: r.Name, Severity: r.Severity, App: s.app.name, File: s.down.Path, Reason: r.Reason, Cure: r.Cure}
	var parts []string
	for _, d := range left {
		switch {
		case d.before == nil:
			parts = append(parts, "it leaves "+d.name())
		case d.after == nil:
			parts = append(parts, "it takes away "+d.name()+", which was there before")
		default:
			parts = append(parts, d.name()+": "+d.change("before", "after"))
		}
	}
	const most = 5
	if more := len(parts) - most; more > 0 {
		parts = append(parts[:most], fmt.Sprintf("%d more objects differ", more))
	}
	if again == nil && !slices.ContainsFunc(left, func(d difference) bool { return !d.harmless() }) {
		f.Severity = Warning
	}
	if again != nil {
		parts = append(parts, "the migration cannot run again: "+w.refused(r, s.app.name, again).Message)
	}
	f.Message = "the way back does not undo the migration: " + strings.Join(parts, "; ")
	return f
}

// harmless reports whether what is left can stay.
func (d difference) harmless() bool {
	return addedValues(d) || d.onlyValidity() || d.object().Kind == catalog.Comment
}

// addedValues reports whether an enum differs by values that were added.
func addedValues(d difference) bool {
	const enum = "AS ENUM ("
	if d.before == nil || d.after == nil || d.after.Kind != catalog.Type || !strings.HasPrefix(d.before.Definition, enum) || d.before.Access != d.after.Access {
		return false
	}
	values := func(definition string) []string {
		return strings.Split(strings.TrimSuffix(strings.TrimPrefix(definition, enum), ")"), ", ")
	}
	after := values(d.after.Definition)
	return !slices.ContainsFunc(values(d.before.Definition), func(v string) bool { return !slices.Contains(after, v) })
}

// add adds a finding about the way back of a step.
func (w *walker) add(s *walkStep, f Finding) {
	if f.File == "" && !s.down.Program {
		f.File = s.down.Path
	}
	if s.down.Program {
		place := s.down.Path + ": "
		f.File, f.Message = "", place+strings.Replace(f.Message, place, "", 1)
	}
	w.findings = append(w.findings, f)
}
