package manage

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/tenant"
)

// databaseFlags are the flags that lead to the database, and to the project.
type databaseFlags struct {
	appsDir string
	noApps  bool // the command needs none: what is wrong with their files does not keep it
	config  string
	// created is called in the transaction that creates a tenant, after the program's own
	// hook. Nil for nothing.
	created func(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error
	direct  string
	url     string
}

func (f *databaseFlags) group(project bool) flagGroup {
	g := newGroup("Which database and apps")
	g.flags.StringVar(&f.url, "database-url", "", "`URL` of the database (or DATABASE_URL)")
	g.flags.StringVar(&f.direct, "direct-url", "", "`URL` of the server itself, where the other leads to a pooler (or COTENANT_DIRECT_URL)")
	if project {
		g.flags.StringVar(&f.config, "config", "", "`file` of the project (or COTENANT_CONFIG; default cotenant.toml, here or above)")
		g.flags.StringVar(&f.appsDir, "apps-dir", "", "`folder` of the apps (or COTENANT_APPS_DIR; default apps, beside cotenant.toml)")
	}
	return g
}

// tenancyConfig brings together what the program, the flags, the environment and the file
// say, in that order, but for the flags that name a database: they come first.
func (p *program) tenancyConfig(cmd *cobra.Command, f *databaseFlags) (*cotenant.Config, error) {
	s, err := p.settings(cmd, f)
	if err != nil {
		return nil, err
	}
	config := p.config.Tenancy
	fillApps := p.fillApps(s)
	if f.noApps && s.file != "" {
		fillApps = func(*cotenant.Config) error { return nil }
	}
	for _, fill := range []func(*cotenant.Config) error{fillApps, s.fillDatabase, s.fillPaths, s.fillEngine} {
		if err := fill(&config); err != nil {
			return nil, err
		}
	}
	if hook, created := config.OnTenantCreated, f.created; created != nil {
		config.OnTenantCreated = func(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error {
			if hook != nil {
				if err := hook(ctx, tx, t); err != nil {
					return err
				}
			}
			return created(ctx, tx, t)
		}
	}
	return &config, nil
}

// settings brings together what the flags, the environment and the file say.
func (p *program) settings(cmd *cobra.Command, f *databaseFlags) (*settings, error) {
	s := &settings{from: map[string]string{}}
	if p.config.Project {
		named := f.config
		if named == "" {
			named = os.Getenv("COTENANT_CONFIG")
		}
		if err := s.readFile(named); err != nil {
			return nil, err
		}
	}
	if err := s.readEnvironment(p.config.Project); err != nil {
		return nil, err
	}
	for key, flag := range map[string]string{"database_url": "database-url", "direct_url": "direct-url", "apps_dir": "apps-dir"} {
		if cmd.Flags().Changed(flag) {
			text, _ := cmd.Flags().GetString(flag)
			if text == "" {
				return nil, usagef("--%s is empty (give it a value, or leave it out)", flag)
			}
			if err := s.set(key, text, "--"+flag); err != nil {
				return nil, err
			}
		}
	}
	if s.PublicSchemaName != "" && s.PublicSchemaName != tenant.PublicSchema().String() {
		return nil, fmt.Errorf("%s is %q, and the shared apps are always in public (leave it out, or say public)", s.from["public_schema_name"], s.PublicSchemaName)
	}
	if from, n := s.from["min_password_length"], s.MinPasswordLength; from != "" && (n < leastPassword || n > mostPassword) {
		return nil, fmt.Errorf("%s is %d (give it %d to %d characters)", from, n, leastPassword, mostPassword)
	}
	return s, nil
}

// fillDatabase names the databases.
func (s *settings) fillDatabase(config *cotenant.Config) error {
	flag := s.from["database_url"] == "--database-url"
	switch {
	case flag && config.Pool != nil:
		return usagef("--database-url: the program makes its own pool (leave the flag out)")
	case config.Pool != nil:
	case flag, config.DatabaseURL == "":
		config.DatabaseURL = s.DatabaseURL
		if err := checkURL(s.DatabaseURL, s.from["database_url"]); err != nil {
			return err
		}
		if config.DatabaseURL == "" {
			where := "set DATABASE_URL, or give --database-url=postgres://user@localhost/database"
			if s.file != "" {
				where = "set DATABASE_URL or database_url in " + s.file + ", or give --database-url=postgres://user@localhost/database"
			}
			return fmt.Errorf("no database is named (%s)", where)
		}
	}
	if s.from["direct_url"] == "--direct-url" || config.DirectURL == "" {
		config.DirectURL = s.DirectURL
		return checkURL(s.DirectURL, s.from["direct_url"])
	}
	return nil
}

// checkURL refuses what is no connection string, in the name of where it was set.
func checkURL(url, from string) error {
	if url == "" {
		return nil
	}
	config, err := pgx.ParseConfig(url)
	if err != nil || dberr.Misread(url, config.Host) {
		return dberr.Parse(from)
	}
	return nil
}

// fillPaths says how the tenants' paths are set.
func (s *settings) fillPaths(config *cotenant.Config) error {
	var db pgxtenant.Config
	if config.DB != nil {
		db = *config.DB
	}
	mode, from := s.from["search_path_mode"], s.from["tenant_limit_set_calls"]
	switch {
	case db.Mode != pgxtenant.ModeAuto:
	case mode != "" && from != "":
		return fmt.Errorf("%s and %s both say when the path is set (leave one out)", mode, from)
	case mode != "":
		parsed, err := pgxtenant.ParseMode(s.SearchPathMode)
		if err != nil {
			return fmt.Errorf("%s: %w", mode, err)
		}
		db.Mode = parsed
	case from != "":
		db.Mode = pgxtenant.LimitSetCalls(s.TenantLimitSetCalls)
	}
	if len(db.ExtraSchemas) == 0 {
		for _, name := range s.ExtraSearchPaths {
			schema, err := tenant.ParseSchema(name)
			if err != nil {
				return fmt.Errorf("%s: %w", s.from["extra_search_paths"], err)
			}
			db.ExtraSchemas = append(db.ExtraSchemas, schema)
		}
	}
	config.DB = &db
	return nil
}

// fillEngine says how schemas are changed.
func (s *settings) fillEngine(config *cotenant.Config) error {
	var engine migrate.Config
	if config.Migrate != nil {
		engine = *config.Migrate
	}
	for key, timeout := range map[string]*time.Duration{"lock_timeout": &engine.LockTimeout, "statement_timeout": &engine.StatementTimeout} {
		from := s.from[key]
		if from == "" || *timeout != 0 {
			continue
		}
		text := s.field(key).String()
		parsed, err := time.ParseDuration(text)
		if err != nil || parsed <= 0 {
			return fmt.Errorf("%s: %q is no time (write one such as \"500ms\", \"2s\" or \"5m\")", from, text)
		}
		*timeout = parsed
	}
	if s.from["out_of_order"] != "" && !s.OutOfOrder {
		engine.RefuseOutOfOrder = true
	}
	if s.from["tenant_creation_fakes_migrations"] != "" && !s.TenantCreationFakesMigrations {
		engine.CreationRunsMigrations = true
	}
	engine.MigratorRole = cmp.Or(engine.MigratorRole, s.MigratorRole)
	config.Migrate = &engine
	return nil
}

// open opens the tenancy. Its errors speak of the settings by the names that they have
// in a project.
func (p *program) open(ctx context.Context, config *cotenant.Config) (*cotenant.Tenancy, error) {
	tenancy, err := cotenant.Open(ctx, config)
	if err == nil {
		return tenancy, nil
	}
	text := strings.NewReplacer(
		"cotenant: ", "",
		"set Config.DB to &pgxtenant.Config{Mode: pgxtenant.Transaction}", `set search_path_mode to "transaction"`,
		"Config.DirectURL", "direct_url",
		"Config.DatabaseURL", "database_url",
	).Replace(err.Error())
	return nil, &openError{text, err}
}

// openError has a text of ours and the cause as it was.
type openError struct {
	text  string
	cause error
}

func (e *openError) Error() string { return e.text }
func (e *openError) Unwrap() error { return e.cause }
