package httptenant

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/cotenant/cotenant/tenant"
)

// Resolver says which tenant a request is for. It must be safe for concurrent
// use.
type Resolver interface {
	// Resolve returns the tenant of r. The error wraps tenant.ErrTenantNotFound
	// if the request leads to nobody; any other error means that it could not
	// be found out, such as a database that is down.
	Resolve(r *http.Request) (Match, error)
}

// Match is the answer of a Resolver.
type Match struct {
	// Prefix is what the middleware takes off the front of the URL's path, as
	// it is escaped there, before it calls the handler. Usually empty; see
	// PathPrefix.
	Prefix string
	// Tenant is the tenant that the request is for.
	Tenant *tenant.Tenant
}

// ResolverFunc is a function as a Resolver.
type ResolverFunc func(r *http.Request) (Match, error)

// Resolve calls f.
func (f ResolverFunc) Resolve(r *http.Request) (Match, error) { return f(r) }

// DomainFinder finds tenants by host name. registry.Registry is one.
type DomainFinder interface {
	ByDomain(ctx context.Context, domain tenant.Domain) (*tenant.Tenant, error)
}

// SchemaFinder finds tenants by the name of their schema. registry.Registry is
// one.
type SchemaFinder interface {
	BySchema(ctx context.Context, schema tenant.Schema) (*tenant.Tenant, error)
}

// Host resolves by the host name that the request was sent to: port and case do
// not matter, and one leading "www." is left out. See Proxies for where the name
// comes from; nil trusts no proxy.
func Host(find DomainFinder, proxies *Proxies) Resolver {
	return ResolverFunc(func(r *http.Request) (Match, error) {
		domain, err := proxies.domain(r)
		if err != nil {
			return Match{}, err
		}
		t, err := find.ByDomain(r.Context(), domain)
		return Match{Tenant: t}, err
	})
}

// Subdomain resolves acme.example.com to the tenant with schema acme, where base
// is example.com. A subdomain of a subdomain and base itself lead to nobody; the
// public tenant is reached by a domain of its own, through Host in a Chain.
func Subdomain(find SchemaFinder, base tenant.Domain, proxies *Proxies) Resolver {
	return ResolverFunc(func(r *http.Request) (Match, error) {
		domain, err := proxies.domain(r)
		if err != nil {
			return Match{}, err
		}
		label, ok := strings.CutSuffix(domain.String(), "."+base.String())
		if !ok || base.IsZero() {
			return Match{}, fmt.Errorf("%q is no subdomain of %q: %w", domain, base, tenant.ErrTenantNotFound)
		}
		return bySchema(r, find, label)
	})
}

// PathPrefix resolves /t/acme/products, where prefix is "/t/", to the tenant with
// schema acme, and has the handler see the path /products. Links and redirects that
// the handler writes need the prefix, which Prefix returns; those that
// http.ServeMux sends by itself, to clean a path, lack it.
//
// Cookies and browser storage belong to a host: tenants that share one can read
// each other's, so take this for tenants that trust each other.
func PathPrefix(find SchemaFinder, prefix string) Resolver {
	prefix = "/" + strings.Trim(prefix, "/") + "/"
	if prefix == "//" {
		prefix = "/"
	}
	return ResolverFunc(func(r *http.Request) (Match, error) {
		rest, ok := strings.CutPrefix(r.URL.EscapedPath(), prefix)
		if !ok {
			return Match{}, fmt.Errorf("the path does not begin with %q: %w", prefix, tenant.ErrTenantNotFound)
		}
		escaped, _, _ := strings.Cut(rest, "/")
		name, err := url.PathUnescape(escaped)
		if err != nil {
			return Match{}, fmt.Errorf("%w: %w", tenant.ErrTenantNotFound, err)
		}
		match, err := bySchema(r, find, name)
		match.Prefix = prefix + escaped
		return match, err
	})
}

// Header resolves by the name of a schema in the named header, such as X-Tenant.
//
// Warning: a client can send any header. Use it only where every client may act
// for every tenant, such as an internal service, or where a proxy sets the header
// on each request and removes what the client sent.
func Header(find SchemaFinder, header string) Resolver {
	return ResolverFunc(func(r *http.Request) (Match, error) {
		values := r.Header.Values(header)
		if len(values) != 1 {
			return Match{}, fmt.Errorf("header %s is there %d times, not once: %w", header, len(values), tenant.ErrTenantNotFound)
		}
		return bySchema(r, find, values[0])
	})
}

// Default resolves every request to the tenant with the schema. It is for the end
// of a Chain: with tenant.PublicSchema() unknown hosts see the main site, whether or
// not the public tenant has a row.
func Default(find SchemaFinder, schema tenant.Schema) Resolver {
	return ResolverFunc(func(r *http.Request) (Match, error) {
		t, err := find.BySchema(r.Context(), schema)
		if schema.IsPublic() && errors.Is(err, tenant.ErrTenantNotFound) {
			return Match{Tenant: &tenant.Tenant{Schema: schema}}, nil
		}
		return Match{Tenant: t}, err
	})
}

// Chain asks the resolvers in turn, until one knows the tenant or fails with an
// error that is not tenant.ErrTenantNotFound.
func Chain(resolvers ...Resolver) Resolver {
	return ResolverFunc(func(r *http.Request) (Match, error) {
		err := fmt.Errorf("no resolver: %w", tenant.ErrTenantNotFound)
		for _, resolver := range resolvers {
			var match Match
			match, err = resolver.Resolve(r)
			if !errors.Is(err, tenant.ErrTenantNotFound) {
				return match, err
			}
		}
		return Match{}, err
	})
}

// bySchema finds a tenant by what a client wrote. public is not for clients to
// choose: it is reached by its domain.
func bySchema(r *http.Request, find SchemaFinder, name string) (Match, error) {
	schema, err := tenant.ParseSchema(name)
	if err != nil {
		return Match{}, fmt.Errorf("%w: %w", tenant.ErrTenantNotFound, err)
	}
	if schema.IsPublic() {
		return Match{}, fmt.Errorf("the public tenant is reached by its domain: %w", tenant.ErrTenantNotFound)
	}
	t, err := find.BySchema(r.Context(), schema)
	return Match{Tenant: t}, err
}
