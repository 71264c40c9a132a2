// Package httptenant finds the tenant of an HTTP request and puts it into the
// request's context.
//
//	byHost := httptenant.Host(registry, nil)
//	middleware := httptenant.New(byHost, &httptenant.Config{Public: mainSite})
//	http.ListenAndServe(addr, middleware(application))
//
// Handlers below the middleware pass r.Context() on, and every query through a
// scoped pool is the tenant's.
//
// A [Resolver] says which tenant a request is for: by host name ([Host]),
// subdomain ([Subdomain]), path ([PathPrefix]) or header ([Header]), or several in
// turn ([Chain]), ending in a default ([Default]) if wanted. A Resolver of one's
// own is one function ([ResolverFunc]).
package httptenant
