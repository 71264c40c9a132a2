// Package echo shows cotenant with the router github.com/labstack/echo/v5, tried with
// 5.4.4.
//
// echo.WrapMiddleware makes echo's middleware of a Tenancy's, and handlers pass
// c.Request().Context() on. What to watch out for:
//
//   - What a group wraps is run for its routes, what Use wraps for every request, those
//     that no route is found for too: a health check, whose caller knows no host of
//     ours, stays outside of either.
//   - httptenant.PathPrefix takes its prefix off the path, so it must run before echo
//     chooses a route: with Pre, or around the Echo. With Use it is too late, and no
//     route is found.
//   - An echo.Context is used again for another request when the handler returns.
//     Goroutines that outlive it take context.WithoutCancel(c.Request().Context()),
//     which keeps the tenant.
package echo
