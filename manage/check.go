package manage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/check"
	"github.com/cotenant/cotenant/migrate"
)

// checkFlags are the flags of check.
type checkFlags struct {
	databaseFlags
	checkURL string
	format   string
	noBuild  bool
	rules    bool
	strict   bool
	template string
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
reaches past the tenant. Then it builds them on a server, in databases of its own that it
drops in the end: schema.sql and the migrations of an app must make the same, rows
included, and each way back undo its migration. --no-build leaves that out, and needs no
server. APP limits what is told to one app, and APP/FILE to one file: shop/0004_index.

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
  %[1]s check --no-build                       without a server: for an editor
  %[1]s check --check-url=postgres://ci@localhost/postgres
  %[1]s check --rules`, name),
		RunE: func(cmd *cobra.Command, args []string) error { return p.check(cmd, &f, args) },
	}
	what := newGroup("What is told")
	what.flags.StringVar(&f.format, "format", "text", "`text`, json, sarif or github")
	what.flags.BoolVar(&f.rules, "rules", false, "list the rules, and look at nothing")
	what.flags.BoolVar(&f.strict, "strict", false, "exit with status 1 for warnings as well")
	how := newGroup("How")
	how.flags.BoolVar(&f.noBuild, "no-build", false, "look at the files alone, without a server")
	how.flags.StringVar(&f.checkURL, "check-url", "", "`URL` of the server to build on, whose login may create databases (or COTENANT_CHECK_URL; default that of the database)")
	how.flags.StringVar(&f.template, "template", "", "`database` that is copied to build in, with what the files take for granted (default an empty one)")
	groups := []flagGroup{what, how, f.group(p.config.Project)}
	if !p.config.Project {
		groups = append(groups, f.pathsGroup())
	}
	addGroups(cmd, checkLines, groups...)
	completeWords(cmd, "format", formats())
	cmd.ValidArgsFunction = p.completeFiles(&f.databaseFlags)
	return cmd
}

// checkLines is the part of the help about --format=json.
const checkLines = `
With --format=json there are these lines; keys that would be empty are left out:
  {"type":"finding","rule":"…","severity":"error","app":"…","file":"…","line":N,
   "message":"…","reason":"…","cure":"…"}
  {"type":"summary","errors":N,"warnings":N,"allowed":N,"files":N,"statements":N}
`

// pathsGroup is the flag of a program with its apps in itself that says where they are.
func (f *databaseFlags) pathsGroup() flagGroup {
	g := newGroup("Where the files are")
	g.flags.StringVar(&f.appsDir, "apps-dir", "", "`folder` of the apps from here, for the paths of findings (or COTENANT_APPS_DIR)")
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
	if !f.noBuild && f.checkServer() == "" {
		if err := s.fillDatabase(&config); err != nil {
			return fmt.Errorf("%w (or look at the files alone with --no-build)", err)
		}
	}
	pool, done, err := f.pool(cmd.Context(), &config)
	if err != nil {
		return err
	}
	defer done()
	report, err := check.Run(cmd.Context(), &check.Config{Migrate: filesOf(&config), Only: args, Pool: pool, Template: f.template})
	if errors.Is(err, check.ErrNoFile) {
		return usagef("%s", strings.TrimPrefix(err.Error(), "check: "))
	}
	if err != nil {
		return &openError{strings.TrimPrefix(err.Error(), "check: "), err}
	}
	if !report.Built && !f.noBuild {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: check: what the files build was not looked at: some are refused\n", p.config.name())
	}
	for i := range report.Findings {
		report.Findings[i].File = s.fromHere(report.Findings[i].File)
	}
	if err := writeReport(cmd.OutOrStdout(), report, f.format); err != nil {
		return err
	}
	return failed(report, f.strict)
}

// checkServer is the server that the files are built on; empty if it is that of the database.
func (f *checkFlags) checkServer() string { return cmp.Or(f.checkURL, os.Getenv("COTENANT_CHECK_URL")) }

// pool leads to the server that the files are built on. It is nil where they are not; done
// closes it if it is ours.
func (f *checkFlags) pool(ctx context.Context, config *cotenant.Config) (pool *pgxpool.Pool, done func(), err error) {
	url := cmp.Or(f.checkServer(), config.DirectURL, config.DatabaseURL)
	switch {
	case f.noBuild:
		return nil, func() {}, nil
	case url == "":
		pool, err = pgxpool.NewWithConfig(ctx, config.Pool.Copy())
	default:
		if err := checkURL(url, "--check-url"); err != nil {
			return nil, nil, err
		}
		pool, err = pgxpool.New(ctx, url)
	}
	if err != nil {
		return nil, nil, err
	}
	return pool, pool.Close, nil
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
		shown := *report
		shown.Findings = slices.Clone(report.Findings)
		for i := range shown.Findings { // the files may name anything, and errors of the server do
			f := &shown.Findings[i]
			f.File, f.Message, f.Reason, f.Cure = printable(f.File), printableText(f.Message), printableText(f.Reason), printableText(f.Cure)
		}
		colours := newPaint(w)
		return shown.WriteText(w, func(s check.Severity) string { return colours.severity(string(s), string(s)) })
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
