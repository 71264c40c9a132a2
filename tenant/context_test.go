package tenant_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cotenant/cotenant/tenant"
)

func TestContext(t *testing.T) {
	t.Parallel()

	ctx := t.Context()
	if _, err := tenant.FromContext(ctx); !errors.Is(err, tenant.ErrNoTenant) {
		t.Errorf("FromContext without a tenant: %v", err)
	}
	acme := &tenant.Tenant{ID: 1, Schema: tenant.MustParseSchema("acme")}
	ctx = tenant.NewContext(ctx, acme)
	if got, err := tenant.FromContext(ctx); got != acme || err != nil {
		t.Errorf("FromContext = %v, %v", got, err)
	}
	if got, err := tenant.Settled(ctx); got != acme || err != nil {
		t.Errorf("Settled = %v, %v", got, err)
	}

	// A tenant that is nobody hides the outer one: it does not fall back.
	for _, nobody := range []*tenant.Tenant{nil, {}, {ID: 7}} {
		if got, err := tenant.FromContext(tenant.NewContext(ctx, nobody)); !errors.Is(err, tenant.ErrNoTenant) {
			t.Errorf("FromContext under %v = %v, %v", nobody, got, err)
		}
	}

	public, err := tenant.FromContext(tenant.Public(ctx))
	if err != nil || !public.IsPublic() || public.ID != 0 {
		t.Errorf("FromContext(Public) = %v, %v", public, err)
	}
}

func TestPending(t *testing.T) {
	t.Parallel()

	acme := &tenant.Tenant{ID: 1, Schema: tenant.MustParseSchema("acme")}
	ctx, commit := tenant.NewPending(t.Context(), acme)
	if got, err := tenant.FromContext(ctx); got != acme || err != nil {
		t.Errorf("FromContext = %v, %v", got, err)
	}
	if _, err := tenant.Settled(ctx); !errors.Is(err, tenant.ErrUncommitted) {
		t.Errorf("Settled before commit: %v", err)
	}
	if _, err := tenant.Settled(tenant.Public(ctx)); err != nil {
		t.Errorf("Settled for public inside: %v", err)
	}
	commit()
	commit()
	if got, err := tenant.Settled(ctx); got != acme || err != nil {
		t.Errorf("Settled after commit = %v, %v", got, err)
	}
}

func TestTenantIs(t *testing.T) {
	t.Parallel()

	acme := &tenant.Tenant{ID: 1, Schema: tenant.MustParseSchema("acme")}
	public := &tenant.Tenant{ID: 2, Schema: tenant.PublicSchema()}
	rowless := &tenant.Tenant{Schema: tenant.PublicSchema()}
	renamed := &tenant.Tenant{ID: 1, Schema: tenant.MustParseSchema("acme2")}
	recreated := &tenant.Tenant{ID: 3, Schema: tenant.MustParseSchema("acme")}
	for _, tt := range []struct {
		a, b *tenant.Tenant
		want bool
	}{
		{acme, acme, true},
		{acme, &tenant.Tenant{ID: 1, Schema: tenant.MustParseSchema("acme")}, true},
		{public, rowless, true},
		{acme, public, false},
		{acme, renamed, true},
		{&tenant.Tenant{Schema: acme.Schema}, &tenant.Tenant{Schema: acme.Schema}, true},
		{&tenant.Tenant{Schema: acme.Schema}, &tenant.Tenant{Schema: renamed.Schema}, false},
		{acme, recreated, false},
		{acme, nil, false},
		{nil, acme, false},
	} {
		if got := tt.a.Is(tt.b); got != tt.want {
			t.Errorf("%v.Is(%v) = %t", tt.a, tt.b, got)
		}
	}
}

func TestWithoutPublic(t *testing.T) {
	t.Parallel()

	acme := &tenant.Tenant{ID: 1, Schema: tenant.MustParseSchema("acme")}
	ctx := tenant.NewContext(t.Context(), acme)
	alone := tenant.WithoutPublic(ctx)
	if got, err := tenant.FromContext(alone); got != acme || err != nil {
		t.Errorf("FromContext = %v, %v", got, err)
	}
	for name, tt := range map[string]struct {
		ctx  context.Context
		want bool
	}{
		"tenant": {ctx, true}, "without": {alone, false}, "a tenant anew": {tenant.NewContext(alone, acme), true},
		"public": {tenant.WithoutPublic(tenant.Public(ctx)), true}, "nobody": {t.Context(), true},
	} {
		if got := tenant.SeesPublic(tt.ctx); got != tt.want {
			t.Errorf("%s: SeesPublic = %t", name, got)
		}
	}
	if _, err := tenant.FromContext(tenant.WithoutPublic(t.Context())); !errors.Is(err, tenant.ErrNoTenant) {
		t.Errorf("WithoutPublic of nobody: %v", err)
	}
	pending, commit := tenant.NewPending(t.Context(), acme)
	if _, err := tenant.Settled(tenant.WithoutPublic(pending)); !errors.Is(err, tenant.ErrUncommitted) {
		t.Errorf("WithoutPublic of a pending tenant: %v", err)
	}
	commit()
	if _, err := tenant.Settled(tenant.WithoutPublic(pending)); err != nil {
		t.Error(err)
	}
}
