package manage

import (
	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/migrate"
)

// runFlags are the flags of a run over many schemas: which, how, and what is said about it.
type runFlags struct {
	databaseFlags
	selectFlags
	outputFlags
	options migrate.RunOptions
}

// howFlags are those of runFlags that only matter where something is changed.
func howFlags() []string { return []string{"jobs", "canary", "fail-fast", "max-failures"} }

func (f *runFlags) groups(project bool) []flagGroup {
	g := newGroup("How")
	o := &f.options
	g.flags.IntVar(&o.Jobs, "jobs", 0, "work on `N` schemas at a time (default 4, fewer where the server is short of connections)")
	g.flags.IntVar(&o.Canary, "canary", 0, "`N` tenants' schemas go first; if one of them fails, the others are not touched")
	g.flags.BoolVar(&o.FailFast, "fail-fast", false, "begin no more schemas when one has failed (default: the others go on)")
	g.flags.IntVar(&o.MaxFailures, "max-failures", 0, "begin no more schemas when more than `N` have failed (default: no limit)")
	g.flags.BoolVar(&o.Verify, "verify", false, "read the history of every schema, and do not rely on the index of them, cotenant.schema_versions")
	return []flagGroup{f.selectFlags.group(), g, f.outputFlags.group(), f.databaseFlags.group(project)}
}

// check refuses flags that cannot be meant, and completes the options.
func (f *runFlags) check(cmd *cobra.Command) error {
	if err := f.selectFlags.check(cmd); err != nil {
		return err
	}
	for flag, n := range map[string]int{"jobs": f.options.Jobs, "canary": f.options.Canary, "max-failures": f.options.MaxFailures} {
		if cmd.Flags().Changed(flag) && n < 1 {
			return usagef("--%s is %d (give it 1 or more, or leave it out)", flag, n)
		}
	}
	c := conflict{"fail-fast", "max-failures", "--fail-fast ends at the first failure already"}
	if err := c.check(cmd); err != nil {
		return err
	}
	f.options.Selection = f.selection
	return f.outputFlags.check(cmd)
}

// outputFlags say what is printed.
type outputFlags struct {
	json      bool
	quiet     bool
	verbosity int
}

func (f *outputFlags) group() flagGroup {
	g := newGroup("What is printed")
	g.flags.BoolVar(&f.json, "json", false, "one JSON object a line, for programs")
	g.flags.BoolVarP(&f.quiet, "quiet", "q", false, "errors only; the same as --verbosity=0")
	g.flags.CountVarP(&f.verbosity, "verbosity", "v", "0 prints errors only, 1 the outcome, 2 (-v) a line a schema, 3 (-vv) the log, too")
	f.verbosity = 1
	g.flags.Lookup("verbosity").DefValue = "1"
	return g
}

func (f *outputFlags) check(cmd *cobra.Command) error {
	for _, c := range []conflict{
		{"quiet", "verbosity", "leave one out"},
		{"quiet", "json", "--json prints nothing for people"},
	} {
		if err := c.check(cmd); err != nil {
			return err
		}
	}
	if f.verbosity < 0 || f.verbosity > 3 {
		return usagef("--verbosity is %d (give it 0 to 3)", f.verbosity)
	}
	if f.quiet {
		f.verbosity = 0
	}
	return nil
}
