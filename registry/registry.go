package registry

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"github.com/cotenant/cotenant/tenant"
)

// SchemaBuilder makes the tables of all tenant apps in the empty schema of t,
// within the transaction that creates t. migrate.Migrator is one. The context
// carries t, and is refused everywhere but on tx.
type SchemaBuilder interface {
	BuildSchema(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error
}

// SchemaOwner gives what OnTenantCreated made in the schema of t to who owns the tables
// there, within the transaction that creates t. A SchemaBuilder can be one:
// migrate.Migrator is.
type SchemaOwner interface {
	OwnSchema(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error
}

// Config has the settings of a Registry. Nil and the zero value mean the
// defaults.
type Config struct {
	// AutoDropSchema has Delete drop the tenant's schema. By default it stays, and belongs
	// to nobody.
	AutoDropSchema bool
	// Builder makes the tables of a new tenant. Defaults to none: a new schema
	// is empty.
	Builder SchemaBuilder
	// CacheSize is how many tenants, and how many of their names, are kept.
	// Defaults to 10,000, which take some 10 MB.
	CacheSize int
	// CacheTTL bounds how long a cached tenant is served after it changed, if
	// the news of the change was lost. Defaults to 5 minutes.
	CacheTTL time.Duration
	// Database tells the database from others; each tenant gets it as its
	// Database. Defaults to nothing: the tenants are not told from others'.
	Database string
	// DomainsTable is the name of the domains' table. Defaults to
	// cotenant.domains.
	DomainsTable pgx.Identifier
	// Listen makes the connection on which the registry hears of changes. It
	// must lead to the server itself: LISTEN through a pooler is accepted and
	// never delivers. Defaults to none: changes made elsewhere are seen after
	// CacheTTL.
	Listen func(ctx context.Context) (*pgx.Conn, error)
	// Logger is told about a lost LISTEN connection. Defaults to a logger that
	// discards.
	Logger *slog.Logger
	// MaxMisses is how many look-ups that the cache could not answer are under
	// way at once: so many of names that led to a tenant before, and so many of
	// others, so that these do not hold up those. Further ones wait, and a
	// thousand waiting make the next fail with ErrBusy. Defaults to 4.
	MaxMisses int
	// NameRest is how long the name of a schema is given to no other tenant after its tenant
	// was deleted, or renamed: a program that still has that tenant in a context, a job or
	// its cache would be in the schema of whoever got the name. It must be twice CacheTTL or
	// more, and should be longer than a request or a job takes. Defaults to 10 minutes, or twice CacheTTL
	// if that is longer.
	NameRest time.Duration
	// OnSchemaSynced is called for each new tenant when it is there to stay, with the
	// tenant in ctx. Defaults to nothing.
	OnSchemaSynced func(ctx context.Context, t *tenant.Tenant) error
	// OnTenantCreated is called for each new tenant, the public one too, in the
	// transaction that creates it, after its tables were made, with the search path at its
	// schema and the tenant in ctx. An error undoes the creation. Until the
	// commit, ctx is refused everywhere else with tenant.ErrUncommitted; calls
	// of the registry take a connection of their own, and do not see the
	// tenant. What it creates in the schema is given to the migrator role afterwards, as
	// which migrations run, if the Builder is a SchemaOwner; see migrate.Migrator.OwnSchema
	// for what is not. Defaults to nothing.
	OnTenantCreated func(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error
	// OnTenantDeleted is called for each tenant that is deleted, in the transaction that
	// does so, before anything is gone, with the search path at its schema and the tenant
	// in ctx. An error undoes the deletion. Where a lock is not to be had it is called again.
	// Defaults to nothing.
	OnTenantDeleted func(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error
	// TenantsTable is the name of the tenants' table. Neither name can be
	// changed once the tables were made. Defaults to cotenant.tenants.
	TenantsTable pgx.Identifier
	// UnknownSize is how many names that lead nowhere are remembered. Defaults
	// to 10,000.
	UnknownSize int
	// UnknownTTL is how long a name that leads nowhere is remembered. Defaults
	// to 10 seconds.
	UnknownTTL time.Duration
}

func (c *Config) withDefaults() (Config, error) {
	var d Config
	if c != nil {
		d = *c
	}
	for name, n := range map[string]int64{
		"CacheSize": int64(d.CacheSize), "CacheTTL": int64(d.CacheTTL), "MaxMisses": int64(d.MaxMisses), "NameRest": int64(d.NameRest),
		"UnknownSize": int64(d.UnknownSize), "UnknownTTL": int64(d.UnknownTTL),
	} {
		if n < 0 {
			return d, fmt.Errorf("registry: Config.%s is negative (leave it out for the default)", name)
		}
	}
	for name, table := range map[string]*pgx.Identifier{"TenantsTable": &d.TenantsTable, "DomainsTable": &d.DomainsTable} {
		if len(*table) != 0 && (len(*table) != 2 || slices.Contains(*table, "")) {
			return d, fmt.Errorf("registry: Config.%s is %q (give a schema and a table, such as pgx.Identifier{\"public\", \"clients\"})", name, *table)
		}
	}
	d.CacheSize = cmp.Or(d.CacheSize, 10_000)
	d.CacheTTL = cmp.Or(d.CacheTTL, 5*time.Minute)
	d.MaxMisses = cmp.Or(d.MaxMisses, 4)
	d.NameRest = cmp.Or(d.NameRest, max(10*time.Minute, 2*d.CacheTTL))
	if d.NameRest < 2*d.CacheTTL {
		return d, fmt.Errorf("registry: Config.NameRest is %v, less than twice Config.CacheTTL, %v: a program could serve the old tenant in the schema of the new one (give it %v or more, or a shorter CacheTTL)", d.NameRest, d.CacheTTL, 2*d.CacheTTL)
	}
	d.UnknownSize = cmp.Or(d.UnknownSize, 10_000)
	d.UnknownTTL = cmp.Or(d.UnknownTTL, 10*time.Second)
	if len(d.TenantsTable) == 0 {
		d.TenantsTable = pgx.Identifier{"cotenant", "tenants"}
	}
	if len(d.DomainsTable) == 0 {
		d.DomainsTable = pgx.Identifier{"cotenant", "domains"}
	}
	if slices.Equal(d.TenantsTable, d.DomainsTable) {
		return d, fmt.Errorf("registry: Config.TenantsTable and Config.DomainsTable are both %q (give two tables)", d.TenantsTable)
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return d, nil
}

// Registry keeps the tenants. It is safe for concurrent use.
type Registry struct {
	config  Config
	pool    *pgxpool.Pool
	tenants string // the tables, quoted
	domains string

	cache     *cache
	fills     singleflight.Group
	known     *lane // look-ups of names that led to a tenant before
	unknown   *lane // and of others
	creations *semaphore.Weighted

	stop    context.CancelFunc
	stopped chan struct{}
}

// New returns a Registry over pool, which is for the registry's own statements
// and not scoped to tenants. Creations take at most half of its connections, and
// end with DISCARD ALL, so it must not cache prepared statements
// (pgx.QueryExecModeDescribeExec). New does not touch the database, but with
// Config.Listen the registry begins to listen; Close ends that, and leaves pool
// open.
func New(pool *pgxpool.Pool, config *Config) (*Registry, error) {
	c, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	cache, err := newCache(c)
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background()) //nolint:forbidigo // the listening ends with Close, not with a caller
	r := &Registry{
		config:  c,
		pool:    pool,
		tenants: c.TenantsTable.Sanitize(),
		domains: c.DomainsTable.Sanitize(),
		cache:   cache,
		known:   newLane(c.MaxMisses),
		unknown: newLane(c.MaxMisses),
		// The rest is for look-ups, those that hooks make among them.
		creations: semaphore.NewWeighted(max(1, int64(pool.Config().MaxConns/2))),
		stop:      stop,
		stopped:   make(chan struct{}),
	}
	go func() {
		defer close(r.stopped)
		if c.Listen != nil {
			r.listen(ctx)
		}
	}()
	return r, nil
}

// Close ends the listening and waits until it has ended.
func (r *Registry) Close() {
	r.stop()
	<-r.stopped
}

//go:embed image.sql
var imageSQL string

//go:embed schema.sql
var initialSQL string

// Migration is a step of the built-in shared app, in which the registry's tables
// are.
type Migration struct {
	Name string // 0001_initial
	SQL  string
}

// Migrations returns the migrations of the built-in shared app for a registry with
// this config, in order. Tables that are there already are taken as they are; they
// need the columns id and schema_name, and domain, tenant_id and is_primary.
func Migrations(config *Config) ([]Migration, error) {
	c, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	return []Migration{
		{Name: "0001_initial", SQL: fmt.Sprintf(initialSQL, c.TenantsTable.Sanitize(), c.DomainsTable.Sanitize())},
		{Name: "0002_resting_names", SQL: restSQL},
		{Name: "0003_row_images", SQL: imageSQL},
	}, nil
}
