package manage

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/drift"
	"github.com/cotenant/cotenant/tenant"
)

// driftReporter shows how far a comparison is, and what it found.
type driftReporter struct {
	*progress
	flags  *driftFlags
	stdout io.Writer
	prefix string // of errors
}

func newDriftReporter(cmd *cobra.Command, f *driftFlags) *driftReporter {
	prefix := cmd.Root().Name()
	return &driftReporter{
		progress: newProgress(cmd.ErrOrStderr(), prefix+": drift", "drift", f.json || f.verbosity != 1),
		flags:    f, stdout: cmd.OutOrStdout(), prefix: prefix,
	}
}

// started is told how many schemas there are.
func (d *driftReporter) started(schemas int) {
	d.start(schemas)
	if d.flags.json {
		_ = writeJSON(d.stdout, startLine{"start", schemas})
	}
}

// schema is told what came of one.
func (d *driftReporter) schema(_ tenant.Schema, err error) { d.add(err != nil) }

// report shows what was found.
func (d *driftReporter) report(r *drift.Report, took time.Duration) error {
	switch {
	case d.flags.json:
		return d.writeLines(r, took)
	case d.flags.verbosity == 0:
		return nil
	}
	for _, name := range r.MissingSchemas {
		fmt.Fprintf(d, "%s: schema %q: it does not exist, and its tenant has a row (restore it, or delete the tenant)\n", d.prefix, name)
	}
	for _, u := range r.UnreadableSchemas {
		fmt.Fprintf(d, "%s: %s\n", d.prefix, printableText(u.Error()))
	}
	for _, list := range []struct {
		all, shown   int
		one, several string
	}{
		{r.Missing, len(r.MissingSchemas), "is missing", "are missing"},
		{r.Unreadable, len(r.UnreadableSchemas), "could not be read", "could not be read"},
	} {
		if more := list.all - list.shown; more > 0 {
			fmt.Fprintf(d, "%s: %s beside these %s\n", d.prefix, schemas(more), either(more, list.one, list.several))
		}
	}
	text := &strings.Builder{}
	d.groups(text, r)
	if !d.flags.compare.Repair {
		fmt.Fprintf(text, "drift: %s (%s)\n", driftCounts(r), round(took))
	}
	_, err := io.WriteString(d.stdout, text.String())
	return err
}

// groups shows the groups: their differences, or their scripts.
func (d *driftReporter) groups(w *strings.Builder, r *drift.Report) {
	colours := newPaint(d.stdout)
	comment := ""
	if d.flags.compare.Repair {
		comment = "-- " // the output is a script
	}
	more, of := 0, 0
	for _, g := range r.Groups {
		switch {
		case g.Err == nil && len(g.Differences) == 0:
			more++
			of += g.Count
		case g.Err != nil:
			fmt.Fprintf(w, "%s%s\n%s  %s\n", comment, d.whom(&g), comment, printable(g.Err.Error()))
		case d.flags.compare.Repair:
			fmt.Fprintf(w, "%s\n", d.script(&g))
		default:
			fmt.Fprintln(w, d.whom(&g))
			for _, difference := range g.Differences {
				difference.Object = printable(difference.Object) // one line, whatever its name
				fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(colours.patch(printableText(difference.String())), "\n", "\n  "))
			}
			if g.More > 0 {
				fmt.Fprintf(w, "  and %d differences more\n", g.More)
			}
		}
	}
	if of += r.Unlisted; of > 0 {
		fmt.Fprintf(w, "%s%s beside these %s, in %s or more, and %s not shown\n", comment, schemas(of), either(of, "differs", "differ"),
			plural(max(1, more), "way"), either(of, "is", "are"))
	}
}

// script is what creates what a group lacks: for PostgreSQL as it is, for people as the rest.
func (d *driftReporter) script(g *drift.Group) string {
	if isTerminal(d.stdout) {
		return printableText(g.Script())
	}
	return g.Script()
}

// whom names the schemas of a group.
func (d *driftReporter) whom(g *drift.Group) string {
	most := 5
	if d.flags.verbosity > 1 {
		most = len(g.Schemas)
	}
	list := names(g.Schemas)
	text := strings.Join(list[:min(most, len(list))], ", ")
	if more := g.Count - min(most, len(list)); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if g.Count == 1 {
		return text
	}
	return fmt.Sprintf("%s: %s", schemas(g.Count), text)
}

// driftCounts is the outcome in numbers. What differs the error says.
func driftCounts(r *drift.Report) string {
	switch all := r.Same + r.Differ + r.Missing + r.Unreadable; {
	case all == 0:
		return "there are no schemas"
	case r.Same == all:
		return fmt.Sprintf("%s as %s", schemas(all), r.Reference)
	case r.Same == 0:
		return fmt.Sprintf("%s, none as %s", schemas(all), r.Reference)
	default:
		return fmt.Sprintf("%d of %s as %s", r.Same, schemas(all), r.Reference)
	}
}

// The lines of --json, as the help describes them.
type (
	differenceLine struct {
		Change    string `json:"change"`
		Object    string `json:"object"`
		Parts     int    `json:"parts,omitempty"`
		Reference string `json:"reference,omitempty"`
		Schema    string `json:"schema,omitempty"`
	}
	driftGroupLine struct {
		Type        string           `json:"type"`
		Count       int              `json:"count"`
		Schemas     []string         `json:"schemas"`
		Fingerprint string           `json:"fingerprint"`
		Differences []differenceLine `json:"differences,omitempty"`
		More        int              `json:"more,omitempty"`
		Repair      string           `json:"repair,omitempty"`
		Error       string           `json:"error,omitempty"`
	}
	driftSchemaLine struct {
		Type   string `json:"type"`
		Schema string `json:"schema,omitempty"`
		Error  string `json:"error,omitempty"`
	}
	driftSummaryLine struct {
		Type        string  `json:"type"`
		Reference   string  `json:"reference"`
		Fingerprint string  `json:"fingerprint"`
		Same        int     `json:"same"`
		Differ      int     `json:"differ"`
		Unlisted    int     `json:"unlisted,omitempty"`
		Missing     int     `json:"missing"`
		Unreadable  int     `json:"unreadable"`
		Seconds     float64 `json:"seconds"`
	}
)

// writeLines writes the report as --json has it.
func (d *driftReporter) writeLines(r *drift.Report, took time.Duration) error {
	var lines []any
	for _, g := range r.Groups {
		line := driftGroupLine{Type: "group", Count: g.Count, Schemas: names(g.Schemas), Fingerprint: g.Fingerprint.String(), More: g.More, Repair: g.Script()}
		for _, x := range g.Differences {
			line.Differences = append(line.Differences, differenceLine{string(x.Change), x.Object, x.Parts, x.Reference, x.Schema})
		}
		if g.Err != nil {
			line.Error = g.Err.Error()
		}
		lines = append(lines, line)
	}
	for _, name := range r.MissingSchemas {
		lines = append(lines, driftSchemaLine{Type: "missing", Schema: name.String()})
	}
	for _, u := range r.UnreadableSchemas {
		lines = append(lines, driftSchemaLine{Type: "unreadable", Schema: u.Schema.String(), Error: u.Err.Error()})
	}
	lines = append(lines, driftSummaryLine{
		"drift_summary", r.Reference, r.Fingerprint.String(), r.Same, r.Differ, r.Unlisted, r.Missing, r.Unreadable, took.Seconds(),
	})
	for _, line := range lines {
		if err := writeJSON(d.stdout, line); err != nil {
			return err
		}
	}
	return nil
}
