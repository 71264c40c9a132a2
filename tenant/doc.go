// Package tenant holds the words that the rest of cotenant speaks: [Tenant],
// [Schema] and [Domain], the place of a tenant in a [context.Context], and the
// errors that every other package wraps.
//
// It imports the standard library and golang.org/x/net/idna only, so that
// application code and adapters can depend on it at no cost.
//
// A tenant travels in a context:
//
//	ctx = tenant.NewContext(ctx, t)     // middleware, a command or a job does this
//	t, err := tenant.FromContext(ctx)   // everything below asks for it
//
// Work on the shared tables says so with [Public].
package tenant
