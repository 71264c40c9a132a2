package migrate

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// Config names the apps of a Migrator and says how it works.
type Config struct {
	// CreationRunsMigrations has a schema that has nothing of an app get there by all
	// the app's migrations, also if the app has a schema.sql. By default it gets
	// schema.sql, and the migrations are recorded as faked.
	CreationRunsMigrations bool
	// ExtraSchemas are on the search path behind public while files run. Defaults to
	// none.
	ExtraSchemas []tenant.Schema
	// LockTimeout is how long a statement waits for a lock on a table before it is
	// tried again later. CREATE INDEX CONCURRENTLY and its like, which wait for all who
	// are at work on a table, do so for LockWait. Defaults to 2 seconds.
	LockTimeout time.Duration
	// LockWait is how long a schema is waited for that another program is changing.
	// Defaults to 1 minute.
	LockWait time.Duration
	// Logger is told about each file that ran, and each attempt that failed. Defaults to
	// a logger that discards.
	Logger *slog.Logger
	// MigratorRole is the role that owns the tenants' schemas and runs their files; it may
	// read public and refer to it, and no more. A run makes it, if the login may.
	// Defaults to cotenant_migrator.
	MigratorRole string
	// OnMigrated is called when a schema was changed by a run, and that is on disk, with
	// the schema's tenant in ctx, and with what was done; also where a later file failed.
	// If the run's ctx ends it is still called, with 5 seconds to go. An error is reported
	// as the schema's; what was done stays. Defaults to nothing.
	OnMigrated func(ctx context.Context, t *tenant.Tenant, applied []Applied) error
	// OnMigrating is called in the transaction of each file that runs in a schema that
	// exists, behind its statements, as the login and with the search path at the
	// schema. An error rolls the file back. Where the statements run one by one, it is
	// called in the transaction that records them. What it creates is the login's, and
	// later files, which run as MigratorRole, cannot alter it: SET LOCAL ROLE
	// cotenant_migrator before it and RESET ROLE behind it, or call cotenant.give_all.
	// Defaults to nothing.
	OnMigrating func(ctx context.Context, tx pgx.Tx, t *tenant.Tenant, applied Applied) error
	// OnSchemaNeedsSync is called by Fleet.Plan and PlanSync for each schema that is
	// behind, when all have been looked at; with Verify by several goroutines at once. An
	// error ends the plan. Defaults to nothing.
	OnSchemaNeedsSync func(ctx context.Context, t *tenant.Tenant) error
	// OnSchemaSynced is called as OnMigrated is, after it, where nothing failed. Defaults
	// to nothing.
	OnSchemaSynced func(ctx context.Context, t *tenant.Tenant) error
	// RefuseOutOfOrder refuses a schema in which a migration has not run that is older
	// than one that has. By default it runs.
	RefuseOutOfOrder bool
	// Retries is how many times what passes (a lock, a deadlock, a lost connection) is
	// tried again, with growing pauses of up to 5 seconds. Defaults to 8.
	Retries int
	// SharedApps have their tables in public, in this order.
	SharedApps []App
	// StatementTimeout is how long a statement of a file may take. Defaults to no limit.
	StatementTimeout time.Duration
	// Tenant returns the tenant that hooks are called with. Defaults to one that has
	// nothing but its ID and Schema.
	Tenant func(ctx context.Context, id int64) (*tenant.Tenant, error)
	// TenantApps have their tables in the schema of every tenant, in this
	// order. An app can be in both lists.
	TenantApps []App
	// TenantsTable is the name of the tenants' table, which has the columns id and
	// schema_name. Defaults to cotenant.tenants.
	TenantsTable pgx.Identifier
}

// tellsDurable reports whether somebody hears of a schema as soon as it is on disk.
func (c *Config) tellsDurable() bool { return c.OnMigrated != nil || c.OnSchemaSynced != nil }

func (c *Config) withDefaults() (Config, error) {
	var d Config
	if c != nil {
		d = *c
	}
	for name, n := range map[string]int64{
		"LockTimeout": int64(d.LockTimeout), "LockWait": int64(d.LockWait), "Retries": int64(d.Retries), "StatementTimeout": int64(d.StatementTimeout),
	} {
		if n < 0 {
			return d, fmt.Errorf("migrate: Config.%s is negative (leave it out for the default)", name)
		}
	}
	d.LockTimeout = cmp.Or(d.LockTimeout, 2*time.Second)
	d.LockWait = cmp.Or(d.LockWait, time.Minute)
	d.MigratorRole = cmp.Or(d.MigratorRole, "cotenant_migrator")
	d.Retries = cmp.Or(d.Retries, 8)
	if len(d.TenantsTable) == 0 {
		d.TenantsTable = pgx.Identifier{"cotenant", "tenants"}
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return d, nil
}

// ownApp is the name of the app with cotenant's own tables.
const ownApp = "cotenant"

// Migrator brings apps into schemas. It is safe for concurrent use.
type Migrator struct {
	config      Config
	logger      *slog.Logger
	shared      []loadedApp
	tenant      []loadedApp
	sharedOrder []*script
	tenantOrder []*script
	grounds     []edge // all that tenant apps require of shared ones
	versions    versions
}

// New reads all files of the apps and returns a Migrator for them. It does not
// touch a database. Its errors name the app, the file and the line.
func New(config *Config) (*Migrator, error) {
	c, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Migrator{config: c, logger: c.Logger}
	if m.shared, err = loadApps(c.SharedApps, false); err != nil {
		return nil, fmt.Errorf("shared apps: %w", err)
	}
	if m.tenant, err = loadApps(c.TenantApps, true); err != nil {
		return nil, fmt.Errorf("tenant apps: %w", err)
	}
	if err := resolve(m.shared, m.tenant); err != nil {
		return nil, err
	}
	m.sharedOrder, m.tenantOrder = order(m.shared), order(m.tenant)
	m.grounds = groundsOf(m.tenant)
	return m, nil
}

// Role is the name of the migrator role, whether there is one or not.
func (m *Migrator) Role() string { return m.config.MigratorRole }

// Applied is a file, and what was done with it in a schema.
type Applied struct {
	Action Action
	App    string
	Name   string // schema.sql, or a migration such as 0001_initial
}

// schemaError says in the words of the house that a schema is not there, or not
// ours.
func (m *Migrator) schemaError(schema tenant.Schema, err error) error {
	switch dberr.Code(err) {
	case dberr.InvalidSchemaName:
		if schema.IsPublic() {
			return fmt.Errorf("schema %q: %w (CREATE SCHEMA public)", schema, tenant.ErrSchemaNotFound)
		}
		return errNoSchema(schema)
	case dberr.InsufficientPrivilege:
		if isOurs(err) {
			return fmt.Errorf("schema %q: %w", schema, m.tablesError(err))
		}
		give := ": " + giveAll(schema, m.config.MigratorRole)
		if schema.IsPublic() {
			give = "; and SELECT, INSERT, UPDATE, DELETE ON " + searchpath.Qualify(schema, historyTable)
		}
		return fmt.Errorf("schema %q: %w (GRANT CREATE ON SCHEMA %s TO the role, or make it the owner%s)", schema, err, searchpath.Quote(schema), give)
	}
	return fmt.Errorf("schema %q: %w", schema, err)
}
