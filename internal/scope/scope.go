// Package scope says for whom something is done: a tenant, with the shared tables or
// without them. Every way to the database has the same rules about that.
package scope

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// Owner is for whom a connection was acquired or a transaction begun.
type Owner struct {
	Tenant *tenant.Tenant
	Alone  bool // without the shared tables: tenant.WithoutPublic

	database string // the Database of the configuration, which tenants are compared with
}

// Of returns the owner of what is begun with ctx. The errors are tenant.ErrNoTenant,
// tenant.ErrUncommitted, and tenant.ErrOtherDatabase if both the tenant's database
// and the one given are known and differ.
func Of(ctx context.Context, database string) (Owner, error) {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return Owner{}, err
	}
	if t.Database != database && t.Database != "" && database != "" {
		return Owner{}, fmt.Errorf("%v: %w", t, tenant.ErrOtherDatabase)
	}
	return Owner{t, !tenant.SeesPublic(ctx), database}, nil
}

// Check refuses a context of another tenant, with tenant.ErrOtherTenant, or of none.
func (o Owner) Check(ctx context.Context) error {
	other, err := Of(ctx, o.database)
	if err != nil {
		return err
	}
	if !other.Is(o) {
		return fmt.Errorf("%v on what was begun for %v: %w", other, o, tenant.ErrOtherTenant)
	}
	return nil
}

// Is reports whether both are the same tenant, and see the same tables.
func (o Owner) Is(other Owner) bool { return o.Tenant.Is(other.Tenant) && o.Alone == other.Alone }

// Context returns ctx with the owner in place of whatever tenant it carries.
func (o Owner) Context(ctx context.Context) context.Context {
	ctx = tenant.NewContext(ctx, o.Tenant)
	if o.Alone {
		ctx = tenant.WithoutPublic(ctx)
	}
	return ctx
}

// SearchPath returns the value of search_path for the owner's work.
func (o Owner) SearchPath(extra []tenant.Schema) string {
	if o.Alone {
		return searchpath.Alone(o.Tenant.Schema)
	}
	return searchpath.For(o.Tenant.Schema, extra...)
}

// Place is where an owner's statements run. It tells what is remembered for one
// place from what is for another; a tenant that is made anew has a new one.
type Place struct {
	id     int64
	schema tenant.Schema
	alone  bool
}

// Place returns the owner's.
func (o Owner) Place() Place { return Place{o.Tenant.ID, o.Tenant.Schema, o.Alone} }

// Tag returns the comment that stands behind the owner's statements, in the form of
// https://google.github.io/sqlcommenter: keys in order, values URL-encoded, so that
// nothing in one can end the comment. Owners with different paths have different
// ones.
func (o Owner) Tag() string {
	tag := "tenant='" + url.QueryEscape(o.Tenant.Schema.String()) + "'*/"
	if o.Alone {
		return " /*public='false'," + tag
	}
	return " /*" + tag
}

// IsBlank reports whether sql says nothing, so that there is nothing to tag.
func IsBlank(sql string) bool { return strings.TrimSpace(sql) == "" }

// String names the owner for people.
func (o Owner) String() string {
	if o.Alone {
		return o.Tenant.String() + " without public"
	}
	return o.Tenant.String()
}

// Missing returns err in the words of the house: that the owner's schema does not
// exist, which err says in PostgreSQL's. It wraps tenant.ErrSchemaNotFound.
func (o Owner) Missing(err error) error {
	return fmt.Errorf("%v: schema %q: %w (was the tenant deleted or renamed? look it up again): %w", o.Tenant, o.Tenant.Schema, tenant.ErrSchemaNotFound, err)
}
