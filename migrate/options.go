package migrate

import (
	"time"

	"github.com/cotenant/cotenant/tenant"
)

// Selection says which schemas a run is about. The zero value is all of them: public
// with the shared apps, then every tenant's.
type Selection struct {
	// Exclude takes schemas out, by names and patterns as in Schemas.
	Exclude []string
	// Schemas are names, or patterns as path.Match has them (acme*), of which a
	// schema matches one. A name that no tenant has, or a pattern that none
	// matches, is an error. public is the shared apps. Defaults to all.
	Schemas []string
	// Shared is public alone. It excludes Tenant, SkipPublic and Schemas.
	Shared bool
	// SkipPublic leaves public out.
	SkipPublic bool
	// Tenant is the tenants' schemas alone.
	Tenant bool
}

// RunOptions say how a run over many schemas goes.
type RunOptions struct {
	Selection

	// Canary is how many of the tenants' schemas go first; if one of them fails,
	// the others are not touched. Defaults to none.
	Canary int
	// FailFast ends the run when a schema has failed: those in flight are finished.
	// By default the others go on.
	FailFast bool
	// Jobs is how many schemas are worked on at a time. By default 4, or as many as the
	// pool allows, or half of the connections that the server has left, if that is less.
	Jobs int
	// MaxFailures ends the run, as FailFast does, when more schemas than that have
	// failed. Defaults to no limit.
	MaxFailures int
	// OnResult is told about each schema that was worked on, or failed, as soon as
	// that is known; one call at a time. Defaults to nothing.
	OnResult func(Result)
	// OnStart is told how many schemas there are to work on, before the first of them:
	// once for public, once for the canaries, and once for the rest, of each that there
	// are any.
	// Defaults to nothing.
	OnStart func(schemas int)
	// Stop ends the run when it is closed: the schemas in flight are finished and the
	// others are not touched. The end of ctx, by contrast, interrupts those in flight.
	// Defaults to never.
	Stop <-chan struct{}
	// Verify reads the history of every schema that was selected, and not only of
	// those that cotenant.schema_versions, which is an index of the histories, says
	// to be behind. Sync and PlanSync read what every schema has, too, and compare it with
	// schema.sql: what differs is told again, and what was dropped by hand comes back.
	Verify bool
}

// MigrateOptions say what Fleet.Migrate and Fleet.Plan do. The zero value brings
// every schema to where the files are.
type MigrateOptions struct {
	RunOptions

	// App is the app to migrate; the others are left alone. Defaults to all.
	App string
	// Fake records what would run, and does not run it.
	Fake bool
	// FakeInitial records the first migration of an app, and does not run it, in
	// schemas that have nothing recorded of the app and have all its tables.
	FakeInitial bool
	// Target is the migration of App to go to, forth or back: its name, what only its
	// name begins with (0003), its number (3), or "zero" for before the first. Defaults
	// to the newest.
	Target string
}

// SyncOptions say what Fleet.Sync does.
type SyncOptions struct {
	RunOptions

	// Migrate migrates each schema after it was synced.
	Migrate bool
}

// Result is what came of a schema.
type Result struct {
	// Applied is what ran in the schema, or was recorded, and is there to stay.
	Applied []Applied
	// Differs says what a schema.sql has otherwise than the schema, and needs a
	// migration: one sentence each.
	Differs []string
	// Duration is from the first attempt to the end of the last.
	Duration time.Duration
	// Err is why the schema is not where it should be; nil if it is.
	Err error
	// Schema that it is about.
	Schema tenant.Schema
}

// Action is what is done with a file.
type Action string

// The actions.
const (
	Apply   Action = "apply"   // a migration runs
	Build   Action = "build"   // schema.sql runs as it stands
	Fake    Action = "fake"    // a migration is recorded and not run
	Forget  Action = "forget"  // a record goes, and nothing runs
	Replace Action = "replace" // a migration is recorded in the place of those that it replaces, and not run
	Sync    Action = "sync"    // what schema.sql has and the schema lacks is created
	Unapply Action = "unapply" // a migration's way back runs
)

// Step is what is to be done with a file in a schema.
type Step struct {
	Action Action
	App    string
	Name   string   // schema.sql, or a migration such as 0001_initial
	SQL    []string // the statements; none for Fake, Forget and Replace, Go migrations, and Sync without Verify
	OrFake bool     // it is only recorded in schemas that have all its tables: FakeInitial
}

// PlanGroup is schemas that need the same.
type PlanGroup struct {
	// Count is how many schemas the group has.
	Count int
	// Differs says what the schemas have otherwise than schema.sql, and need a migration
	// for: one sentence each. Only PlanSync with Verify looks for that.
	Differs []string
	// Err is why nothing can be done in them; nil if it can.
	Err error
	// Schemas are up to a hundred of them; public is alone in its group.
	Schemas []tenant.Schema
	// Steps are what they need, in order; none if they are where they should be.
	Steps []Step
}

// Plan is what a run would do. Its size does not depend on how many schemas there are.
type Plan struct {
	Groups []PlanGroup
	// Orphans are schemas with a history that belong to no tenant, as in Report. Looked
	// for where all tenants were selected.
	Orphans []string
	// Retired are apps that schemas have and that are on no list, as in Report.
	Retired []RetiredApp
}

// Behind reports whether anything is to be done, or cannot be, or differs.
func (p *Plan) Behind() bool {
	for _, g := range p.Groups {
		if g.Err != nil || len(g.Steps)+len(g.Differs) > 0 {
			return true
		}
	}
	return false
}

// Report is the outcome of a run. Its size does not depend on how many schemas there
// are.
type Report struct {
	// Current is how many schemas had nothing to do.
	Current int
	// Done is how many schemas were worked on and are where they should be.
	Done int
	// Failed is how many schemas failed.
	Failed int
	// Failures are the first hundred of those.
	Failures []Result
	// Interrupted is how many schemas were being worked on when ctx ended. What was done
	// before the migration in flight stays, and OnMigrated has heard of it. That migration
	// was rolled back, with two exceptions: if ctx ended during its COMMIT it may be there,
	// which the next run sees, and no hook has heard of it; and where statements run one by
	// one (CREATE INDEX CONCURRENTLY) those that ran stay, and the next run goes on behind
	// them. They count neither as failed nor as untouched.
	Interrupted int
	// LeftToMigrate are the apps that Sync left alone because they have migrations.
	LeftToMigrate []string
	// LeftToSync are the apps that Migrate left alone because they have none.
	LeftToSync []string
	// NotRun names the statements of schema.sql files that did not run in schemas that had
	// their tables, a sentence for each file: those that change rows, which Sync does not
	// compare, and GRANT, REVOKE and OWNER TO where a schema has other privileges.
	NotRun []string
	// Orphans are schemas with a history that belong to no tenant: the first hundred of
	// them. They were left alone. Looked for where all schemas were selected.
	Orphans []string
	// Reasons are why schemas failed, each with all that failed alike: the first hundred
	// that there were.
	Reasons []Reason
	// Retired are the apps that schemas have, by their histories, and that are on no list
	// of the program's for them, by name: the first hundred. They were left alone.
	Retired []RetiredApp
	// Unguarded says why tenants' migrations ran without the migrator role; empty if
	// they ran with it.
	Unguarded string
	// Untouched is how many schemas have something to do that was not begun.
	Untouched int
}

// ListedMigration is a migration in the list of a schema.
type ListedMigration struct {
	App     string
	Applied bool
	Faked   bool
	Name    string
	Unknown bool // it is recorded, and the program has no such file
}

// Listed is the list of a schema.
type Listed struct {
	Migrations []ListedMigration // none of a schema that is missing, or an orphan
	Missing    bool              // the tenant has no such schema
	Orphan     bool              // it has a history, and no tenant has the schema
	Renamed    string            // the name that a schema that is missing has now, if that is known
	Schema     tenant.Schema
}
