package manage

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/doctor"
)

// doctorFlags are the flags of doctor.
type doctorFlags struct {
	databaseFlags
	outputFlags
	fix       bool
	patience  time.Duration
	processes int
	skip      []string
	yes       bool
}

func (p *program) doctorCommand() *cobra.Command {
	name := p.config.name()
	var f doctorFlags
	cmd := &cobra.Command{
		Use:     "doctor",
		GroupID: schemasGroup,
		Short:   "Say what is broken in the database, and what will hurt",
		Long: `Doctor looks at the database and says what is broken (errors), what will hurt
(warnings) and what is good to know (notes): each with the reason and the cure. What is the
matter in many schemas alike is told once. It reads the catalog and cotenant's own tables,
no others, and changes nothing.

--fix mends what is safe to mend: rows that are left of tenants and schemas that are gone,
and indexes that an interrupted REINDEX CONCURRENTLY has left. It lists what it would do and
asks; --yes says so beforehand, where there is no terminal. Each thing is looked at again
before it is mended, in a transaction of its own.

The exit status is 1 if there is an error, or something could not be mended; warnings and
notes leave it at 0. It is 2 for wrong usage.`,
		Example: fmt.Sprintf(`  %[1]s doctor
  %[1]s doctor --processes=12          and do 12 processes fit into max_connections?
  %[1]s doctor --skip=table-without-primary-key,timeouts
  %[1]s doctor --fix                   mend what is safe, after a question
  %[1]s doctor --fix --yes --json      in a script`, name),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.doctor(cmd, &f) },
	}
	what := newGroup("What is done")
	what.flags.BoolVar(&f.fix, "fix", false, "mend what is safe to mend, after a question")
	what.flags.BoolVar(&f.yes, "yes", false, "with --fix: do not ask")
	how := newGroup("What is looked at")
	how.flags.StringSliceVar(&f.skip, "skip", nil, "leave out the `check` of this name (repeatable)")
	how.flags.IntVar(&f.processes, "processes", 0, "the program runs in `N` processes (default 1)")
	how.flags.DurationVar(&f.patience, "patience", 0, "say nothing of transactions that are younger than this `time` (default 5m)")
	printed := newGroup("What is printed")
	printed.flags.BoolVar(&f.json, "json", false, "one JSON object a line, for programs")
	printed.flags.BoolVarP(&f.quiet, "quiet", "q", false, "errors only; the same as --verbosity=0")
	printed.flags.CountVarP(&f.verbosity, "verbosity", "v", "0 errors only, 1 all findings, 2 also which checks found nothing (-v)")
	f.verbosity = 1
	printed.flags.Lookup("verbosity").DefValue = "1"
	addGroups(cmd, doctorLines, what, how, printed, f.databaseFlags.group(p.config.Project))
	completeWords(cmd, "skip", doctor.Checks())
	return cmd
}

// doctorLines are the lines of --json, at the end of the help.
const doctorLines = `
With --json there are these lines, the summary last; keys that would be empty are left out:
  {"type":"finding","check":"…","severity":"error","subject":"…","message":"…",
   "reason":"…","cure":"…","fix":"SQL","count":N,"schemas":["…"]}
  {"type":"fix","check":"…","subject":"…","sql":"…","error":"…"}
  {"type":"summary","errors":N,"warnings":N,"notes":N,"checks":N,"tenants":N,
   "mended":N,"left":N,"seconds":S}
`

// check refuses what cannot be meant.
func (f *doctorFlags) check(cmd *cobra.Command) error {
	for flag, bad := range map[string]bool{"processes": f.processes < 1, "patience": f.patience <= 0} {
		if cmd.Flags().Changed(flag) && bad {
			return usagef("--%s is %s (give it more than 0, or leave it out)", flag, cmd.Flags().Lookup(flag).Value)
		}
	}
	for _, name := range f.skip {
		known := doctor.Checks()
		if !slices.Contains(known, name) {
			return usagef("--skip: there is no check %q%s", name, cmp.Or(didYouMean("", name, slices.Values(known)), " (the checks are "+strings.Join(known, ", ")+")"))
		}
	}
	switch {
	case f.yes && !f.fix:
		return usagef("--yes is the answer to what --fix asks (add --fix)")
	case f.fix && !f.yes && f.json:
		return usagef("--fix asks first, and --json is for programs (add --yes)")
	case f.fix && !f.yes && newPrompter(cmd) == nil:
		return usagef("--fix asks first, and the standard input is no terminal (add --yes)")
	}
	return f.outputFlags.check(cmd)
}

func (p *program) doctor(cmd *cobra.Command, f *doctorFlags) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	ctx := cmd.Context()
	settings, err := p.tenancyConfig(cmd, &f.databaseFlags)
	if err != nil {
		return err
	}
	tenancy, err := p.open(ctx, settings)
	if err != nil {
		return err
	}
	defer tenancy.Close()
	config := f.config(settings, tenancy)
	report, err := doctor.Examine(ctx, config)
	if err != nil {
		return err
	}
	if err := f.writeReport(cmd.OutOrStdout(), report); err != nil {
		return err
	}
	var done outcomes
	if f.fix {
		err = f.mend(cmd, config, report, &done)
	}
	if f.json {
		err = errors.Join(err, writeJSON(cmd.OutOrStdout(), newSummaryOfDoctor(report, done)))
	}
	if err != nil {
		return err
	}
	var left []string
	if n := report.Count(doctor.Error); n > 0 {
		left = append(left, plural(n, "error"))
	}
	if done.left > 0 {
		left = append(left, fmt.Sprintf("%d not mended", done.left))
	}
	if len(left) > 0 {
		return fmt.Errorf("%s (see above)", strings.Join(left, ", "))
	}
	return nil
}

// config is what the flags and the settings say.
func (f *doctorFlags) config(settings *cotenant.Config, tenancy *cotenant.Tenancy) *doctor.Config {
	c := &doctor.Config{
		Connect: tenancy.Connect, DB: tenancy.DB(), Fleet: tenancy.Fleet(), MaxConns: tenancy.MaxConns(),
		Patience: f.patience, Processes: f.processes, Skip: f.skip,
	}
	if settings.DB != nil {
		c.ExtraSchemas = settings.DB.ExtraSchemas
	}
	if settings.Migrate != nil {
		c.MigratorRole = settings.Migrate.MigratorRole
	}
	if settings.Registry != nil {
		c.TenantsTable, c.DomainsTable = settings.Registry.TenantsTable, settings.Registry.DomainsTable
	}
	return c
}

// outcomes counts what was mended, and what was left.
type outcomes struct{ mended, left int }

// mend lists what it would do, asks, and does it.
func (f *doctorFlags) mend(cmd *cobra.Command, config *doctor.Config, report *doctor.Report, done *outcomes) error {
	fixes := slices.DeleteFunc(slices.Clone(report.Findings), func(found doctor.Finding) bool { return found.Fix == "" })
	if !f.json && (f.verbosity > 0 || !f.yes) {
		f.writeFixes(cmd.OutOrStdout(), fixes)
	}
	if len(fixes) == 0 {
		return nil
	}
	if !f.yes {
		yes, err := asked(cmd)
		if err != nil {
			return err
		}
		if !yes {
			fmt.Fprintln(cmd.OutOrStdout(), "nothing was changed")
			return nil
		}
	}
	var printed error
	err := doctor.Fix(cmd.Context(), config, report, func(fixed doctor.Fixed) {
		if fixed.Err == nil {
			done.mended++
		} else {
			done.left++
		}
		printed = errors.Join(printed, f.writeFixed(cmd.OutOrStdout(), fixed))
	})
	if !f.json && f.verbosity > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "doctor: %d mended\n", done.mended)
	}
	return errors.Join(err, printed)
}

// asked asks whether to mend. No answer is no.
func asked(cmd *cobra.Command) (bool, error) {
	answer, err := newPrompter(cmd).ask("Mend these? [y/N] ")
	switch strings.ToLower(answer) {
	case "y", "yes":
		return true, err
	}
	return false, err
}
