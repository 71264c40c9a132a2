package check

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/migrate"
)

// Config says what Run looks at.
type Config struct {
	// Migrate has the apps, and the extra schemas on the path. Nil is no apps.
	Migrate *migrate.Config
	// Only has Run tell of these apps alone, or files: shop, shop/0004_index. All others
	// are read, since what they make matters. Defaults to all.
	Only []string
	// Others are what other checks found of the same files, such as Builds. Comments
	// allow those findings as well, and they are in the report. Nil says that there was no
	// other check: comments that allow rules of Builds are then left alone.
	Others []Finding
	// Pool leads to a server that the files are built on, too: see Builds. Nil has Run look at
	// the files alone, and need no server.
	Pool *pgxpool.Pool
	// Template is that of BuildOptions.
	Template string
}

// Report is what Run found.
type Report struct {
	// Findings are in the order of the files and their lines.
	Findings []Finding
	// Files and Statements are how many were looked at.
	Files, Statements int
	// Allowed is how many findings comments have silenced.
	Allowed int
	// Built is whether the files were built, too: Config.Pool was given, and New refuses
	// none of them.
	Built bool
}

// Count returns how many findings are of a severity.
func (r *Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Failed reports whether a check fails: by an error, or, where it is strict, by any
// finding.
func (r *Report) Failed(strict bool) bool {
	return r.Count(Error) > 0 || strict && len(r.Findings) > 0
}

// Run looks at the files of all apps, and, with Config.Pool, at what they build. The error is
// about Config, the server, or the end of ctx; whatever is wrong with the files is a finding.
func Run(ctx context.Context, config *Config) (*Report, error) {
	if config == nil {
		config = &Config{}
	}
	m := config.Migrate
	if m == nil {
		m = &migrate.Config{}
	}
	if err := config.validate(m); err != nil {
		return nil, err
	}
	files, faults, err := read(m)
	if err != nil {
		return nil, err
	}
	if err := config.validateFiles(files, faults); err != nil {
		return nil, err
	}
	c := newChecker(m, parse(files, faults))
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	report := &Report{Files: len(files), Built: config.Pool != nil && len(faults) == 0}
	others := config.Others
	if report.Built {
		built, err := Builds(ctx, config.Pool, &BuildOptions{Migrate: m, Template: config.Template})
		if err != nil {
			return nil, err
		}
		others = slices.Concat([]Finding{}, others, built)
	}
	for _, f := range c.files {
		report.Statements += len(f.statements)
	}
	findings := faultFindings(faults)
	c.take(others)
	kept, allowed := c.silence(others != nil)
	report.Allowed = allowed
	for _, f := range append(findings, kept...) {
		if config.wants(f) && !slices.Contains(report.Findings, f) { // an app that is shared and a tenant's is read twice
			report.Findings = append(report.Findings, f)
		}
	}
	c.sort(report.Findings)
	return report, nil
}

// validate refuses names in Only that mean nothing.
func (c *Config) validate(m *migrate.Config) error {
	for _, only := range c.Only {
		app, _, _ := strings.Cut(only, "/")
		is := func(a migrate.App) bool { return a.Name == app }
		if !slices.ContainsFunc(m.SharedApps, is) && !slices.ContainsFunc(m.TenantApps, is) {
			return fmt.Errorf("check: Config.Only: there is no app %q (name one of the apps, or app/file)", app)
		}
	}
	return nil
}

// take adds the findings of another check, but for what is found by name already: Builds
// does not know where the names are.
func (c *checker) take(others []Finding) {
	for _, f := range others {
		known := func(name string) bool { return strings.Contains(f.Message, " "+name+": ") }
		if f.Rule == hidesShared().Name && slices.ContainsFunc(c.hiding, known) {
			continue
		}
		one := found{Finding: f}
		for _, file := range c.files {
			if f.File == "" || file.Path != f.File {
				continue
			}
			i := slices.IndexFunc(file.statements, func(s statement) bool { return s.Line == f.Line })
			if i >= 0 {
				one.file, one.stmt = file, &file.statements[i]
				break
			}
			if one.file == nil {
				one.file = file
			}
		}
		c.found = append(c.found, one)
	}
}

// faultFindings are what New refuses.
func faultFindings(faults []migrate.FileFault) []Finding {
	var findings []Finding
	for _, f := range faults {
		r := refused()
		findings = append(findings, Finding{Rule: r.Name, Severity: r.Severity, App: f.App, File: f.Path, Line: f.Line, Message: f.Text, Reason: r.Reason, Cure: r.Cure})
	}
	return findings
}

// sort brings findings into the order of the files, those of no file first.
func (c *checker) sort(findings []Finding) {
	order := map[string]int{}
	for i, f := range c.files {
		if _, ok := order[f.Path]; !ok {
			order[f.Path] = i + 1
		}
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(order[a.File]-order[b.File], strings.Compare(a.File, b.File), a.Line-b.Line, strings.Compare(a.Rule, b.Rule), strings.Compare(a.Message, b.Message))
	})
}
