package manage

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// jsonReporter writes one JSON object a line.
type jsonReporter struct {
	mu     sync.Mutex
	stdout io.Writer
	stderr io.Writer
	name   string
}

func newJSONReporter(cmd *cobra.Command) *jsonReporter {
	return &jsonReporter{stdout: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr(), name: cmd.Root().Name()}
}

// The lines, as the help describes them.
type (
	startLine struct {
		Type    string `json:"type"`
		Schemas int    `json:"schemas"`
	}
	fileLine struct {
		App  string `json:"app"`
		Name string `json:"name"`
	}
	schemaLine struct {
		Type    string     `json:"type"`
		Schema  string     `json:"schema"`
		Applied []fileLine `json:"applied,omitempty"`
		Differs []string   `json:"differs,omitempty"`
		Seconds float64    `json:"seconds"`
		Error   string     `json:"error,omitempty"`
	}
	summaryLine struct {
		Type          string        `json:"type"`
		Done          int           `json:"done"`
		Failed        int           `json:"failed"`
		Untouched     int           `json:"untouched"`
		Current       int           `json:"current"`
		Interrupted   int           `json:"interrupted,omitempty"`
		LeftToMigrate []string      `json:"left_to_migrate,omitempty"`
		LeftToSync    []string      `json:"left_to_sync,omitempty"`
		NotRun        []string      `json:"not_run,omitempty"`
		Orphans       []string      `json:"orphans,omitempty"`
		Retired       []retiredLine `json:"retired,omitempty"`
		Unguarded     string        `json:"unguarded,omitempty"`
		Seconds       float64       `json:"seconds"`
		Error         string        `json:"error,omitempty"`
	}
	retiredLine struct {
		App     string `json:"app"`
		Schemas int    `json:"schemas"`
	}
	stepLine struct {
		Action string   `json:"action"`
		App    string   `json:"app"`
		Name   string   `json:"name"`
		OrFake bool     `json:"or_fake,omitempty"`
		SQL    []string `json:"sql,omitempty"`
	}
	planLine struct {
		Type    string     `json:"type"`
		Count   int        `json:"count"`
		Schemas []string   `json:"schemas"`
		Steps   []stepLine `json:"steps,omitempty"`
		Differs []string   `json:"differs,omitempty"`
		Error   string     `json:"error,omitempty"`
	}
	summaryOfPlan struct {
		Type    string        `json:"type"`
		Behind  int           `json:"behind"`
		Stuck   int           `json:"stuck"`
		Differ  int           `json:"differ,omitempty"`
		Orphans []string      `json:"orphans,omitempty"`
		Retired []retiredLine `json:"retired,omitempty"`
	}
	migrationLine struct {
		App     string `json:"app"`
		Name    string `json:"name"`
		Applied bool   `json:"applied"`
		Faked   bool   `json:"faked"`
		Unknown bool   `json:"unknown"`
	}
	listLine struct {
		Type       string          `json:"type"`
		Schema     string          `json:"schema"`
		Migrations []migrationLine `json:"migrations"`
		Missing    bool            `json:"missing,omitempty"`
		Renamed    string          `json:"renamed,omitempty"`
		Orphan     bool            `json:"orphan,omitempty"`
	}
)

// writeJSON writes v as a line.
func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

func (j *jsonReporter) write(v any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	_ = writeJSON(j.stdout, v) // the run goes on when nobody listens
}

func retiredLines(apps []migrate.RetiredApp) (lines []retiredLine) {
	for _, a := range apps {
		lines = append(lines, retiredLine{a.App, a.Schemas})
	}
	return lines
}

func (j *jsonReporter) start(schemas int) { j.write(startLine{"start", schemas}) }

func (j *jsonReporter) result(r migrate.Result) {
	line := schemaLine{Type: "schema", Schema: r.Schema.String(), Differs: r.Differs, Seconds: r.Duration.Seconds()}
	for _, a := range r.Applied {
		line.Applied = append(line.Applied, fileLine{a.App, a.Name})
	}
	if r.Err != nil {
		line.Error = r.Err.Error()
	}
	j.write(line)
}

func (j *jsonReporter) note(text string) { fmt.Fprintf(j, "%s: %s\n", j.name, printableText(text)) }

// Write takes the lines of the log.
func (j *jsonReporter) Write(lines []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stderr.Write(lines)
}

func (j *jsonReporter) finish(report *migrate.Report, err error, took time.Duration) {
	line := summaryLine{
		Type: "summary", Done: report.Done, Failed: report.Failed, Interrupted: report.Interrupted, Untouched: report.Untouched, Current: report.Current,
		LeftToMigrate: report.LeftToMigrate, LeftToSync: report.LeftToSync, NotRun: report.NotRun, Orphans: report.Orphans, Retired: retiredLines(report.Retired), Unguarded: report.Unguarded, Seconds: took.Seconds(),
	}
	if err != nil {
		line.Error = err.Error()
	}
	j.write(line)
}

func (j *jsonReporter) end() {}

func (p planLine) with(g migrate.PlanGroup, sql bool) planLine {
	p.Type, p.Count, p.Schemas = "plan", g.Count, names(g.Schemas)
	p.Differs = g.Differs
	for _, s := range g.Steps {
		step := stepLine{Action: string(s.Action), App: s.App, Name: s.Name, OrFake: s.OrFake}
		if sql {
			step.SQL = s.SQL
		}
		p.Steps = append(p.Steps, step)
	}
	if g.Err != nil {
		p.Error = g.Err.Error()
	}
	return p
}

func names(schemas []tenant.Schema) []string {
	names := make([]string, len(schemas))
	for i, s := range schemas {
		names[i] = s.String()
	}
	return names
}
