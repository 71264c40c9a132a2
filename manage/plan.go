package manage

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// lookFlags are the flags that have a command look and change nothing.
type lookFlags struct {
	check bool
	plan  bool
	sql   bool // of migrate alone: what sync creates is known when it is there
}

func (f *lookFlags) add(g flagGroup) {
	g.flags.BoolVar(&f.plan, "plan", false, "say what would be done where; change nothing")
	g.flags.BoolVar(&f.check, "check", false, "exit with status 1 if a schema is behind; change nothing")
}

// checkUsage refuses flags that matter where something is changed.
func (f *lookFlags) checkUsage(cmd *cobra.Command) error {
	for _, look := range []string{"plan", "check"} {
		for _, how := range howFlags() {
			if err := (conflict{look, how, "--" + look + " changes nothing"}).check(cmd); err != nil {
				return err
			}
		}
	}
	return nil
}

// plan says what would be done, and with --check fails if that is anything.
func (p *program) plan(cmd *cobra.Command, f *runFlags, look lookFlags, app string, ask func(context.Context, *migrate.Fleet) (*migrate.Plan, error)) error {
	tenancy, err := p.connect(cmd.Context(), cmd, f, app, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer tenancy.Close()
	plan, err := ask(cmd.Context(), tenancy.Fleet())
	if err != nil {
		return asUsage(err)
	}
	behind, stuck, differ := 0, 0, 0
	for _, g := range plan.Groups {
		switch {
		case g.Err != nil:
			stuck += g.Count
		case len(g.Steps) > 0:
			behind += g.Count
		}
		if len(g.Differs) > 0 {
			differ += g.Count
		}
	}
	if look.plan && f.verbosity > 0 {
		if err := writePlan(cmd.OutOrStdout(), plan, f.json, look.sql); err != nil {
			return err
		}
	}
	if f.json {
		if err := writeJSON(cmd.OutOrStdout(), summaryOfPlan{"plan_summary", behind, stuck, differ, plan.Orphans, retiredLines(plan.Retired)}); err != nil {
			return err
		}
	} else if f.verbosity > 0 {
		for _, g := range plan.Groups {
			if !look.plan && dberr.Code(g.Err) == dberr.InsufficientPrivilege { // the plan would say no more
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", cmd.Root().Name(), printableText(g.Err.Error()))
			}
		}
		for _, app := range plan.Retired {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", cmd.Root().Name(), printable(app.String()))
		}
		for _, text := range orphans(plan.Orphans) {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", cmd.Root().Name(), text)
		}
	}
	switch {
	case look.check && behind+stuck+differ > 0:
		cure := cure(cmd)
		switch {
		case stuck > 0:
			cure = "--plan says why those are stuck"
		case differ > 0:
			cure = "--plan --verify says how; what differs needs a migration"
		}
		return fmt.Errorf("--check: %s (%s)", behindText(behind, stuck, differ), cure)
	case look.check && !look.plan && !f.json && f.verbosity > 0:
		fmt.Fprintln(cmd.OutOrStdout(), cmd.Name()+": every schema is up to date")
	}
	return nil
}

// cure is the command line that brings schemas up to date.
func cure(cmd *cobra.Command) string {
	text := "run " + cmd.CommandPath()
	if also := cmd.Flags().Lookup("migrate"); also != nil && also.Changed {
		text += " --migrate"
	}
	return text
}

func behindText(behind, stuck, differ int) string {
	var parts []string
	if behind > 0 {
		parts = append(parts, schemas(behind)+" behind")
	}
	if stuck > 0 {
		parts = append(parts, schemas(stuck)+" stuck")
	}
	if differ > 0 {
		parts = append(parts, schemas(differ)+" otherwise than schema.sql")
	}
	return strings.Join(parts, ", ")
}

func writePlan(w io.Writer, plan *migrate.Plan, asJSON, sql bool) error {
	for _, g := range plan.Groups {
		if asJSON {
			if err := writeJSON(w, planLine{}.with(g, sql)); err != nil {
				return err
			}
			continue
		}
		if _, err := io.WriteString(w, groupText(g, sql)); err != nil {
			return err
		}
	}
	return nil
}

// list names the first of n schemas.
func list(schemas []tenant.Schema, n int) string {
	const most = 5
	return someNames(names(schemas), n, most)
}

// groupText is a group as people read it.
func groupText(g migrate.PlanGroup, sql bool) string {
	who := list(g.Schemas, g.Count)
	if g.Count > 1 {
		who = fmt.Sprintf("%s: %s", schemas(g.Count), who)
	}
	var b strings.Builder
	switch {
	case g.Err != nil:
		fmt.Fprintf(&b, "%s\n  stuck: %s\n", who, printableText(g.Err.Error()))
	case len(g.Steps)+len(g.Differs) == 0:
		fmt.Fprintf(&b, "%s\n  up to date\n", who)
	default:
		fmt.Fprintln(&b, who)
	}
	for _, s := range g.Steps {
		fmt.Fprintf(&b, "  %-8s %s/%s", s.Action, s.App, s.Name)
		if s.OrFake {
			b.WriteString(", or fake where its tables are there")
		}
		b.WriteByte('\n')
		for _, statement := range s.SQL {
			if sql {
				fmt.Fprintf(&b, "      %s;\n", strings.ReplaceAll(strings.TrimRight(statement, "; \n"), "\n", "\n      "))
			}
		}
	}
	for _, d := range g.Differs {
		fmt.Fprintf(&b, "  %-8s %s\n", "differs", d)
	}
	return b.String()
}
