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
		Long: `Sync creates in every schema what the schema.sql of its apps has and the schema lacks:
tables, columns, indexes, types, sequences, views, functions, triggers, constraints,
policies and comments. The shared apps are created in public first, then the tenant apps
in the schema of each tenant, several schemas at a time.

It alters nothing and drops nothing. Where a schema has something otherwise than
schema.sql, sync says so and leaves it: that needs a migration. It also names statements
that change rows (INSERT) and did not run because their table was there before. Apps that
have migrations are left to "` + name + ` migrate", unless --migrate has each schema
migrated, too.

A schema that fails is left as it was, and the others are synced all the same. Mend the
cause and run the command again: it does what is left. At Ctrl-C the schemas in flight are
finished, and no others are begun; a second one interrupts them, and what was in flight is
rolled back.

A schema is behind if a schema.sql has changed since it was synced; what others have is not
looked at. So a difference is named once. With --verify the objects of every schema are
read and compared with schema.sql: what was dropped by hand is created again, and what
differs is named each time.

--plan and --check change nothing. Without --verify they go by what was recorded, and a
login that may only read can use them; with it they say what every schema lacks and what
differs, and --check fails if there is any.
` + statusHelp,
		Example: fmt.Sprintf(`  %[1]s sync                                     public, then every tenant
  %[1]s sync --migrate                           and migrate each schema after that
  %[1]s sync --shared                            public alone
  %[1]s sync --tenant                            the tenants alone
  %[1]s sync --schema=customer1                  one tenant
  %[1]s sync --check                             in a deployment: is a schema behind?
  %[1]s sync --plan --verify                     what every schema lacks, and what differs
  %[1]s sync --schema='eu_*' --exclude=eu_test   some tenants`, name),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			if err := look.checkUsage(cmd); err != nil {
				return err
			}
			if look.plan || look.check {
				look.sql = f.options.Verify // only then it is known
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
	addGroups(cmd, runLines+planLines, append([]flagGroup{what}, f.groups(p.config.Project)...)...)
	cmd.Flags().Lookup("verify").Usage = "read what every schema has, and do not trust the index cotenant.schema_versions"
	p.completeSchemas(cmd, &f.databaseFlags, 0)
	return cmd
}

// statusHelp is the part of the help about the exit status.
const statusHelp = `
The exit status is 0 if all is done, 1 if something failed or was interrupted, and 2 for
wrong usage, in which case nothing was touched.`

// The lines of --json, at the end of the help.
const (
	runLines = `
What --json prints (a key that would be empty is left out):
  {"type":"start","schemas":N}
  {"type":"schema","schema":"…","applied":[{"app":"…","name":"…"}],"differs":["…"],
   "seconds":S,"error":"…"}
  {"type":"summary","done":N,"failed":N,"untouched":N,"current":N,"interrupted":N,
   "left_to_migrate":["APP"],"left_to_sync":["APP"],"not_run":["…"],"orphans":["SCHEMA"],
   "retired":[{"app":"…","schemas":N}],"unguarded":"…","seconds":S,"error":"…"}
A start says how many more schemas there are to work on: public, the canaries, the others
have one each, where there are any. The summary comes last.
`
	listLines = `
With --list:
  {"type":"list","schema":"…","migrations":[{"app":"…","name":"…","applied":B,
   "faked":B,"unknown":B}],"missing":B,"renamed":"SCHEMA","orphan":B}
One that is missing has a tenant and is not there, or has another name now (renamed). An
orphan has a history and no tenant.
`
	planLines = `
With --plan and --check:
  {"type":"plan","count":N,"schemas":["…"],"steps":[{"action":"…","app":"…",
   "name":"…","or_fake":B,"sql":["…"]}],"differs":["…"],"error":"…"}
  {"type":"plan_summary","behind":N,"stuck":N,"differ":N,"orphans":["SCHEMA"],
   "retired":[{"app":"…","schemas":N}]}
A plan is for schemas that need the same: count says how many, schemas are the first
hundred. Those are stuck in which nothing can be done; error says why. --check prints the
summary alone.
`
)
