package manage

import (
	"context"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
)

// migrateFlags are the flags of migrate.
type migrateFlags struct {
	runFlags
	look        lookFlags
	fake        bool
	fakeInitial bool
	list        bool
}

func (p *program) migrateCommand() *cobra.Command {
	name := p.config.name()
	var f migrateFlags
	cmd := &cobra.Command{
		Use:     "migrate [APP [MIGRATION | zero]]",
		Aliases: []string{"migrate_schemas", "migrate-schemas"},
		GroupID: schemasGroup,
		Short:   "Bring every schema to where the migrations are",
		Long: `Migrate runs in every schema the migrations that have not run there yet: those of the
shared apps in public first, then those of the tenant apps in the schema of each tenant,
several schemas at a time. APP limits it to one app. MIGRATION takes that app forward or
back to it: a name, the beginning of one (0003), its number (3), or zero, which is before
the first.

A migration runs in a transaction, with the row that records it in the schema's table
cotenant_migrations. So one that fails leaves its schema as it was before it, and the
other schemas are migrated all the same. Mend the cause and run the command again: it
does what is left, and does not touch schemas that lack nothing. Statements that
PostgreSQL runs in no transaction, such as CREATE INDEX CONCURRENTLY, run one by one; the
next run goes on where they failed.

At Ctrl-C the schemas in flight are finished, and no others are begun. A second one
interrupts them: the migrations in flight are rolled back.

--list, --plan and --check change nothing, and a login that may only read can use them.
--list shows a box for each migration of a schema: [X] it ran, [ ] it did not, [F] it was
recorded without running, [?] it is recorded, and there is no such file. A file with a line

  -- cotenant:replaces 0001_initial 0002_prices

stands for those that it names, all of which were squashed into it.
` + statusHelp,
		Example: fmt.Sprintf(`  %[1]s migrate                                every schema, to the newest
  %[1]s migrate --schema=customer1             one tenant
  %[1]s migrate --canary=5 --max-failures=20   five tenants first; end when more than 20 fail
  %[1]s migrate myapp 0003                     one app, forward or back to 0003
  %[1]s migrate myapp zero                     one app, back to before its first
  %[1]s migrate myapp 0001_initial --fake      record it, do not run it
  %[1]s migrate --list                         what each schema has and lacks
  %[1]s migrate --plan --sql                   what would run where
  %[1]s migrate --check                        in a deployment: is anything behind?`, name),
		RunE: func(cmd *cobra.Command, args []string) error { return p.migrate(cmd, &f, args) },
	}
	what := newGroup("What is done")
	what.flags.BoolVar(&f.fake, "fake", false, "record what would run, and do not run it")
	what.flags.BoolVar(&f.fakeInitial, "fake-initial", false, "record an app's first migration in schemas that have all its tables already")
	what.flags.BoolVar(&f.list, "list", false, "list the migrations of each schema; change nothing")
	f.look.add(what)
	what.flags.BoolVar(&f.look.sql, "sql", false, "with --plan: show the statements")
	addGroups(cmd, runLines+listLines+planLines, append([]flagGroup{what}, f.groups(p.config.Project)...)...)
	p.completeSchemas(cmd, &f.databaseFlags, 0)
	cmd.ValidArgsFunction = p.completeMigrations(&f.databaseFlags)
	return cmd
}

func (p *program) migrate(cmd *cobra.Command, f *migrateFlags, args []string) error {
	if err := f.checkUsage(cmd, args); err != nil {
		return err
	}
	options := migrate.MigrateOptions{Fake: f.fake, FakeInitial: f.fakeInitial}
	if len(args) > 0 {
		options.App = args[0]
	}
	if len(args) > 1 {
		options.Target = args[1]
	}
	switch {
	case f.list:
		return p.list(cmd, f, options.App)
	case f.look.plan, f.look.check:
		options.RunOptions = f.options
		return p.plan(cmd, &f.runFlags, f.look, options.App, func(ctx context.Context, fleet *migrate.Fleet) (*migrate.Plan, error) {
			return fleet.Plan(ctx, &options)
		})
	}
	return p.run(cmd, &f.runFlags, options.App, func(ctx context.Context, fleet *migrate.Fleet, run migrate.RunOptions) (*migrate.Report, error) {
		options.RunOptions = run
		return fleet.Migrate(ctx, &options)
	})
}

// checkUsage refuses what cannot be meant.
func (f *migrateFlags) checkUsage(cmd *cobra.Command, args []string) error {
	if len(args) > 2 {
		return usagef("there are %d arguments (give it an app, and a migration of that app)", len(args))
	}
	for i, arg := range args {
		if arg == "" {
			return usagef("%s is empty (name one, or leave it out)", []string{"APP", "MIGRATION"}[i])
		}
	}
	if err := f.check(cmd); err != nil {
		return err
	}
	if err := f.look.checkUsage(cmd); err != nil {
		return err
	}
	conflicts := []conflict{
		{"list", "plan", "--list says what schemas have, --plan what would be done"},
		{"list", "check", "run one after the other"},
		{"list", "fake", "--list changes nothing"},
		{"list", "fake-initial", "--list changes nothing"},
		{"list", "verify", "--list always reads the histories"},
		{"fake", "fake-initial", "--fake records all that would run, the first migrations too"},
	}
	for _, how := range howFlags() {
		conflicts = append(conflicts, conflict{"list", how, "--list changes nothing"})
	}
	for _, c := range conflicts {
		if err := c.check(cmd); err != nil {
			return err
		}
	}
	switch {
	case f.look.sql && !f.look.plan:
		return usagef("--sql shows the statements of a plan (add --plan)")
	case f.list && len(args) > 1:
		return usagef("--list takes an app and no migration (leave %s out)", args[1])
	case f.fakeInitial && len(args) > 1 && args[1] == "zero":
		return usagef("--fake-initial records first migrations, and zero is before them (leave one out)")
	}
	return nil
}

// migrationName is what looks like a migration and not like an app.
var migrationName = regexp.MustCompile(`^([0-9]+(_.*)?|zero)$`)

// checkApp refuses a migration without its app.
func checkApp(cmd *cobra.Command, config *cotenant.Config, app string) error {
	if verbosity := cmd.Flags().Lookup("verbosity"); len(app) == 1 && verbosity != nil && verbosity.Changed && !hasApp(config, app) {
		return usagef("%s is no app (the number of --verbosity stands behind an equals sign: --verbosity=%[1]s)", app)
	}
	if migrationName.MatchString(app) && !hasApp(config, app) {
		return usagef("%s looks like a migration, and no app is named (%s APP %[1]s)", app, cmd.CommandPath())
	}
	return nil
}
