// Package chi shows cotenant with the router github.com/go-chi/chi/v5, tried with
// 5.5.0.
//
// The middleware of a Tenancy is what chi takes, and handlers pass r.Context() on.
// What to watch out for:
//
//   - Use comes before the routes of the same router, or chi panics. A Group keeps
//     routes out that have no tenant, such as a health check, whose caller knows no
//     host of ours.
//   - httptenant.PathPrefix takes its prefix off the path, so it must run before chi
//     chooses a route: with Use on the outermost router, or around that. In a Group or
//     a router that is mounted it is too late, and no route is found.
package chi
