package manage

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/adopt"
	"github.com/cotenant/cotenant/migrate"
)

// adoptReporter shows how far it is, and what was done.
type adoptReporter struct {
	*progress
	flags  *adoptFlags
	stdout io.Writer
	prefix string // of errors
	made   int    // schemas that were registered
}

func newAdoptReporter(cmd *cobra.Command, f *adoptFlags) *adoptReporter {
	prefix := cmd.Root().Name()
	return &adoptReporter{
		progress: newProgress(cmd.ErrOrStderr(), prefix+": adopt", "adopt", f.json || f.verbosity != 1),
		flags:    f, stdout: cmd.OutOrStdout(), prefix: prefix,
	}
}

// started is told how many schemas there are.
func (a *adoptReporter) started(schemas int) {
	a.start(schemas)
	if a.flags.json {
		_ = writeJSON(a.stdout, startLine{"start", schemas})
	}
}

// schema is told what became of one.
func (a *adoptReporter) schema(result adopt.Result) {
	a.add(result.Outcome == adopt.Refused)
	if result.Outcome == adopt.Adopted && !a.flags.options.DryRun {
		a.made++
	}
	if a.flags.json {
		_ = writeJSON(a.stdout, adoptSchema(result)) // the run goes on when nobody listens
	}
}

// unfinished is the error of a run that has ended before all schemas were looked at.
func (a *adoptReporter) unfinished(cmd *cobra.Command, err error) error {
	if a.made == 0 {
		return err
	}
	if cmd.Context().Err() != nil {
		err = migrate.ErrInterrupted
	}
	return fmt.Errorf("%w: %s registered before that; the same command again does what is left", err, schemas(a.made))
}

// report shows what was done.
func (a *adoptReporter) report(r *adopt.Report, took time.Duration) error {
	if a.flags.json {
		return a.writeLines(r, took)
	}
	for _, refused := range r.Refusals {
		fmt.Fprintf(a, "%s: %s\n", a.prefix, printableText(refused.Err.Error()))
	}
	if more := r.Refused - len(r.Refusals); more > 0 {
		fmt.Fprintf(a, "%s: %s more refused (the same with --dry-run --json names them)\n", a.prefix, schemas(more))
	}
	if a.flags.verbosity == 0 {
		return nil
	}
	w := &strings.Builder{}
	fmt.Fprintf(w, "from %s\n", r.Source)
	if len(r.Public) > 0 {
		fmt.Fprintln(w, "public")
		a.states(w, r.Public)
	}
	for _, g := range r.Groups {
		left := ""
		if g.Outcome == adopt.Left {
			left = ": left as it is"
			if g.Count > 1 {
				left = ": left as they are"
			}
		}
		fmt.Fprintln(w, a.whom(&g)+left)
		a.states(w, g.States)
	}
	if r.Ungrouped > 0 {
		fmt.Fprintf(w, "%s more, which have something else again\n", schemas(r.Ungrouped))
	}
	a.notes(w, r)
	if a.cut(r) {
		fmt.Fprintln(w, "not all schemas are named here: the same with --dry-run --json has a line for each")
	}
	fmt.Fprintf(w, "adopt: %s (%s)\n", adoptCounts(r), round(took))
	_, err := io.WriteString(a.stdout, printableText(w.String()))
	return err
}

// cut reports whether schemas are not named that -v does not name either.
func (a *adoptReporter) cut(r *adopt.Report) bool {
	return r.Ungrouped > 0 || r.Refused > len(r.Refusals) || r.Contradicted > len(r.Contradictions) || r.NewIDs > few ||
		slices.ContainsFunc(r.Groups, func(g adopt.Group) bool { return g.Count > a.most(&g) })
}

// most is how many schemas of a group are named.
func (a *adoptReporter) most(g *adopt.Group) int {
	if a.flags.verbosity > 1 {
		return len(g.Schemas)
	}
	return min(few, len(g.Schemas))
}

// whom names the schemas of a group.
func (a *adoptReporter) whom(g *adopt.Group) string {
	text := someNames(names(g.Schemas), g.Count, a.most(g))
	if g.Count == 1 {
		return text
	}
	return fmt.Sprintf("%s: %s", schemas(g.Count), text)
}

// states shows how far schemas are.
func (a *adoptReporter) states(w *strings.Builder, states []adopt.AppState) {
	for _, s := range states {
		fmt.Fprintf(w, "  %s\n", s)
		for _, d := range s.Differences {
			d.Object = printable(d.Object) // one line, whatever its name
			fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(d.String(), "\n", "\n    "))
		}
		if s.More > 0 {
			fmt.Fprintf(w, "    and %d differences more\n", s.More)
		}
	}
}

// notes shows what else there is to know.
func (a *adoptReporter) notes(w *strings.Builder, r *adopt.Report) {
	if len(r.Extra) > 0 {
		keys := slices.Sorted(maps.Keys(r.Extra))
		list := make([]string, 0, len(keys))
		for _, key := range keys {
			list = append(list, fmt.Sprintf("%s (%s)", key, schemas(r.Extra[key])))
		}
		others := ""
		if r.ExtraMore {
			others = ", and others"
		}
		fmt.Fprintf(w, "beyond the apps, left alone: %s%s\n", someNames(list, len(list), 10), others)
	}
	if len(r.Columns) > 0 {
		fmt.Fprintf(w, "columns copied: %s\n", strings.Join(printables(r.Columns), ", "))
	}
	if len(r.ColumnsLeft) > 0 {
		fmt.Fprintf(w, "columns not copied, cotenant.tenants has none of these names: %s\n", strings.Join(printables(r.ColumnsLeft), ", "))
	}
	if len(r.ColumnsOwn) > 0 {
		fmt.Fprintf(w, "columns not copied, cotenant keeps its own of these names: %s\n", strings.Join(r.ColumnsOwn, ", "))
	}
	if r.NewIDs > 0 {
		fmt.Fprintf(w, "ids: %d kept, %d new (theirs are taken, or no number that can be kept): what holds an old one must be changed: %s\n",
			r.KeptIDs, r.NewIDs, someNames(renumbered(r.Renumbered), r.NewIDs, few))
	}
	if r.NoKey && r.Adopted > 0 {
		fmt.Fprintln(w, "ids: all new, since the source's table has no primary key of one column of integers")
	}
	if unseen := r.Unseen(); len(unseen) > 0 {
		fmt.Fprintf(w, "recorded without proof, since they leave nothing that can be compared (see that they have run, or run them by hand): %s\n", strings.Join(unseen, ", "))
	}
	for _, c := range r.Contradictions {
		fmt.Fprintf(w, "there before, otherwise than in the source: %s: %s\n", c.Schema, c.Text)
	}
	if more := r.Contradicted - len(r.Contradictions); more > 0 {
		fmt.Fprintf(w, "there before, otherwise than in the source: %s more\n", schemas(more))
	}
	if len(r.Advanced) > 0 {
		fmt.Fprintf(w, "the files count on these sequences while they are built, some numbers are left out: %s\n", strings.Join(printables(r.Advanced), ", "))
	}
	if r.WWW+r.Ports > 0 {
		fmt.Fprintf(w, "domains: www. left out of %d, a port of %d\n", r.WWW, r.Ports)
	}
	for _, table := range r.DomainsLeft {
		fmt.Fprintf(w, "domains: those of %s are left out (to take them name it with --domains-table, and leave out --domain)\n", table)
	}
	if r.DomainsOfNobody > 0 {
		fmt.Fprintf(w, "domains of no tenant, left out: %d\n", r.DomainsOfNobody)
	}
	for _, owner := range slices.Sorted(maps.Keys(r.Owners)) {
		fmt.Fprintf(w, "owner: %s of %q; migrate and doctor tell how to give them to the migrator role\n", schemas(r.Owners[owner]), owner)
	}
	if r.Rowless > 0 {
		more := ""
		if n := r.Rowless - len(r.RowlessNames); n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		fmt.Fprintf(w, "schemas without a row, left alone: %s%s\n", strings.Join(printables(r.RowlessNames), ", "), more)
	}
	if r.Partial != nil {
		fmt.Fprintf(w, "only the newest states are known, since the migrations cannot be built from nothing: %v\n", r.Partial)
	}
}

// renumbered are tenants with their ids, the old one and the new one.
func renumbered(list []adopt.Renumbered) []string {
	texts := make([]string, len(list))
	for i, t := range list {
		texts[i] = fmt.Sprintf("%s %d → %d", t.Schema, t.From, t.To)
		if t.To == 0 {
			texts[i] = fmt.Sprintf("%s %d → a new one", t.Schema, t.From)
		}
	}
	return texts
}

// adoptCounts is the outcome in numbers.
func adoptCounts(r *adopt.Report) string {
	text := fmt.Sprintf("%d adopted, %d there before, %d left, %d refused", r.Adopted, r.There, r.Left, r.Refused)
	if r.DryRun {
		text = fmt.Sprintf("%d to adopt, %d there before, %d to leave, %d refused; nothing was written", r.Adopted, r.There, r.Left, r.Refused)
	}
	return text
}

// The lines of --json, as the help describes them.
type (
	adoptAppLine struct {
		App         string           `json:"app"`
		Name        string           `json:"name,omitempty"`
		Newest      bool             `json:"newest,omitempty"`
		Recorded    bool             `json:"recorded,omitempty"`
		Differences []differenceLine `json:"differences,omitempty"`
		More        int              `json:"more,omitempty"`
		Unseen      []string         `json:"unseen,omitempty"`
		Ungranted   string           `json:"ungranted,omitempty"`
	}
	adoptPublicLine struct {
		Type    string         `json:"type"`
		Apps    []adoptAppLine `json:"apps,omitempty"`
		Differs bool           `json:"differs,omitempty"`
	}
	adoptSchemaLine struct {
		Type          string               `json:"type"`
		Schema        string               `json:"schema"`
		Outcome       adopt.Outcome        `json:"outcome"`
		Error         string               `json:"error,omitempty"`
		Apps          []adoptAppLine       `json:"apps,omitempty"`
		Extra         []string             `json:"extra,omitempty"`
		Renumbered    *adoptRenumberedPart `json:"renumbered,omitempty"`
		Contradiction string               `json:"contradiction,omitempty"`
	}
	adoptRenumberedPart struct {
		From int64 `json:"from"`
		To   int64 `json:"to,omitempty"`
	}
	adoptSummaryLine struct {
		Type         string         `json:"type"`
		Source       string         `json:"source"`
		DryRun       bool           `json:"dry_run,omitempty"`
		Adopted      int            `json:"adopted"`
		There        int            `json:"there"`
		Left         int            `json:"left"`
		Refused      int            `json:"refused"`
		NoName       int            `json:"without_name,omitempty"`
		KeptIDs      int            `json:"kept_ids,omitempty"`
		NewIDs       int            `json:"new_ids,omitempty"`
		Columns      []string       `json:"columns,omitempty"`
		ColumnsLeft  []string       `json:"columns_left,omitempty"`
		Extra        map[string]int `json:"extra,omitempty"`
		Owners       map[string]int `json:"owners,omitempty"`
		Rowless      int            `json:"rowless,omitempty"`
		RowlessNames []string       `json:"rowless_schemas,omitempty"`
		Ports        int            `json:"ports,omitempty"`
		WWW          int            `json:"www,omitempty"`
		Partial      string         `json:"partial,omitempty"`
		ColumnsOwn   []string       `json:"columns_own,omitempty"`
		Unseen       []string       `json:"unseen,omitempty"`
		Advanced     []string       `json:"advanced,omitempty"`
		Contradicted int            `json:"contradicted,omitempty"`
		NoKey        bool           `json:"no_key,omitempty"`
		Claimed      int            `json:"claimed,omitempty"`
		DomainsLeft  []string       `json:"domains_left,omitempty"`
		Nobodys      int            `json:"domains_of_nobody,omitempty"`
		Seconds      float64        `json:"seconds"`
	}
)

func adoptApps(states []adopt.AppState) []adoptAppLine {
	var lines []adoptAppLine
	for _, s := range states {
		line := adoptAppLine{App: s.App, Name: s.Name, Newest: s.Newest, Recorded: s.Recorded, More: s.More, Unseen: s.Unseen, Ungranted: s.Ungranted}
		for _, d := range s.Differences {
			line.Differences = append(line.Differences, differenceLine{string(d.Change), d.Object, d.Parts, d.Reference, d.Schema})
		}
		lines = append(lines, line)
	}
	return lines
}

func adoptSchema(r adopt.Result) adoptSchemaLine {
	line := adoptSchemaLine{"schema", r.Name, r.Outcome, "", adoptApps(r.States), r.Extra, nil, r.Contradiction}
	if r.Err != nil {
		line.Error = r.Err.Error()
	}
	if r.Renumbered != nil {
		line.Renumbered = &adoptRenumberedPart{r.Renumbered.From, r.Renumbered.To}
	}
	return line
}

// writeLines writes the report as --json has it, behind the lines of the schemas.
func (a *adoptReporter) writeLines(r *adopt.Report, took time.Duration) error {
	lines := []any{adoptPublicLine{"public", adoptApps(r.Public), r.PublicDiffers}}
	partial := ""
	if r.Partial != nil {
		partial = r.Partial.Error()
	}
	lines = append(lines, adoptSummaryLine{
		"adopt_summary", r.Source, r.DryRun, r.Adopted, r.There, r.Left, r.Refused, r.NoName, r.KeptIDs, r.NewIDs, r.Columns, r.ColumnsLeft,
		r.Extra, r.Owners, r.Rowless, r.RowlessNames, r.Ports, r.WWW, partial,
		r.ColumnsOwn, r.Unseen(), r.Advanced, r.Contradicted, r.NoKey, r.Claimed,
		r.DomainsLeft, r.DomainsOfNobody, took.Seconds(),
	})
	for _, line := range lines {
		if err := writeJSON(a.stdout, line); err != nil {
			return err
		}
	}
	return nil
}
