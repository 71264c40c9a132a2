// Package goose shows that github.com/pressly/goose/v3, tried with 3.29.0, works over
// Tenancy.SQL: a Provider, called with a tenant in ctx, migrates the schema of that, with
// its table of versions there, NO TRANSACTION and CREATE INDEX CONCURRENTLY too. What to
// watch out for:
//
//   - Make a Provider for each tenant. It looks only at its first call whether its table of
//     versions is there: used for a second tenant that has none, it reads public's, if
//     public has one, and does nothing there.
//   - The package-level functions, goose.Up and so on, keep the dialect and the files in
//     global variables; UpContext and its like take ctx. Prefer the Provider.
//   - A session locker works, and has one advisory lock for the whole database unless
//     lock.WithLockID says otherwise: tenants wait for each other.
//   - cotenant's own migrations record what was done and create new tenants with it. goose
//     does neither: call it after Registry.Create, and in a loop over all tenants, for which
//     there is Tenancy.Each.
package goose
