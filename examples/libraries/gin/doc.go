// Package gin shows cotenant with the router github.com/gin-gonic/gin, tried with
// 1.12.0.
//
// gin takes no middleware of net/http; the function wrap of the example makes it one.
// Where every route is a tenant's, tenancy.Middleware(nil)(engine) does without.
// Handlers pass c.Request.Context() on. What to watch out for:
//
//   - A gin.Context is a context.Context, and so the compiler takes db.Query(c, …), which
//     fails with tenant.ErrNoTenant: c does not ask the request's context, neither for the
//     tenant nor whether the client has gone. It does with engine.ContextWithFallback, but
//     is then still what the next item says.
//   - A gin.Context is used again for another request, of another tenant, when the handler
//     returns. Goroutines that outlive it take context.WithoutCancel(c.Request.Context()).
//   - httptenant.PathPrefix takes its prefix off the path, and gin chooses the route before
//     any middleware: it must stand around the engine.
package gin
