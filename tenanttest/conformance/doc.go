// Package conformance hammers a way in to the database, and finds out whether every
// query on it runs in the schema of the tenant in its context, or fails.
//
// A [Way] is how the application reaches its tenants: a pgxtenant.DB, a plain
// tenant-scoped pool, a *sql.DB, any of them behind a pooler. [Run] takes it through
// named cases, one for each trap that was ever met. [Storm] has many goroutines do
// everything at once over many tenants, while statements are cancelled, backends
// killed, and schemas renamed, dropped and made anew.
//
// Both count afterwards, through a plain connection and by qualified names. Every
// row holds the id of the tenant that it belongs to, and public has a decoy of every
// table. So one row is a leak if it
//
//   - was read, by a call that ended without an error, for a tenant that is not its owner,
//   - or was written, whatever became of the call, into a schema that is not its owner's.
//
// A call that fails has read nothing: rows may have come before its error.
//
// The database must be empty and of no other use: the package makes schemas in it,
// and puts its decoys into public.
package conformance
