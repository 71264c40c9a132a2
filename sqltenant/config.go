package sqltenant

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/cotenant/cotenant/tenant"
)

// Config has the settings of Wrap. A nil Config has all the defaults.
type Config struct {
	// Database tells the database from others: tenants of a registry that was
	// configured with another one's are refused with tenant.ErrOtherDatabase. Defaults
	// to nothing: all tenants are taken.
	Database string
	// ExtraSchemas are searched after the tenant's schema and public, by every
	// tenant: PG_EXTRA_SEARCH_PATHS of django-tenant-schemas. Defaults to none.
	ExtraSchemas []tenant.Schema
	// LimitSetCalls has the path set only when the connection's is known to be
	// another: TENANT_LIMIT_SET_CALLS of django-tenant-schemas. It saves a round
	// trip; a schema that was dropped or renamed meanwhile is not noticed, and a path
	// that a function of the application sets, or what the driver does when a
	// connection is reset, reaches the next call of the same tenant. Defaults to false: the path is set whenever a connection is taken from
	// the pool.
	LimitSetCalls bool
	// MaxTenants is how many tenants a connection serves before it is replaced:
	// a server process keeps catalog entries of each schema that it has touched.
	// Defaults to 1000.
	MaxTenants int
}

// withDefaults returns a copy of c, checked, with the defaults filled in.
func (c *Config) withDefaults() (Config, error) {
	var d Config
	if c != nil {
		d = *c
	}
	if d.MaxTenants < 0 {
		return d, fmt.Errorf("Config.MaxTenants is %d (use 0 for the default)", d.MaxTenants)
	}
	for _, schema := range d.ExtraSchemas {
		if schema.IsZero() {
			return d, fmt.Errorf("Config.ExtraSchemas: %w: it is empty (make it with tenant.ParseSchema)", tenant.ErrInvalidSchema)
		}
		if schema.IsPublic() {
			return d, errors.New("Config.ExtraSchemas has public, which is searched anyway (leave it out)")
		}
	}
	d.ExtraSchemas = slices.Clone(d.ExtraSchemas)
	d.MaxTenants = cmp.Or(d.MaxTenants, 1000)
	return d, nil
}
