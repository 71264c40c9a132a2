package grpctenant_test

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	grpctenant "github.com/cotenant/cotenant/examples/libraries/grpc"
	"github.com/cotenant/cotenant/tenant"
)

// finder knows acme, and cannot say who is down.
type finder struct{}

func (finder) BySchema(_ context.Context, schema tenant.Schema) (*tenant.Tenant, error) {
	switch schema.String() {
	case "acme", "public":
		return &tenant.Tenant{ID: 1, Schema: schema}, nil
	case "down":
		return nil, errors.New("connection refused")
	}
	return nil, tenant.ErrTenantNotFound
}

func (f finder) ByDomain(ctx context.Context, domain tenant.Domain) (*tenant.Tenant, error) {
	schema, err := tenant.ParseSchema(domain.String())
	if err != nil {
		return nil, tenant.ErrTenantNotFound
	}
	return f.BySchema(ctx, schema)
}

func TestCodes(t *testing.T) {
	t.Parallel()

	authority := grpctenant.Authority(finder{})
	byKey := grpctenant.Metadata(finder{}, "tenant")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name     string
		resolve  grpctenant.Resolver
		metadata []string
		want     codes.Code
	}{
		{"host", authority, []string{":authority", "acme"}, codes.OK},
		{"host and port", authority, []string{":authority", "Acme:50051"}, codes.OK},
		{"nobody's host", authority, []string{":authority", "globex"}, codes.NotFound},
		{"address", authority, []string{":authority", "[::1]:50051"}, codes.NotFound},
		{"no host", authority, nil, codes.NotFound},
		{"host, database down", authority, []string{":authority", "down"}, codes.Unavailable},
		{"key", byKey, []string{"tenant", "acme"}, codes.OK},
		{"no key", byKey, []string{":authority", "acme"}, codes.Unauthenticated},
		{"key twice", byKey, []string{"tenant", "acme", "tenant", "acme"}, codes.Unauthenticated},
		{"nobody's key", byKey, []string{"tenant", "globex"}, codes.NotFound},
		{"public", byKey, []string{"tenant", "public"}, codes.NotFound},
		{"no schema's name", byKey, []string{"tenant", `x"; DROP`}, codes.NotFound},
		{"key, database down", byKey, []string{"tenant", "down"}, codes.Unavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			called := false
			handler := func(ctx context.Context, _ any) (any, error) {
				called = true
				found, err := tenant.FromContext(ctx)
				if err != nil || found.Schema.String() != "acme" {
					t.Errorf("the handler's tenant: %v, %v", found, err)
				}
				return nil, nil
			}
			ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(tt.metadata...))
			_, err := grpctenant.Unary(tt.resolve)(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/notes.Notes/Add"}, handler)
			if got := status.Code(err); got != tt.want || called != (got == codes.OK) {
				t.Errorf("%v, handler called: %t; want %v", err, called, tt.want)
			}
		})
	}
	ctx := metadata.NewIncomingContext(canceled, metadata.Pairs("tenant", "down"))
	_, err := grpctenant.Unary(byKey)(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/notes.Notes/Add"}, nil)
	if got := status.Code(err); got != codes.Canceled {
		t.Errorf("canceled: %v; want %v", err, codes.Canceled)
	}
}

// A health check comes from a load balancer, which is no tenant's.
func TestHealth(t *testing.T) {
	t.Parallel()

	handler := func(ctx context.Context, _ any) (any, error) {
		_, err := tenant.FromContext(ctx)
		return nil, err
	}
	info := &grpc.UnaryServerInfo{FullMethod: "/grpc.health.v1.Health/Check"}
	_, err := grpctenant.Unary(grpctenant.Authority(finder{}))(t.Context(), nil, info, handler)
	if !errors.Is(err, tenant.ErrNoTenant) {
		t.Errorf("%v; want the handler's %v", err, tenant.ErrNoTenant)
	}
}
