package manage

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/migrate"
)

// textReporter tells people how a run goes: results on stdout, failures and progress on
// stderr.
type textReporter struct {
	*progress
	stdout    io.Writer
	prefix    string // of errors
	commands  string // how those beside this one are called: "cotenant "
	verb      string // migrate or sync
	verbosity int

	results sync.Mutex
	kinds   map[string]bool // of failures: those of which one was shown
	differs []difference
}

// difference is what a schema.sql has otherwise than some schemas.
type difference struct {
	text  string
	first string // schema
	count int    // schemas
}

func newTextReporter(cmd *cobra.Command, verbosity int) *textReporter {
	prefix, verb := cmd.Root().Name(), cmd.Name()
	return &textReporter{
		progress: newProgress(cmd.ErrOrStderr(), prefix+": "+verb, verb, verbosity != 1),
		stdout:   cmd.OutOrStdout(), prefix: prefix, verb: verb, verbosity: verbosity, kinds: make(map[string]bool),
		commands: strings.TrimSuffix(cmd.CommandPath(), verb),
	}
}

func (t *textReporter) result(r migrate.Result) {
	t.results.Lock()
	defer t.results.Unlock()
	t.collect(r)
	interrupted := errors.Is(r.Err, migrate.ErrInterrupted)
	switch kind := r.Kind(); {
	case interrupted:
	case r.Err != nil && !t.kinds[kind] && len(t.kinds) < most:
		t.kinds[kind] = true
		t.note(reason(r))
	case r.Err != nil && t.verbosity > 1:
		fmt.Fprintf(t.stdout, "%s: failed (%s)\n", r.Schema, round(r.Duration))
	case r.Err == nil && t.verbosity > 1:
		fmt.Fprintf(t.stdout, "%s: %s (%s)\n", r.Schema, applied(r.Applied), round(r.Duration))
	}
	t.add(r.Err != nil && !interrupted)
}

// collect remembers what differs, each difference once.
func (t *textReporter) collect(r migrate.Result) {
	for _, text := range r.Differs {
		i := slices.IndexFunc(t.differs, func(d difference) bool { return d.text == text })
		switch {
		case i >= 0:
			t.differs[i].count++
		case len(t.differs) < most:
			t.differs = append(t.differs, difference{text, r.Schema.String(), 1})
		}
	}
}

func (t *textReporter) note(text string) { fmt.Fprintf(t, "%s: %s\n", t.prefix, printableText(text)) }

func (t *textReporter) finish(report *migrate.Report, _ error, took time.Duration) {
	t.listFailures(report)
	if t.verbosity == 0 {
		return
	}
	for i, d := range t.differs {
		if i == 0 {
			fmt.Fprintln(t.stdout, "what schema.sql has otherwise, and needs a migration:")
		}
		fmt.Fprintf(t.stdout, "  %s (%s)\n", printable(d.text), andMore(d.first, d.count-1))
	}
	for _, text := range report.NotRun {
		fmt.Fprintln(t.stdout, text)
	}
	if left := report.LeftToMigrate; len(left) > 0 {
		fmt.Fprintf(t.stdout, "with migrations, and left to %smigrate (or use --migrate): %s\n", t.commands, strings.Join(left, ", "))
	}
	if left := report.LeftToSync; len(left) > 0 {
		fmt.Fprintf(t.stdout, "without migrations, and left to %ssync: %s\n", t.commands, strings.Join(left, ", "))
	}
	t.warn(report)
	fmt.Fprintf(t.stdout, "%s: %s (%s)\n", t.verb, counts(report), round(took))
}

// warn tells what is not as it should be, and no failure.
func (t *textReporter) warn(report *migrate.Report) {
	if report.Unguarded != "" {
		t.note("without the migrator role: " + report.Unguarded)
	}
	for _, app := range report.Retired {
		t.note(app.String())
	}
	for _, text := range orphans(report.Orphans) {
		t.note(text)
	}
}

// orphans says of schemas that they have no tenant.
func orphans(names []string) (lines []string) {
	const most = 10
	for _, name := range names[:min(most, len(names))] {
		lines = append(lines, fmt.Sprintf("schema %q: it has a history and no tenant, and was left alone (insert its row into cotenant.tenants, or drop it)", name))
	}
	if more := len(names) - most; more > 0 {
		lines = append(lines, schemas(more)+" more have no tenant")
	}
	return lines
}

// listFailures counts the schemas that failed alike, of which the first was shown when it
// failed.
func (t *textReporter) listFailures(report *migrate.Report) {
	more := report.Failed
	for i := range report.Reasons {
		r := &report.Reasons[i]
		more -= r.Count
		first := migrate.Result{Schema: r.Schemas[0], Err: r.Err}
		switch {
		case !t.kinds[first.Kind()]:
			t.note(r.String())
		case r.Count > 1:
			t.note(fmt.Sprintf("%s failed as %q did: %s", schemas(r.Count), first.Schema, list(r.Schemas, r.Count)))
		}
	}
	if more > 0 {
		t.note(schemas(more) + " more failed, for other reasons (--json tells of each)")
	}
}

// counts is the outcome in numbers.
func counts(r *migrate.Report) string {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{r.Done, "done"}, {r.Failed, "failed"}, {r.Interrupted, "interrupted"}, {r.Untouched, "untouched"}, {r.Current, "up to date"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if len(parts) == 0 {
		return "there are no schemas"
	}
	return strings.Join(parts, ", ")
}

// applied lists files.
func applied(files []migrate.Applied) string {
	if len(files) == 0 {
		return "nothing to do"
	}
	list := make([]string, len(files))
	for i, f := range files {
		list[i] = f.App + "/" + f.Name
	}
	return strings.Join(list, ", ")
}

// andMore is a name, and how many there are beside it.
func andMore(name string, more int) string {
	if more == 0 {
		return name
	}
	return fmt.Sprintf("%s and %d more", name, more)
}

func round(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}
