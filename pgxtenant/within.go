package pgxtenant

import (
	"context"
	"fmt"

	"github.com/cotenant/cotenant/tenant"
)

// InSchema calls fn with a context of the tenant whose schema it is, as
// tenant.NewContext makes it. Whether the schema exists is proven by the first
// statement, not before. Where ctx carries the schema's tenant already, that is
// kept; else the tenant has no ID, only the schema. A zero Schema is
// tenant.ErrInvalidSchema, and fn is not called.
func (db *DB) InSchema(ctx context.Context, schema tenant.Schema, fn func(ctx context.Context) error) error {
	if schema.IsZero() {
		return fmt.Errorf("%w: it is empty (make it with tenant.ParseSchema)", tenant.ErrInvalidSchema)
	}
	t, err := tenant.FromContext(ctx)
	if err != nil || t.Schema != schema {
		t = &tenant.Tenant{Schema: schema}
	}
	return fn(tenant.NewContext(ctx, t))
}

// InTenant calls fn with a context of t, as tenant.NewContext makes it. A nil
// tenant, and one without a schema, is tenant.ErrNoTenant, and fn is not called.
func (db *DB) InTenant(ctx context.Context, t *tenant.Tenant, fn func(ctx context.Context) error) error {
	ctx = tenant.NewContext(ctx, t)
	if _, err := tenant.FromContext(ctx); err != nil {
		return err
	}
	return fn(ctx)
}
