package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/drift"
	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/tenant"
)

// driftFlags are the flags of drift.
type driftFlags struct {
	runFlags
	compare drift.Options
	like    string
}

func (p *program) driftCommand() *cobra.Command {
	name := p.config.name()
	var f driftFlags
	cmd := &cobra.Command{
		Use:     "drift",
		GroupID: schemasGroup,
		Short:   "Find what schemas have otherwise than they should",
		Long: `Drift reads the tables, columns, constraints, indexes, types, functions, triggers, views,
policies and all else of every tenant's schema from PostgreSQL's catalog, and compares
them with a schema that it builds from the files of the tenant apps, in a transaction
that is rolled back. Nothing is changed. Schemas that are not migrated yet differ:
"` + name + ` migrate --check" finds those.

Schemas that have the same are shown together, with what they have otherwise:
  - index orders_placed_idx ON orders …     they lack it
  + column orders.note text                 they have it in addition
  ~ column orders.total: integer → bigint   it is integer where it is built, bigint there

Left out, unless a flag says otherwise, are the order of columns, which is another where
one was added later, comments, and access: owners and privileges. Where a hook makes
things in new schemas, or the migrations cannot run, --majority compares with what most
schemas have, and --like with one of them.

--repair prints SQL that creates what schemas lack, and enables triggers and foreign keys
that are off: a transaction for each schema, which finds the schema's tables, and makes
things as the role that migrates it. It is to be read, and then run as it is: psql -f
repair.sql. What else schemas have in addition, or otherwise, stands in it as comments.
This command never runs it.

--shared compares public with what the shared apps build, but for extensions.

The exit status is 0 if all schemas are as they should be, 1 if one differs, is missing
or cannot be read, or if something failed, 2 for wrong usage.`,
		Example: fmt.Sprintf(`  %[1]s drift                          every tenant, beside a fresh build
  %[1]s drift --schema='eu_*'          some of them
  %[1]s drift --majority --access      owners and privileges, beside what most have
  %[1]s drift --like=acme              beside the schema acme
  %[1]s drift --shared                 public
  %[1]s drift --repair >repair.sql     SQL for what is missing`, name),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.drift(cmd, &f) },
	}
	addGroups(cmd, driftLines, f.groups(p.config.Project)...)
	p.completeSchemas(cmd, &f.databaseFlags, 0)
	return cmd
}

// driftLines are the lines of --json, at the end of the help.
const driftLines = `
What --json prints (a key that would be empty is left out):
  {"type":"start","schemas":N}
  {"type":"group","count":N,"schemas":["…"],"fingerprint":"…","differences":[
   {"change":"missing, extra or different","object":"…","parts":N,"reference":"…",
   "schema":"…"}],"more":N,"repair":"…","error":"…"}
  {"type":"missing","schema":"…"}
  {"type":"unreadable","schema":"…","error":"…"}
  {"type":"drift_summary","reference":"…","fingerprint":"…","same":N,"differ":N,
   "unlisted":N,"missing":N,"unreadable":N,"seconds":S}
A group is of schemas that have the same; its schemas are the first hundred of count.
`

func (f *driftFlags) groups(project bool) []flagGroup {
	what := newGroup("What is compared")
	what.flags.BoolVar(&f.compare.Access, "access", false, "owners and privileges, too")
	what.flags.BoolVar(&f.compare.ColumnOrder, "column-order", false, "the order of columns, too")
	what.flags.BoolVar(&f.compare.Comments, "comments", false, "comments, too")
	with := newGroup("With what (default a fresh build)")
	with.flags.StringVar(&f.like, "like", "", "with the schema of this `name`")
	with.flags.BoolVar(&f.compare.Majority, "majority", false, "with what most of the schemas have")
	which := f.selectFlags.group()
	which.title = "Which schemas (default every tenant's)"
	how := newGroup("How")
	how.flags.IntVar(&f.compare.Jobs, "jobs", 0, "read `N` schemas at a time (default 4)")
	output := f.outputFlags.group()
	output.flags.BoolVar(&f.compare.Repair, "repair", false, "SQL that creates what is missing, in place of the differences")
	output.flags.Lookup("verbosity").Usage = "0 prints errors only, 1 what differs, 2 (-v) more names of schemas, 3 (-vv) the log, too"
	return []flagGroup{what, with, which, how, output, f.databaseFlags.group(project)}
}

// checkUsage refuses flags that cannot be meant, and completes the options.
func (f *driftFlags) checkUsage(cmd *cobra.Command) error {
	if cmd.Flags().Changed("jobs") && f.compare.Jobs < 1 {
		return usagef("--jobs is %d (give it 1 or more, or leave it out)", f.compare.Jobs)
	}
	if err := f.selectFlags.check(cmd); err != nil {
		return err
	}
	if err := f.outputFlags.check(cmd); err != nil {
		return err
	}
	public := tenant.PublicSchema().String()
	if slices.Equal(f.selection.Schemas, []string{public}) {
		f.selection.Schemas, f.selection.Shared = nil, true
	}
	if slices.Contains(f.selection.Schemas, public) {
		return usagef("--schema=public is compared with other apps than the tenants' schemas (run it alone, and the others without it)")
	}
	for _, name := range slices.Concat(f.selection.Schemas, f.selection.Exclude) {
		if _, err := tenant.ParseSchema(name); err != nil && !strings.ContainsAny(name, `*?[\`) {
			return usagef("%v", err)
		}
	}
	for _, c := range []conflict{
		{"like", "majority", "give one"},
		{"quiet", "repair", "--repair prints a script"},
	} {
		if err := c.check(cmd); err != nil {
			return err
		}
	}
	if f.selection.Shared && (f.like != "" || f.compare.Majority) {
		return usagef("--shared compares public with a fresh build: there is only one (leave --like and --majority out)")
	}
	if cmd.Flags().Changed("like") {
		schema, err := tenant.ParseSchema(f.like)
		if err != nil {
			return usagef("--like: %v", err)
		}
		f.compare.Like = schema
	}
	return nil
}

// drift compares, and fails if anything differs.
func (p *program) drift(cmd *cobra.Command, f *driftFlags) error {
	if err := f.checkUsage(cmd); err != nil {
		return err
	}
	show := newDriftReporter(cmd, f)
	tenancy, err := p.connect(cmd.Context(), cmd, &f.runFlags, "", show)
	if err != nil {
		return err
	}
	defer tenancy.Close()
	options := f.compare
	options.OnStart, options.OnSchema = show.started, show.schema
	begun := time.Now()
	report, err := tenancy.Drift(cmd.Context(), &f.selection, &options)
	show.end()
	if errors.Is(err, tenant.ErrSchemaNotFound) && f.like != "" {
		return noLike(cmd.Context(), tenancy, f.like, err)
	}
	if err != nil && dberr.Code(err) == dberr.InsufficientPrivilege && !f.selection.Shared && f.like == "" && !f.compare.Majority {
		return fmt.Errorf("%w; or compare with what there is: --majority, or --like=SCHEMA", err)
	}
	if err != nil {
		return err
	}
	if err := show.report(report, time.Since(begun)); err != nil {
		return err
	}
	if report.Drifted() {
		return errors.New(driftText(report) + f.cure(cmd, report))
	}
	return nil
}

// noLike says which schema was meant to be compared with, where there is none of the name: none
// at all, or that of a tenant has gone.
func noLike(ctx context.Context, tenancy *cotenant.Tenancy, name string, cause error) error {
	names, err := schemaNamesOf(ctx, tenancy)
	if err != nil {
		return cause
	}
	near := didYouMean("", name, slices.Values(names))
	switch {
	case slices.Contains(names, name):
		near = " (its tenant is there: make it with tenant create-missing, or name another one)"
	case near == "":
		return cause
	}
	return fmt.Errorf("drift: schema %q, to compare with: %w%s", name, tenant.ErrSchemaNotFound, near)
}

// driftText counts what is not as it should be.
func driftText(r *drift.Report) string {
	var parts []string
	for _, part := range []struct {
		n            int
		one, several string
	}{
		{r.Differ, "differs", "differ"}, {r.Missing, "is missing", "are missing"}, {r.Unreadable, "could not be read", "could not be read"},
	} {
		if part.n > 0 {
			parts = append(parts, schemas(part.n)+" "+either(part.n, part.one, part.several))
		}
	}
	return strings.Join(parts, ", ")
}

// either is the form of a word for a number of things.
func either(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}

// cure says what to do about schemas that differ, if it was not done.
func (f *driftFlags) cure(cmd *cobra.Command, r *drift.Report) string {
	if r.Differ == 0 || f.compare.Repair {
		return ""
	}
	return fmt.Sprintf(" (%s --repair writes SQL for what is missing)", cmd.CommandPath())
}
