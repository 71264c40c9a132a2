package manage

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/check"
	"github.com/cotenant/cotenant/migrate"
)

// checkFlags are the flags of check.
type checkFlags struct {
	databaseFlags
	format string
	rules  bool
	strict bool
}

// formats are how check can write a report.
func formats() []string { return []string{"text", "json", "sarif", "github"} }

func (p *program) checkCommand() *cobra.Command {
	name := p.config.name()
	var f checkFlags
	cmd := &cobra.Command{
		Use:     "check [APP | APP/FILE]…",
		GroupID: schemasGroup,
		Short:   "Look for what is wrong with the files of the apps, before they run",
		Long: `Check reads the schema.sql and the migrations of every app with PostgreSQL's grammar, and
tells what blocks tables that are in use, what fails in schemas that have rows, and what
reaches past the tenant. It needs no database. APP limits what is told to one app, and
APP/FILE to one file: shop/0004_index.

Each finding has the rule, the reason and the cure; --rules lists them all. A comment
silences a rule for the statement that it stands before, or at the end of:

  -- cotenant:allow index-blocks-writes: the table is small in every schema

Above the first statement, and apart from it by an empty line, it is for the whole file.
It can be added to a migration that ran: it is no part of what is compared.

The exit status is 0 if nothing is found but warnings, 1 if there is an error (with
--strict also for a warning), 2 for wrong usage.`,
		Example: fmt.Sprintf(`  %[1]s check
  %[1]s check shop --strict
  %[1]s check --format=github                  in a workflow: at the lines of a pull request
  %[1]s check --format=sarif >cotenant.sarif   for code scanning
  %[1]s check --rules`, name),
		RunE: func(cmd *cobra.Command, args []string) error { return p.check(cmd, &f, args) },
	}
	what := newGroup("What is told")
	what.flags.StringVar(&f.format, "format", "text", "`text`, json, sarif or github")
	what.flags.BoolVar(&f.rules, "rules", false, "list the rules, and look at nothing")
	what.flags.BoolVar(&f.strict, "strict", false, "exit with status 1 for warnings as well")
	addGroups(cmd, checkLines, what, f.appsGroup(p.config.Project))
	return cmd
}

// checkLines is the part of the help about --format=json.
const checkLines = `
With --format=json there are these lines; keys that would be empty are left out:
  {"type":"finding","rule":"…","severity":"error","app":"…","file":"…","line":N,
   "message":"…","reason":"…","cure":"…"}
  {"type":"summary","errors":N,"warnings":N,"allowed":N,"files":N,"statements":N}
`

// appsGroup are the flags that lead to the files.
func (f *databaseFlags) appsGroup(project bool) flagGroup {
	g := newGroup("Which apps")
	if !project { // they are in the program
		g.flags.StringVar(&f.appsDir, "apps-dir", "", "`folder` of the apps from here, for the paths of findings (or COTENANT_APPS_DIR)")
		return g
	}
	g.flags.StringVar(&f.config, "config", "", "`file` of the project (or COTENANT_CONFIG; default cotenant.toml, here or above)")
	g.flags.StringVar(&f.appsDir, "apps-dir", "", "`folder` of the apps (or COTENANT_APPS_DIR; default apps, beside cotenant.toml)")
	return g
}

// check looks at the files, and writes what it found.
func (p *program) check(cmd *cobra.Command, f *checkFlags, args []string) error {
	if !slices.Contains(formats(), f.format) {
		return usagef("--format is %q (give it one of %s)", f.format, strings.Join(formats(), ", "))
	}
	if f.rules {
		if len(args) > 0 {
			return usagef("--rules and %s exclude each other (the rules are the same for all)", args[0])
		}
		return writeRules(cmd.OutOrStdout())
	}
	s, err := p.settings(cmd, &f.databaseFlags)
	if err != nil {
		return err
	}
	config := p.config.Tenancy
	for _, fill := range []func(*cotenant.Config) error{p.fillApps(s), s.fillPaths, s.fillEngine} {
		if err := fill(&config); err != nil {
			return err
		}
	}
	for _, arg := range args {
		if app, _, _ := strings.Cut(arg, "/"); !hasApp(&config, app) {
			return usagef("there is no app %q%s", app, didYouMean("", app, slices.Values(appNames(&config))))
		}
	}
	report, err := check.Run(cmd.Context(), &check.Config{Migrate: filesOf(&config), Only: args})
	if err != nil {
		return err
	}
	for i := range report.Findings {
		report.Findings[i].File = s.fromHere(report.Findings[i].File)
	}
	if err := writeReport(cmd.OutOrStdout(), report, f.format); err != nil {
		return err
	}
	return failed(report, f.strict)
}

// filesOf are the apps of a tenancy.
func filesOf(config *cotenant.Config) *migrate.Config {
	m := *config.Migrate
	m.SharedApps, m.TenantApps = config.SharedApps, config.TenantApps
	if m.ExtraSchemas == nil {
		m.ExtraSchemas = config.DB.ExtraSchemas
	}
	return &m
}

func appNames(config *cotenant.Config) []string {
	var names []string
	for _, app := range slices.Concat(config.SharedApps, config.TenantApps) {
		names = append(names, app.Name)
	}
	return names
}

// fromHere is the path of an app's file from the working directory, or, of a program with
// its apps in itself, from where COTENANT_APPS_DIR is.
func (s *settings) fromHere(file string) string {
	if file == "" {
		return ""
	}
	file = filepath.Join(cmp.Or(s.appsPath, s.AppsDir), filepath.FromSlash(file))
	if rel, err := filepath.Rel(s.wd, file); err == nil && filepath.IsAbs(file) {
		file = rel
	}
	return filepath.ToSlash(file)
}

func writeReport(w io.Writer, report *check.Report, format string) error {
	switch format {
	case "json":
		return report.WriteJSON(w)
	case "sarif":
		return report.WriteSARIF(w)
	case "github":
		return report.WriteGitHub(w)
	default:
		return report.WriteText(w)
	}
}

// failed is the error about a report that does not pass.
func failed(report *check.Report, strict bool) error {
	if !report.Failed(strict) {
		return nil
	}
	if report.Count(check.Error) == 0 {
		return errors.New("there are warnings, which --strict does not let pass (see above)")
	}
	return errors.New("there are errors (see above; a comment -- cotenant:allow RULE lets one pass)")
}

// writeRules lists the rules as people read them.
func writeRules(w io.Writer) error {
	var text strings.Builder
	for _, r := range check.Rules() {
		fmt.Fprintf(&text, "%s (%s): %s\n    reason: %s\n    cure:   %s\n", r.Name, r.Severity, r.About, r.Reason, r.Cure)
	}
	_, err := io.WriteString(w, text.String())
	return err
}
