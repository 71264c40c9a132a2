package manage

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/doctor"
)

// The lines of doctor, as its help describes them.
type (
	findingLine struct {
		Type     string   `json:"type"`
		Check    string   `json:"check"`
		Severity string   `json:"severity"`
		Subject  string   `json:"subject,omitempty"`
		Message  string   `json:"message"`
		Reason   string   `json:"reason"`
		Cure     string   `json:"cure"`
		Fix      string   `json:"fix,omitempty"`
		Count    int      `json:"count,omitempty"`
		Schemas  []string `json:"schemas,omitempty"`
	}
	fixLine struct {
		Type    string `json:"type"`
		Check   string `json:"check"`
		Subject string `json:"subject"`
		SQL     string `json:"sql"`
		Error   string `json:"error,omitempty"`
	}
	summaryOfDoctor struct {
		Type     string  `json:"type"`
		Errors   int     `json:"errors"`
		Warnings int     `json:"warnings"`
		Notes    int     `json:"notes"`
		Checks   int     `json:"checks"`
		Tenants  int     `json:"tenants"`
		Mended   int     `json:"mended,omitempty"`
		Left     int     `json:"left,omitempty"`
		Seconds  float64 `json:"seconds"`
	}
)

// writeReport tells what was found.
func (f *doctorFlags) writeReport(w io.Writer, report *doctor.Report) error {
	if f.json {
		return writeFindings(w, report)
	}
	var b strings.Builder
	colours := newPaint(w)
	severity := doctor.Severity("")
	for i := range report.Findings {
		found := &report.Findings[i]
		if f.verbosity == 0 && found.Severity != doctor.Error {
			break
		}
		if found.Severity != severity {
			severity = found.Severity
			fmt.Fprintf(&b, "%s:\n", colours.severity(string(severity), plural(report.Count(severity), string(severity))))
		}
		fmt.Fprintf(&b, "  %s\n    why: %s\n    cure: %s\n", printable(found.String()), printable(found.Reason), printable(found.Cure))
	}
	if f.verbosity > 1 {
		fmt.Fprintf(&b, "nothing found by: %s\n", strings.Join(f.silent(report), ", "))
	}
	if f.verbosity > 0 {
		fmt.Fprintf(&b, "doctor: %s (%s, %s, %s)\n", report, plural(report.Checks, "check"), plural(report.Tenants, "tenant"), round(report.Took))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeFindings tells it to programs.
func writeFindings(w io.Writer, report *doctor.Report) error {
	for _, found := range report.Findings {
		err := writeJSON(w, findingLine{
			Type: "finding", Check: found.Check, Severity: string(found.Severity), Subject: found.Subject, Message: found.Message,
			Reason: found.Reason, Cure: found.Cure, Fix: found.Fix, Count: found.Count, Schemas: found.Schemas,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func newSummaryOfDoctor(report *doctor.Report, done outcomes) summaryOfDoctor {
	return summaryOfDoctor{
		Type: "summary", Errors: report.Count(doctor.Error), Warnings: report.Count(doctor.Warning), Notes: report.Count(doctor.Note),
		Checks: report.Checks, Tenants: report.Tenants, Mended: done.mended, Left: done.left, Seconds: report.Took.Seconds(),
	}
}

// writeFixes lists what is to be mended.
func (f *doctorFlags) writeFixes(w io.Writer, fixes []doctor.Finding) {
	if len(fixes) == 0 {
		fmt.Fprintln(w, "nothing is to be mended that is safe to mend")
		return
	}
	fmt.Fprintln(w, "to be mended:")
	for _, found := range fixes {
		more := ""
		if found.Count > 1 {
			more = fmt.Sprintf("; and so for %d more", found.Count-1)
		}
		fmt.Fprintf(w, "  %s: %s: %s%s\n", found.Check, printable(found.Subject), printable(found.Fix), more)
	}
}

// writeFixed tells what was mended, or why it was not.
func (f *doctorFlags) writeFixed(w io.Writer, fixed doctor.Fixed) error {
	line := fixLine{Type: "fix", Check: fixed.Check, Subject: fixed.Subject, SQL: fixed.SQL}
	outcome := "mended"
	if fixed.Err != nil {
		line.Error = fixed.Err.Error()
		outcome = "left: " + line.Error
	}
	if f.json {
		return writeJSON(w, line)
	}
	if f.verbosity == 0 && fixed.Err == nil {
		return nil
	}
	_, err := fmt.Fprintf(w, "  %s: %s: %s\n", fixed.Check, printable(fixed.Subject), printable(outcome))
	return err
}

// silent are the checks that found nothing.
func (f *doctorFlags) silent(report *doctor.Report) []string {
	return slices.DeleteFunc(doctor.Checks(), func(name string) bool {
		return slices.Contains(f.skip, name) || slices.ContainsFunc(report.Findings, func(found doctor.Finding) bool { return found.Check == name })
	})
}

// plural counts things.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
