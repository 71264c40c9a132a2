package cotenant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// Config says what Open opens. DatabaseURL or Pool is required.
type Config struct {
	// DatabaseURL is the connection string of the database, a URL or
	// key=value pairs as pgx takes them. The settings of pgxpool
	// (pool_max_conns …) are for the pool below Tenancy.DB.
	DatabaseURL string
	// DB has the settings of Tenancy.DB: when the path is set, what is
	// remembered, schemas that every tenant searches. Database must be left out,
	// it is set by Open. Defaults to pgxtenant's defaults.
	DB *pgxtenant.Config
	// DirectURL leads to the server itself where DatabaseURL leads to a
	// pooler: LISTEN, locks and migrations use it, and Tenancy.Direct. The
	// settings of pgxpool in it are for the pool of that. Defaults to DatabaseURL.
	DirectURL string
	// Logger is told what happens in the background and what migrations ran.
	// Defaults to a logger that discards.
	Logger *slog.Logger
	// Migrate has the settings of the engine that changes schemas: time-outs, hooks, the
	// migrator role. Logger, SharedApps, TenantApps, Tenant and TenantsTable must be left
	// out, they are set by Open; its OnSchemaSynced is called for new tenants, too.
	// ExtraSchemas defaults to DB's. Defaults to the engine's defaults.
	Migrate *migrate.Config
	// OnTenantCreated is called for each new tenant, the public one too, in the
	// transaction that creates it, with the tenant in ctx; see registry.Config.
	// What it creates in the tenant's schema is given to the migrator role afterwards, so
	// that migrations can alter it, but for what works only with the rights of the login
	// (SECURITY DEFINER, views): see migrate.Migrator.OwnSchema. Defaults to nothing.
	OnTenantCreated func(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error
	// OnTenantDeleted is called for each tenant that is deleted, in the transaction that
	// does so, before anything is gone, with the tenant in ctx; see registry.Config.
	// Defaults to nothing.
	OnTenantDeleted func(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error
	// Pool configures the pool below Tenancy.DB, in place of
	// DatabaseURL: a pgxpool.ParseConfig result with tracers, types and so on.
	// Its hooks for new connections are for cotenant's own too, but what
	// AfterConnect sets there does not last: those connections are reset with
	// DISCARD ALL. Defaults to DatabaseURL's.
	Pool *pgxpool.Config
	// Registry has the settings of the registry: caches, names of tables.
	// Builder, Database, Listen, OnTenantCreated and OnTenantDeleted must be left out,
	// they are set by Open, and so is Logger. Defaults to the registry's defaults.
	Registry *registry.Config
	// SharedApps have their tables in public, in this order, after those of
	// cotenant itself. Defaults to none.
	SharedApps []migrate.App
	// TenantApps have their tables in every tenant's schema, in this order.
	// Defaults to none.
	TenantApps []migrate.App
}

// poolConfig returns the settings of the application's pool.
func (c *Config) poolConfig() (*pgxpool.Config, error) {
	switch {
	case c.Pool != nil && c.DatabaseURL != "":
		return nil, errors.New("Config.Pool and Config.DatabaseURL are both set (set one)")
	case c.Pool != nil && c.Pool.ConnConfig == nil:
		return nil, errors.New("Config.Pool is empty (make it with pgxpool.ParseConfig)")
	case c.Pool != nil:
		return c.Pool.Copy(), nil
	case c.DatabaseURL == "":
		return nil, errors.New("Config.DatabaseURL is not set (use one such as postgres://user@localhost/database)")
	}
	config, err := pgxpool.ParseConfig(c.DatabaseURL)
	if err != nil || dberr.Misread(c.DatabaseURL, config.ConnConfig.Host) {
		return nil, dberr.Parse("Config.DatabaseURL")
	}
	return config, nil
}

// databaseSetting and directSetting name the settings that lead to the database.
func (c *Config) databaseSetting() string {
	if c.Pool != nil {
		return "Config.Pool"
	}
	return "Config.DatabaseURL"
}

func (c *Config) directSetting() string {
	if c.DirectURL != "" {
		return "Config.DirectURL"
	}
	return c.databaseSetting()
}

// directConfig returns the settings of a pool of connections to the server itself,
// with the hooks of the application's.
func (c *Config) directConfig(pool *pgxpool.Config) (*pgxpool.Config, error) {
	direct := pool.Copy()
	if c.DirectURL == "" {
		return direct, nil
	}
	config, err := pgxpool.ParseConfig(c.DirectURL)
	if err != nil || dberr.Misread(c.DirectURL, config.ConnConfig.Host) {
		return nil, dberr.Parse("Config.DirectURL")
	}
	direct.ConnConfig = config.ConnConfig
	direct.MaxConns, direct.MinConns, direct.MinIdleConns = config.MaxConns, config.MinConns, config.MinIdleConns
	return direct, nil
}

// dbConfig returns the settings of the DB of a database.
func (c *Config) dbConfig(database string) (*pgxtenant.Config, error) {
	var dc pgxtenant.Config
	if c.DB != nil {
		dc = *c.DB
	}
	if dc.Database != "" {
		return nil, errors.New("Config.DB: Database is set by Open (leave it out)")
	}
	dc.Database = database
	return &dc, nil
}

// registryConfig returns the settings of the registry, but for what wire adds.
func (c *Config) registryConfig() (registry.Config, error) {
	var rc registry.Config
	if c.Registry != nil {
		rc = *c.Registry
	}
	if rc.Builder != nil || rc.Database != "" || rc.Listen != nil || rc.OnTenantCreated != nil || rc.OnTenantDeleted != nil || rc.OnSchemaSynced != nil {
		return rc, errors.New("Config.Registry: Builder, Database, Listen, OnSchemaSynced, OnTenantCreated and OnTenantDeleted are set by Open (use Config.Migrate, Config.OnTenantCreated, Config.OnTenantDeleted and Config.DirectURL)")
	}
	rc.OnTenantCreated, rc.OnTenantDeleted = c.OnTenantCreated, c.OnTenantDeleted
	if c.Migrate != nil {
		rc.OnSchemaSynced = c.Migrate.OnSchemaSynced
	}
	return rc, nil
}

// migrateConfig returns the settings of the engine, but for what wire adds.
func (c *Config) migrateConfig() (migrate.Config, error) {
	var mc migrate.Config
	if c.Migrate != nil {
		mc = *c.Migrate
	}
	if mc.Logger != nil || mc.SharedApps != nil || mc.TenantApps != nil || mc.Tenant != nil || mc.TenantsTable != nil {
		return mc, errors.New("Config.Migrate: Logger, SharedApps, TenantApps, Tenant and TenantsTable are set by Open (use those of Config, and Config.Registry)")
	}
	if mc.ExtraSchemas == nil && c.DB != nil {
		mc.ExtraSchemas = c.DB.ExtraSchemas
	}
	mc.TenantApps = c.TenantApps
	return mc, nil
}

// validateApps keeps the names that start with cotenant to ourselves.
func (c *Config) validateApps() error {
	for _, apps := range [][]migrate.App{c.SharedApps, c.TenantApps} {
		for _, app := range apps {
			if strings.HasPrefix(app.Name, "cotenant") {
				return fmt.Errorf("app %q: names that start with cotenant are its own (rename the app)", app.Name)
			}
		}
	}
	return nil
}
