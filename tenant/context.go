package tenant

import (
	"context"
	"fmt"
	"sync/atomic"
)

type contextKey struct{}

// binding is what a context carries: the tenant, whether the shared tables are out
// of sight, and while the tenant is being created the state of its transaction.
type binding struct {
	tenant        *Tenant
	withoutPublic bool
	pending       *atomic.Bool
}

// NewContext returns a context that carries t. Everything that is given this
// context works in t's schema.
//
// A tenant without a schema (nil, or made without ParseSchema) is nobody: the
// returned context then hides any tenant of ctx, and FromContext returns
// ErrNoTenant.
func NewContext(ctx context.Context, t *Tenant) context.Context {
	return context.WithValue(ctx, contextKey{}, binding{tenant: t})
}

// FromContext returns the tenant of ctx. The error is ErrNoTenant.
func FromContext(ctx context.Context) (*Tenant, error) {
	b, _ := ctx.Value(contextKey{}).(binding)
	if b.tenant == nil || b.tenant.Schema.IsZero() {
		return nil, ErrNoTenant
	}
	return b.tenant, nil
}

// Public returns a context for work on the shared tables: FromContext returns
// the public tenant, with ID 0, whether or not the registry has a row for it.
func Public(ctx context.Context) context.Context {
	return NewContext(ctx, &Tenant{Schema: PublicSchema()})
}

// WithoutPublic returns a context for work in the schema of ctx's tenant alone: a
// name that is not there is an error, where otherwise it would be looked for among
// the shared tables. It holds until NewContext puts a tenant into the context
// again. The public tenant goes on to see public.
func WithoutPublic(ctx context.Context) context.Context {
	b, _ := ctx.Value(contextKey{}).(binding)
	b.withoutPublic = true
	return context.WithValue(ctx, contextKey{}, b)
}

// SeesPublic reports whether the shared tables are in sight of ctx's tenant: they
// are, unless WithoutPublic hid them.
func SeesPublic(ctx context.Context) bool {
	b, _ := ctx.Value(contextKey{}).(binding)
	return !b.withoutPublic || b.tenant != nil && b.tenant.IsPublic()
}

// NewPending returns a context that carries t while t is being created:
// FromContext returns t, but Settled refuses it until commit is called, because
// on any other connection the schema does not exist. It is for the package that
// creates tenants. Calling commit more than once is harmless; without it the
// context stays refused.
func NewPending(ctx context.Context, t *Tenant) (pending context.Context, commit func()) {
	b := binding{tenant: t, pending: new(atomic.Bool)}
	b.pending.Store(true)
	return context.WithValue(ctx, contextKey{}, b), func() { b.pending.Store(false) }
}

// Settled returns the tenant of ctx for work on a connection of one's own, as
// FromContext does, but refuses one that is still being created. It is for
// packages that give out connections. The errors are ErrNoTenant and
// ErrUncommitted.
func Settled(ctx context.Context) (*Tenant, error) {
	t, err := FromContext(ctx)
	if err != nil {
		return nil, err
	}
	if b, _ := ctx.Value(contextKey{}).(binding); b.pending != nil && b.pending.Load() {
		return nil, fmt.Errorf("%v: %w", t, ErrUncommitted)
	}
	return t, nil
}
