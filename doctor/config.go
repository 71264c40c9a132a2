package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/tenant"
)

// Config says what is examined. Connect is required.
type Config struct {
	// Connect makes a connection to the server itself, past a pooler and not scoped to
	// tenants, as the login that migrates and creates tenants: Tenancy.Connect is one. An
	// examination has one at a time, and two more for a moment. It closes them.
	Connect func(ctx context.Context) (*pgx.Conn, error)
	// DB is the application's way to the database, which may lead through a pooler.
	// Defaults to none: that is not looked at.
	DB *pgxtenant.DB
	// DomainsTable is the name of the domains' table. Defaults to cotenant.domains.
	DomainsTable pgx.Identifier
	// ExtraSchemas are on every tenant's search path, behind public. Defaults to none.
	ExtraSchemas []tenant.Schema
	// Fleet has the files of the apps, which the histories are compared with. Defaults to
	// none: the histories are not looked at.
	Fleet *migrate.Fleet
	// MaxConns is how many connections a process of the program opens at most:
	// Tenancy.MaxConns. Defaults to 0: that is not looked at.
	MaxConns int
	// MigratorRole is the role that owns the tenants' schemas. Defaults to
	// cotenant_migrator.
	MigratorRole string
	// Patience is how long a transaction may be open, or a replication slot unused, before
	// that is told. Defaults to 5 minutes.
	Patience time.Duration
	// Processes is how many processes of the program there are at most. Defaults to 1.
	Processes int
	// Skip names checks to leave out. Defaults to none.
	Skip []string
	// TenantsTable is the name of the tenants' table. Defaults to cotenant.tenants.
	TenantsTable pgx.Identifier
}

func (c *Config) withDefaults() (Config, error) {
	var d Config
	if c != nil {
		d = *c
	}
	switch {
	case d.Connect == nil:
		return d, errors.New("Config.Connect is not set (set it to the Connect of a cotenant.Tenancy)")
	case d.MaxConns < 0, d.Patience < 0, d.Processes < 0:
		return d, errors.New("Config.MaxConns, Patience or Processes is negative (leave it out for the default)")
	}
	if d.MigratorRole == "" {
		d.MigratorRole = "cotenant_migrator"
	}
	if d.Patience == 0 {
		d.Patience = 5 * time.Minute
	}
	if d.Processes == 0 {
		d.Processes = 1
	}
	if len(d.TenantsTable) == 0 {
		d.TenantsTable = pgx.Identifier{"cotenant", "tenants"}
	}
	if len(d.DomainsTable) == 0 {
		d.DomainsTable = pgx.Identifier{"cotenant", "domains"}
	}
	for _, name := range d.Skip {
		if !slices.Contains(Checks(), name) {
			return d, fmt.Errorf("there is no check %q (there are %s)", name, strings.Join(Checks(), ", "))
		}
	}
	return d, nil
}
