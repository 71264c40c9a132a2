// Package pgxtenant scopes pgx to the tenant in the context.
//
//	db, err := pgxtenant.New(ctx, config)
//	…
//	ctx = tenant.NewContext(ctx, t)
//	rows, err := db.Query(ctx, "SELECT name FROM products") // t's products
//
// Every call on a [DB] runs in the schema of the tenant in ctx, or fails: without a
// tenant nothing is sent, and where the schema does not exist nothing is executed.
// The path is set on the wire, with the application's own statement, at every acquire
// of a connection. A schema that is renamed or dropped while a connection or a
// transaction holds it is not noticed before the next acquire.
//
// Not there yet: poolers such as PgBouncer (see CheckServer), a statement cache that
// is kept for each tenant, and undoing what a session can carry from one tenant to
// the next besides the path (temporary tables, SET ROLE and the like).
package pgxtenant
