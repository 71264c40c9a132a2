package cotenant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/httptenant"
	"github.com/cotenant/cotenant/internal/clientencoding"
	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/sqltenant"
	"github.com/cotenant/cotenant/tenant"
)

// Tenancy is a database with its apps and tenants. It is safe for concurrent use.
type Tenancy struct {
	logger   *slog.Logger
	migrator *migrate.Migrator
	db       *pgxtenant.DB // scoped to the tenant in ctx
	direct   *pgxtenant.DB // the same, but for the pooler in between
	sql      *sql.DB       // over db
	own      *pgxpool.Pool // for cotenant's own statements, not scoped
	registry *registry.Registry
	database string // tells it from others; empty if that is not known
}

// ownConns is the size of the pool for cotenant's own statements: eight for the
// look-ups that the cache cannot answer, half of all for creations; see registry.
const ownConns = 20

// Open connects to the database and returns its Tenancy. It reads all files of
// the apps and reports what is wrong with them, but changes nothing: Migrate does
// that. The error wraps pgxtenant.ErrServerTooOld or pgxtenant.ErrPooler if the
// server cannot be used. Close must be called in the end.
func Open(ctx context.Context, config *Config) (*Tenancy, error) {
	t, err := open(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("cotenant: %w", err)
	}
	return t, nil
}

func open(ctx context.Context, config *Config) (_ *Tenancy, err error) {
	if config == nil {
		config = &Config{}
	}
	poolConfig, err := config.poolConfig()
	if err != nil {
		return nil, err
	}
	direct, err := config.directConfig(poolConfig)
	if err != nil {
		return nil, err
	}
	clientencoding.Set(direct.ConnConfig)
	t := &Tenancy{logger: config.Logger}
	if t.logger == nil {
		t.logger = slog.New(slog.DiscardHandler)
	}
	defer func() {
		if err != nil {
			t.Close()
		}
	}()
	if err := t.connect(ctx, config, poolConfig, direct); err != nil {
		return nil, err
	}
	if err := t.wire(config, direct.ConnConfig); err != nil {
		return nil, err
	}
	return t, nil
}

// connect makes the pools, and looks at the server through both, so that a wrong
// address, role or server is told at once and not by the first request.
func (t *Tenancy) connect(ctx context.Context, config *Config, poolConfig, direct *pgxpool.Config) (err error) {
	ownConfig := direct.Copy()
	ownConfig.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec // it ends with DISCARD ALL now and then
	ownConfig.MaxConns, ownConfig.MinConns, ownConfig.MinIdleConns = ownConns, 0, 0
	ownConfig.PrepareConn, ownConfig.AfterRelease = nil, nil
	if t.own, err = pgxpool.NewWithConfig(ctx, ownConfig); err != nil {
		return err
	}
	if err := checkServer(ctx, t.own); err != nil {
		return config.describePooler(ctx, config.directSetting(), direct, err)
	}
	if t.database, err = databaseOf(ctx, t.own); err != nil {
		return err
	}
	dbConfig, err := config.dbConfig(t.database)
	if err != nil {
		return err
	}
	if t.db, err = pgxtenant.New(ctx, poolConfig, dbConfig); err != nil {
		return err
	}
	t.sql, t.direct = sqltenant.OpenDB(t.db), t.db
	if config.DirectURL != "" {
		directConfig := *dbConfig
		if directConfig.Mode == pgxtenant.Transaction {
			directConfig.Mode = pgxtenant.ModeAuto
		}
		if t.direct, err = pgxtenant.New(ctx, direct, &directConfig); err != nil {
			return err
		}
	}
	return t.checkDB(ctx, config, poolConfig)
}

// checkDB looks at what the application's pool leads to.
func (t *Tenancy) checkDB(ctx context.Context, config *Config, poolConfig *pgxpool.Config) error {
	err := checkServer(tenant.Public(ctx), t.db.Pool())
	if errors.Is(err, pgxtenant.ErrPooler) && t.db.Mode() == pgxtenant.Transaction {
		err = t.checkTransactions(ctx) // a pooler is what the mode is for
	}
	if err != nil {
		return config.describePooler(ctx, config.databaseSetting(), poolConfig, err)
	}
	database, err := databaseOf(tenant.Public(ctx), t.db)
	if err == nil && database != t.database {
		err = fmt.Errorf("%s and Config.DirectURL lead to different databases (name one, once through the pooler and once past it)", config.databaseSetting())
	}
	return err
}

// checkTransactions reports whether the pooler lets transactions through.
func (t *Tenancy) checkTransactions(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	err := t.db.BeginFunc(tenant.Public(ctx), func(pgx.Tx) error { return nil })
	if err != nil {
		return fmt.Errorf("the pooler lets no transaction through: %w (have it pool transactions: pool_mode = transaction)", err)
	}
	return nil
}

// describePooler says of err, if it is about a pooler, which setting leads to that, what
// it seems to do, and what to set.
func (c *Config) describePooler(ctx context.Context, setting string, pool *pgxpool.Config, err error) error {
	if !errors.Is(err, pgxtenant.ErrPooler) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	does := ""
	pooling, detectErr := pgxtenant.DetectPooling(ctx, func(ctx context.Context) (*pgx.Conn, error) {
		return connect(ctx, pool.ConnConfig, pool)
	})
	if detectErr == nil && pooling != pgxtenant.NoPooling {
		does = fmt.Sprintf(", which %v", pooling)
	}
	cure := "set Config.DB to &pgxtenant.Config{Mode: pgxtenant.Transaction}, and Config.DirectURL to the server itself"
	switch {
	case setting == "Config.DirectURL":
		cure = "set it to the server itself"
	case c.DB != nil && c.DB.Mode == pgxtenant.Transaction:
		cure = "set Config.DirectURL to the server itself"
	case c.DirectURL != "":
		cure = "set Config.DB to &pgxtenant.Config{Mode: pgxtenant.Transaction}"
	}
	return fmt.Errorf("%s, %s:%d: %w%s: rows of one tenant could reach another through it (%s)",
		setting, pool.ConnConfig.Host, pool.ConnConfig.Port, pgxtenant.ErrPooler, does, cure)
}

// openTimeout bounds how long Open waits for a server that does not answer.
const openTimeout = 30 * time.Second

func checkServer(ctx context.Context, pool *pgxpool.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	conn, err := pool.Acquire(ctx)
	switch {
	case errors.Is(err, pgxtenant.ErrPooler), errors.Is(err, pgxtenant.ErrServerTooOld):
		return err // that of a connection
	case err != nil:
		return dberr.Connect(pool.Config().ConnConfig, err)
	}
	defer conn.Release()
	return pgxtenant.CheckServer(ctx, conn.Conn())
}

// databaseOf returns what tells a database from others: the cluster's identifier,
// which its replicas share, and the database's OID. It is empty where the role may
// not ask.
func databaseOf(ctx context.Context, db interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	var database string
	err := db.QueryRow(ctx, `SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system()) || '/' || oid
		FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`).Scan(&database)
	if dberr.Code(err) == dberr.InsufficientPrivilege {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look at the database: %w", err)
	}
	return database, nil
}

// wire makes the parts and gives them to each other.
func (t *Tenancy) wire(config *Config, direct *pgx.ConnConfig) (err error) {
	if err := config.validateApps(); err != nil {
		return err
	}
	rc, err := config.registryConfig()
	if err != nil {
		return err
	}
	rc.Listen = func(ctx context.Context) (*pgx.Conn, error) { return connect(ctx, direct, config.Pool) }
	rc.Logger = t.logger
	rc.Database = t.database

	own := migrate.App{Name: "cotenant"}
	migrations, err := registry.Migrations(&rc)
	if err != nil {
		return err
	}
	for _, m := range migrations {
		own.Migrations = append(own.Migrations, migrate.Migration{Name: m.Name, SQL: m.SQL})
	}
	mc, err := config.migrateConfig()
	if err != nil {
		return err
	}
	mc.Logger = t.logger
	mc.SharedApps = append([]migrate.App{own}, config.SharedApps...)
	mc.Tenant = func(ctx context.Context, id int64) (*tenant.Tenant, error) { return t.registry.ByID(ctx, id) }
	mc.TenantsTable = rc.TenantsTable
	if t.migrator, err = migrate.New(&mc); err != nil {
		return err
	}
	rc.Builder = t.migrator
	t.registry, err = registry.New(t.own, &rc)
	return err
}

// connect makes a connection as the pool would, with its hook for passwords that
// change.
func connect(ctx context.Context, config *pgx.ConnConfig, pool *pgxpool.Config) (*pgx.Conn, error) {
	config = config.Copy()
	if pool != nil && pool.BeforeConnect != nil {
		if err := pool.BeforeConnect(ctx, config); err != nil {
			return nil, err
		}
	}
	return pgx.ConnectConfig(ctx, config)
}

// Close closes all connections and ends all background work. It waits for
// connections that are in use.
func (t *Tenancy) Close() {
	if t.registry != nil {
		t.registry.Close()
	}
	if t.sql != nil {
		_ = t.sql.Close() // its connections are db's
	}
	if t.direct != nil && t.direct != t.db {
		t.direct.Close()
	}
	if t.db != nil {
		t.db.Close()
	}
	if t.own != nil {
		t.own.Close()
	}
}

// DB returns the application's database: every query runs in the schema of the
// tenant in its context, or fails. Work on the shared tables says so with
// tenant.Public.
func (t *Tenancy) DB() *pgxtenant.DB { return t.db }

// SQL returns DB for libraries on database/sql: GORM, ent, bun, sqlx and others. It
// takes its connections from the same pool; see pgxtenant.DB.Connector. Close closes
// it.
func (t *Tenancy) SQL() *sql.DB { return t.sql }

// Direct returns the application's database past the pooler that DatabaseURL may lead
// to, over DirectURL, for what a pooler cannot do: VACUUM, CREATE INDEX CONCURRENTLY,
// LISTEN, locks and settings of a session. It is scoped as DB is, and makes
// connections when it is used. Without a DirectURL it is DB itself.
func (t *Tenancy) Direct() *pgxtenant.DB { return t.direct }

// Pool returns the pool below DB, for libraries that insist on one; see
// pgxtenant.DB.Pool.
func (t *Tenancy) Pool() *pgxpool.Pool { return t.db.Pool() }

// Registry returns the registry of the tenants: creation, look-ups, lists.
func (t *Tenancy) Registry() *registry.Registry { return t.registry }

// Middleware returns middleware that finds the tenant of a request by its host
// name; see httptenant.New. For another way to find it, give httptenant.New the
// Registry.
func (t *Tenancy) Middleware(config *httptenant.Config) func(http.Handler) http.Handler {
	return httptenant.New(httptenant.Host(t.registry, nil), config)
}

// Fleet returns all schemas of the database as one, to sync and to migrate them.
func (t *Tenancy) Fleet() *migrate.Fleet { return t.migrator.Fleet(t.own) }

// Migrate brings the tables of the shared apps into public, cotenant's own among
// them, and then those of the tenant apps into the schema of every tenant: it is
// Fleet().Sync with Migrate. What is there already is left alone, so that it can be
// called at every start of the program; programs that do so at once do the work once.
//
// A tenant that fails does not keep the others from being migrated; the error is then
// a *migrate.RunError.
func (t *Tenancy) Migrate(ctx context.Context) error {
	if _, err := t.Fleet().Sync(ctx, &migrate.SyncOptions{Migrate: true}); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Ready returns nil if no schema is behind the apps: public and all that tenants have.
// Else it wraps migrate.ErrBehind and names some. It is for a program that a deployment
// starts before, or while, it migrates: as a start-up probe, in a few queries however many
// tenants there are. See migrate.Fleet.Ready.
func (t *Tenancy) Ready(ctx context.Context) error { return t.Fleet().Ready(ctx) }
