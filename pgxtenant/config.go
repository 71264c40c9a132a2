package pgxtenant

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/tenant"
)

// Config has the settings of a DB. A nil Config has all the defaults.
type Config struct {
	// Database tells the database from others: tenants of a registry that was
	// configured with another one's are refused with tenant.ErrOtherDatabase. Defaults
	// to nothing: all tenants are taken.
	Database string
	// DescriptionCache is how many statements a connection remembers the types
	// of. The texts of two tenants are two statements. It replaces pgx's
	// description_cache_capacity. Defaults to 32768.
	DescriptionCache int
	// ExtraSchemas are searched after the tenant's schema and public, by every
	// tenant: PG_EXTRA_SEARCH_PATHS of django-tenant-schemas. Defaults to none.
	ExtraSchemas []tenant.Schema
	// MaxTenants is how many tenants a connection serves before it is replaced:
	// a server process keeps catalog entries of each schema that it has touched.
	// Defaults to 1000.
	MaxTenants int
	// Mode says when the path is set. Defaults to ModeAuto.
	Mode Mode
	// StatementCache is how many statements a connection keeps prepared, and how
	// many the DB remembers to have seen: one that comes back while it is
	// remembered is prepared. (With default_query_exec_mode=cache_describe in the
	// connection string none is.) It replaces pgx's statement_cache_capacity, and
	// must be 0 in the mode Transaction, where nothing is prepared. Defaults to
	// 2048.
	StatementCache int
	// Types are the names of enum, composite, domain and range types, as SQL
	// writes them, that connections learn to read and write, with the arrays of
	// them. They are looked up for each tenant, on its path; a tenant without one
	// of them does without it. Defaults to none.
	Types []string
}

// withDefaults returns a copy of c, checked, with the defaults filled in.
func (c *Config) withDefaults() (Config, error) {
	var d Config
	if c != nil {
		d = *c
	}
	for field, value := range map[string]int{"Config.DescriptionCache": d.DescriptionCache, "Config.MaxTenants": d.MaxTenants, "Config.StatementCache": d.StatementCache} {
		if value < 0 {
			return d, fmt.Errorf("%s is %d (use 0 for the default)", field, value)
		}
	}
	switch d.Mode {
	case Transaction:
		if d.StatementCache != 0 {
			return d, fmt.Errorf("Config.StatementCache is %d in the mode %v, where nothing is prepared (leave it out)", d.StatementCache, d.Mode)
		}
	case ModeAuto, OnChange, EveryAcquire:
		d.StatementCache = cmp.Or(d.StatementCache, 2048)
	default:
		return d, fmt.Errorf("Config.Mode is unknown: %v (use ModeAuto, OnChange, EveryAcquire or Transaction)", d.Mode)
	}
	for _, schema := range d.ExtraSchemas {
		if schema.IsZero() {
			return d, fmt.Errorf("Config.ExtraSchemas: %w: it is empty (make it with tenant.ParseSchema)", tenant.ErrInvalidSchema)
		}
		if schema.IsPublic() {
			return d, errors.New("Config.ExtraSchemas has public, which is searched anyway (leave it out)")
		}
	}
	if slices.Contains(d.Types, "") {
		return d, errors.New("Config.Types has an empty name (leave it out)")
	}
	d.DescriptionCache = cmp.Or(d.DescriptionCache, 32768)
	d.ExtraSchemas = slices.Clone(d.ExtraSchemas)
	d.MaxTenants = cmp.Or(d.MaxTenants, 1000)
	d.Types = slices.Clone(d.Types)
	return d, nil
}

// validatePool refuses settings of pgx that would be ignored or are unsafe.
func (c *Config) validatePool(pool *pgxpool.Config) error {
	if pool == nil || pool.ConnConfig == nil {
		return errors.New("pgxpool.Config is nil or empty (make it with pgxpool.ParseConfig)")
	}
	if pool.BeforeAcquire != nil { //nolint:staticcheck // deprecated, and pgxpool would ignore it without a word
		return errors.New("pgxpool.Config.BeforeAcquire is set (set PrepareConn instead, which also gets the call's error)")
	}
	if err := checkParameters(pool.ConnConfig.RuntimeParams); err != nil {
		return err
	}
	if c.Mode == Transaction && pool.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeDescribeExec {
		return errDescribeExec
	}
	return nil
}

// checkParameters refuses parameters of a connection that set search_path. Command line
// options for the server may write a hyphen for the underscore, and a backslash before
// anything (PostgreSQL manual, "postgres" and libpq's "options").
func checkParameters(parameters map[string]string) error {
	for name, value := range parameters {
		options := strings.NewReplacer("-", "_", `\`, "").Replace(strings.ToLower(value))
		if strings.EqualFold(name, "search_path") || name == "options" && strings.Contains(options, "search_path") {
			return fmt.Errorf("the connection string has %s=%s, and the path is the tenant's (leave it out, PGOPTIONS too; Config.ExtraSchemas are searched by every tenant)", name, value)
		}
	}
	return nil
}

// The ways to send a statement that take the server's sessions for one: between its
// round trips a pooler may change them.
var (
	errCacheStatement = errors.New("pgx.QueryExecModeCacheStatement in the mode transaction: the server session that executes the statement may not be the one where it was prepared (use QueryExecModeCacheDescribe, as is done if no mode is given)")
	errDescribeExec   = errors.New("pgx.QueryExecModeDescribeExec in the mode transaction: the statement would be described on one server session and executed on another (use QueryExecModeCacheDescribe)")
)
