package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// AdoptParams describes a tenant whose schema is there already.
type AdoptParams struct {
	// Domains lead to the tenant; the first is its primary one. None is fine.
	Domains []tenant.Domain
	// Fields are as in CreateParams.
	Fields map[string]any
	// ID is the id that the tenant gets; see ReserveIDs. Defaults to a new one.
	ID int64
	// Schema of the tenant. public is fine.
	Schema tenant.Schema
}

// Adopt makes a tenant of a schema that is there already: its row and its domains, in one
// transaction, in which record is called for the rest. It does not look into the schema, and
// calls no hooks. On any error nothing of it is left.
//
// The error wraps tenant.ErrSchemaTaken if a tenant has the schema, also in another case,
// tenant.ErrSchemaNotFound if it is not there, tenant.ErrDomainTaken if a tenant has one of
// the domains, or what record returned. Where a lock is not to be had it is tried again, for
// a minute.
func (r *Registry) Adopt(ctx context.Context, params AdoptParams, record func(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error) (*tenant.Tenant, error) {
	var t *tenant.Tenant
	err := r.patiently(ctx, func(tx pgx.Tx) (err error) {
		if t, err = r.adoptIn(ctx, tx, params); err == nil {
			err = record(ctx, tx, t)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("adopt schema %q: %w", params.Schema, r.schemaTaken(ctx, r.pool, params.Schema, err))
	}
	r.forget(t)
	for _, d := range params.Domains {
		r.cache.forgetName(name{domainName, d.String()})
	}
	return t, nil
}

// adoptIn makes the row and the domains within tx.
func (r *Registry) adoptIn(ctx context.Context, tx pgx.Tx, params AdoptParams) (*tenant.Tenant, error) {
	create := CreateParams{Domains: params.Domains, Fields: params.Fields, Schema: params.Schema}
	if err := create.validate(); err != nil {
		return nil, err
	}
	if err := schemaThere(ctx, tx, params.Schema); err != nil {
		return nil, err
	}
	if params.ID != 0 { // which others may not give
		create.Fields = maps.Clone(params.Fields)
		if create.Fields == nil {
			create.Fields = make(map[string]any, 1)
		}
		create.Fields["id"] = params.ID
	}
	t, err := r.insertTenant(ctx, tx, create)
	if err == nil {
		err = r.insertDomains(ctx, tx, t, params.Domains)
	}
	return t, err
}

func schemaThere(ctx context.Context, tx pgx.Tx, schema tenant.Schema) error {
	var there bool
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1)", pgx.QueryExecModeExec, schema.String()).Scan(&there)
	if err == nil && !there {
		return tenant.ErrSchemaNotFound
	}
	return err
}

// ReserveIDs sees to it that new tenants get ids above upTo, which Adopt then gives to
// others.
func (r *Registry) ReserveIDs(ctx context.Context, upTo int64) error {
	// A sequence that is ahead is left alone: another creation may have taken the next id
	// meanwhile.
	_, err := r.pool.Exec(ctx, `SELECT CASE WHEN pg_catalog.nextval(s.name) < $2 THEN pg_catalog.setval(s.name, $2) END
		FROM pg_catalog.pg_get_serial_sequence($1, 'id') AS s (name) WHERE s.name IS NOT NULL`, pgx.QueryExecModeExec, r.tenants, upTo)
	if err != nil {
		return fmt.Errorf("reserve the ids of tenants: %w", r.tablesError(err))
	}
	return nil
}

// Taken is what of some tenants' names and ids the registry has already.
type Taken struct {
	// Domains are those that lead somewhere, with the schema of the tenant that they lead to.
	Domains map[string]string
	// IDs are those of tenants.
	IDs map[int64]bool
	// Tenants are those that have the schemas, or such as differ in case only, by the names
	// in lower case.
	Tenants map[string]Holder
}

// Holder is a tenant that has a schema.
type Holder struct {
	// Domains that lead to it, the primary one first.
	Domains []string
	ID      int64
	Schema  string
}

// Taken looks which of some schemas, domains and ids the registry has, in two queries.
func (r *Registry) Taken(ctx context.Context, schemas []string, domains []tenant.Domain, ids []int64) (*Taken, error) {
	taken := &Taken{Domains: map[string]string{}, IDs: map[int64]bool{}, Tenants: map[string]Holder{}}
	lower, names := make([]string, len(schemas)), make([]string, len(domains))
	for i, schema := range schemas {
		lower[i] = strings.ToLower(schema)
	}
	for i, d := range domains {
		names[i] = d.String()
	}
	rows, err := r.pool.Query(ctx, "SELECT t.id, t.schema_name, ARRAY(SELECT d.domain FROM "+r.domains+" AS d WHERE d.tenant_id = t.id ORDER BY d.is_primary DESC, d.domain) FROM "+
		r.tenants+" AS t WHERE lower(t.schema_name) = ANY ($1) OR t.id = ANY ($2)", pgx.QueryExecModeExec, lower, ids)
	if err == nil {
		var h Holder
		_, err = pgx.ForEachRow(rows, []any{&h.ID, &h.Schema, &h.Domains}, func() error {
			taken.IDs[h.ID], taken.Tenants[strings.ToLower(h.Schema)] = true, h
			h.Domains = nil // those of the next tenant are not written over these
			return nil
		})
	}
	if err == nil {
		rows, err = r.pool.Query(ctx, "SELECT d.domain, t.schema_name FROM "+r.domains+" AS d JOIN "+r.tenants+" AS t ON t.id = d.tenant_id WHERE d.domain = ANY ($1)", pgx.QueryExecModeExec, names)
	}
	if err == nil {
		var domain, schema string
		_, err = pgx.ForEachRow(rows, []any{&domain, &schema}, func() error {
			taken.Domains[domain] = schema
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("look what the registry has: %w", r.tablesError(err))
	}
	return taken, nil
}

// Tables returns the names of the tenants' and the domains' table.
func (r *Registry) Tables() (tenants, domains pgx.Identifier) {
	return slices.Clone(r.config.TenantsTable), slices.Clone(r.config.DomainsTable)
}
