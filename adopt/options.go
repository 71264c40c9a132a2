package adopt

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// Config says with what a database is taken over. Migrator, Pool and Registry are required.
type Config struct {
	Options

	// Migrator has the files of the apps.
	Migrator *migrate.Migrator
	// Pool leads to the server itself, not to a pooler, and is not scoped to tenants. It
	// must not cache prepared statements (pgx.QueryExecModeDescribeExec), and allow three
	// connections or more.
	Pool *pgxpool.Pool
	// Registry keeps the tenants, in the table cotenant.tenants.
	Registry *registry.Registry
}

// Options say what is taken over. The zero value finds the tables of django-tenant-schemas
// or django-tenants in public, and leaves schemas alone that differ.
type Options struct {
	// Differing says what becomes of schemas that are in no state which the files build.
	// Defaults to Leave.
	Differing Differing
	// DryRun finds out what would be done, and does nothing of it: not even cotenant's own
	// tables are made.
	DryRun bool
	// Jobs is how many schemas are worked on at a time. Defaults to 4, or what the pool
	// allows, if that is less.
	Jobs int
	// OnSchema is told what became of each schema, one call at a time. Defaults to nothing.
	OnSchema func(Result)
	// OnStart is told how many schemas there are, before the first. Defaults to nothing.
	OnStart func(schemas int)
	// Only are names, or patterns as path.Match has them, of which a schema matches one to
	// be taken over. public is looked at all the same. Defaults to all.
	Only []string
	// SkipClaimed registers the other schemas where some claim a domain that another has, in
	// the source or in the registry. Defaults to nothing being registered then.
	SkipClaimed bool
	// Source says where the tenants are. Defaults to what is found.
	Source Source
}

// Source says where another system keeps its tenants. The zero value has the tables found:
// the one in public with a column schema_name, and domain_url (django-tenant-schemas), or a
// table with the columns domain and is_primary that refers to it (django-tenants).
type Source struct {
	// DomainColumn has the domain: in DomainsTable, or else in TenantsTable. Defaults to
	// domain there, and to domain_url here, if there is one.
	DomainColumn string
	// DomainPattern makes a tenant's domain of its schema's name, in place of {schema}. It
	// excludes DomainColumn and DomainsTable. Defaults to none.
	DomainPattern string
	// DomainsTable has a row for each domain, and refers to TenantsTable by a foreign key.
	// Defaults to what is found.
	DomainsTable pgx.Identifier
	// PrimaryColumn tells the primary domain in DomainsTable. Defaults to is_primary, if
	// there is one.
	PrimaryColumn string
	// SchemaColumn has the name of the schema in TenantsTable. Defaults to schema_name.
	SchemaColumn string
	// Schemas are names, or patterns as path.Match has them, of the schemas to take over,
	// where there is no table of tenants. It excludes all that is about tables.
	Schemas []string
	// TenantColumn of DomainsTable refers to TenantsTable by a foreign key, and tells whose a
	// domain is. Defaults to the only one that does, or, where there are several, to tenant_id.
	TenantColumn string
	// TenantsTable has a row for each tenant. Defaults to what is found.
	TenantsTable pgx.Identifier
}

// Differing is what becomes of schemas that are in no state which the files build.
type Differing string

// What can become of them.
const (
	// Leave registers nothing of them.
	Leave Differing = "leave"
	// Record registers them, and records the state that they are nearest to. What is
	// different stays, and is what drift finds.
	Record Differing = "record"
)

// placeholder stands for the name of the schema in Source.DomainPattern.
const placeholder = "{schema}"

// OptionsError is options that cannot be meant. Nothing was touched.
type OptionsError struct{ Err error }

// Error says what is wrong, and the cure.
func (e *OptionsError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *OptionsError) Unwrap() error { return e.Err }

func (c *Config) withDefaults() (*Config, error) {
	if c == nil {
		c = &Config{}
	}
	d := *c
	if d.Migrator == nil || d.Pool == nil || d.Registry == nil {
		return nil, errors.New("Config.Migrator, Pool or Registry is nil (use Tenancy.Adopt)")
	}
	conns := int(d.Pool.Config().MaxConns)
	most := (conns - 1) / 2 // each job reads over one and writes over another, and the list is read meanwhile
	if most < 1 {
		return nil, fmt.Errorf("the pool has %d connections (allow 3 or more)", conns)
	}
	tenants, domains := d.Registry.Tables()
	if dotted(tenants) != "cotenant.tenants" || dotted(domains) != "cotenant.domains" {
		return nil, fmt.Errorf("the registry keeps its tenants in %s and %s, which it takes as they are (there is nothing to take over; what schemas have is recorded with migrate --fake)", dotted(tenants), dotted(domains))
	}
	d.Differing = cmp.Or(d.Differing, Leave)
	switch {
	case d.Jobs < 0:
		return nil, &OptionsError{fmt.Errorf("jobs is %d (give it 1 or more, or leave it out)", d.Jobs)}
	case d.Differing != Leave && d.Differing != Record:
		return nil, &OptionsError{fmt.Errorf("differing is %q (give leave or record)", d.Differing)}
	}
	d.Jobs = min(cmp.Or(d.Jobs, 4), most)
	for _, pattern := range append(append([]string{}, d.Only...), d.Source.Schemas...) {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return nil, &OptionsError{fmt.Errorf("%q is no name and no pattern (write one such as tenant_*)", pattern)}
		}
	}
	if err := d.Source.check(); err != nil {
		return nil, &OptionsError{err}
	}
	return &d, nil
}

// check refuses what contradicts itself.
func (s *Source) check() error {
	for what, table := range map[string]pgx.Identifier{"tenants-table": s.TenantsTable, "domains-table": s.DomainsTable} {
		if len(table) > 0 && (len(table) != 2 || table[0] == "" || table[1] == "") {
			return fmt.Errorf("%s is %q (give a schema and a table, such as public.customers_client)", what, strings.Join(table, "."))
		}
	}
	if len(s.Schemas) > 0 && (len(s.TenantsTable) > 0 || len(s.DomainsTable) > 0 || s.DomainColumn != "" || s.SchemaColumn != "" || s.PrimaryColumn != "" || s.TenantColumn != "") {
		return errors.New("schemas is for where there is no table of tenants (leave it out, or the tables and columns; a part of the tenants is taken over with only)")
	}
	if s.DomainPattern == "" {
		return nil
	}
	if len(s.DomainsTable) > 0 || s.DomainColumn != "" || s.PrimaryColumn != "" || s.TenantColumn != "" {
		return errors.New("the domains come from a table or from a pattern (give one)")
	}
	if !strings.Contains(s.DomainPattern, placeholder) {
		return fmt.Errorf("domain is %q, the same for all (write %s where the name of the schema goes)", s.DomainPattern, placeholder)
	}
	if _, err := tenant.ParseDomain(strings.ReplaceAll(s.DomainPattern, placeholder, "a")); err != nil {
		return fmt.Errorf("domain %q: %w", s.DomainPattern, err)
	}
	return nil
}

// matches reports whether a name has one of some patterns.
func matches(patterns []string, name string) bool {
	for _, pattern := range patterns {
		if ok, err := path.Match(pattern, name); err == nil && ok {
			return true
		}
	}
	return false
}
