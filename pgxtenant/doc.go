// Package pgxtenant scopes a pgx connection pool to the tenant in the context.
//
//	pool, err := pgxtenant.NewPool(ctx, config)
//	…
//	ctx = tenant.NewContext(ctx, t)
//	rows, err := pool.Query(ctx, "SELECT name FROM products") // t's products
//
// Whatever acquires a connection from the pool gets one whose search_path leads
// to the schema of the tenant in ctx, or an error: without a tenant nothing is
// sent, and a schema that does not exist is refused instead of reading public
// in its place. That is looked at when the connection is acquired: a schema that is
// renamed or dropped while a connection or a transaction holds it is not noticed
// before the next acquire.
//
// Not there yet: setting the path without a round trip of its own, poolers such
// as PgBouncer (see CheckServer), and undoing what a session can carry from one
// tenant to the next besides the path (temporary tables, SET ROLE and the like).
package pgxtenant
