package grpctenant

import (
	"context"
	"net"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/cotenant/cotenant/tenant"
)

// Resolver says which tenant a call is for. It must be safe for concurrent use. An
// error wraps tenant.ErrTenantNotFound if the call leads to nobody, or is one of
// package status, which the client gets as it is; any other means that it could not
// be found out.
type Resolver func(ctx context.Context) (*tenant.Tenant, error)

// DomainFinder finds tenants by host name. registry.Registry is one.
type DomainFinder interface {
	ByDomain(ctx context.Context, domain tenant.Domain) (*tenant.Tenant, error)
}

// SchemaFinder finds tenants by the name of their schema. registry.Registry is one.
type SchemaFinder interface {
	BySchema(ctx context.Context, schema tenant.Schema) (*tenant.Tenant, error)
}

// Authority resolves by the host name that the call was sent to; the port does not
// matter.
func Authority(find DomainFinder) Resolver {
	return func(ctx context.Context) (*tenant.Tenant, error) {
		authority, ok := only(ctx, ":authority")
		if !ok {
			return nil, tenant.ErrTenantNotFound
		}
		if host, _, err := net.SplitHostPort(authority); err == nil {
			authority = host
		}
		domain, err := tenant.ParseDomain(authority)
		if err != nil {
			return nil, tenant.ErrTenantNotFound
		}
		return find.ByDomain(ctx, domain)
	}
}

// Metadata resolves by the name of a schema under the key, which is sent in lower
// case. A call without it is unauthenticated: nobody has said who calls.
//
// Warning: a client can send any metadata; see the package's comment.
func Metadata(find SchemaFinder, key string) Resolver {
	return func(ctx context.Context) (*tenant.Tenant, error) {
		name, ok := only(ctx, key)
		if !ok {
			return nil, status.Errorf(codes.Unauthenticated, "metadata %q must be there once", key)
		}
		schema, err := tenant.ParseSchema(name)
		if err != nil || schema.IsPublic() { // public is not for clients to choose
			return nil, tenant.ErrTenantNotFound
		}
		return find.BySchema(ctx, schema)
	}
}

// only returns what the call's metadata has under the key, if that is one value:
// which of two was meant is not ours to guess.
func only(ctx context.Context, key string) (string, bool) {
	values := metadata.ValueFromIncomingContext(ctx, key)
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}
