package manage

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/migrate"
)

func (p *program) syncCommand() *cobra.Command {
	name := p.config.name()
	var f runFlags
	var alsoMigrate bool
	var look lookFlags
	cmd := &cobra.Command{
		Use:     "sync",
		Aliases: []string{"sync_schemas", "sync-schemas"},
		GroupID: schemasGroup,
		Short:   "Create what the schema.sql of the apps has and the schemas lack",
		Long: `Sync reads the schema.sql of every app and creates, in the schemas that lack them, its
tables, columns, indexes, types, sequences, views, functions, triggers, constraints,
policies and comments: those of the shared apps in public first, then those of the
tenant apps in the schema of every tenant.

It alters nothing and drops nothing. What a schema has otherwise than schema.sql is
named: it needs a migration. Apps that have migrations are left to "` + name + ` migrate",
unless --migrate follows each schema's sync.

A schema that fails is left as it was and does not keep the others from being synced;
the same command run again does what is left. At Ctrl-C the schemas in flight are
finished; a second one interrupts them.

--plan and --check change nothing.
` + outputHelp + "\nWith --plan:" + planHelp,
		Example: fmt.Sprintf(`  %[1]s sync                       public, then every tenant
  %[1]s sync --migrate             and migrate each schema after that
  %[1]s sync --shared              public alone
  %[1]s sync --tenant              the tenants alone
  %[1]s sync --schema=customer1    one tenant
  %[1]s sync --check               in a deployment: does a schema lack anything?
  %[1]s sync --schema='eu_*' --exclude=eu_test --jobs=8`, name),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			if err := look.checkUsage(cmd); err != nil {
				return err
			}
			if look.plan || look.check {
				return p.plan(cmd, &f, look, "", func(ctx context.Context, fleet *migrate.Fleet) (*migrate.Plan, error) {
					return fleet.PlanSync(ctx, &migrate.SyncOptions{RunOptions: f.options, Migrate: alsoMigrate})
				})
			}
			return p.run(cmd, &f, "", func(ctx context.Context, fleet *migrate.Fleet, options migrate.RunOptions) (*migrate.Report, error) {
				return fleet.Sync(ctx, &migrate.SyncOptions{RunOptions: options, Migrate: alsoMigrate})
			})
		},
	}
	what := newGroup("What is done")
	what.flags.BoolVar(&alsoMigrate, "migrate", false, "migrate each schema after it was synced")
	look.add(what)
	addGroups(cmd, append([]flagGroup{what}, f.groups(p.config.Project)...)...)
	return cmd
}

// outputHelp is the part of the help about the status and --json.
const outputHelp = `
The exit status is 0 if all is done, 1 if something failed, 2 for wrong usage.

With --json there are these lines; keys that would be empty are left out. A start tells how
many more schemas there are to work on: none if there are none, a second one after the
canaries. The summary comes last.
  {"type":"start","schemas":N}
  {"type":"schema","schema":"…","applied":[{"app":"…","name":"…"}],"differs":["…"],
   "seconds":S,"error":"…"}
  {"type":"summary","done":N,"failed":N,"untouched":N,"current":N,
   "left_to_migrate":["APP"],"left_to_sync":["APP"],"orphans":["SCHEMA"],
   "retired":[{"app":"…","schemas":N}],"unguarded":"…","seconds":S,"error":"…"}`

// planHelp is the part about --plan and --check.
const planHelp = `
  {"type":"plan","count":N,"schemas":["…"],"steps":[{"action":"…","app":"…",
   "name":"…","sql":["…"]}],"error":"…"}
  {"type":"plan_summary","behind":N,"stuck":N}
The schemas of a plan are the first hundred that need the same; count is how many do.
--check prints the last line alone. What is stuck is behind, and nothing can be done in it.`
