// Package migrate brings the tables of apps into schemas: those of shared apps
// into public, those of tenant apps into the schema of every tenant.
//
// An [App] is a folder, on disk or in an embed.FS:
//
//	shop/schema.sql                   the current state, for new schemas
//	shop/migrations/0001_initial.sql  how existing schemas get there
//	shop/migrations/0002_prices.sql
//
// Either may be missing. Where both are there, a schema that has nothing of the
// app yet gets schema.sql, and the migrations are recorded as faked: so every
// change goes into both, as the new state and as a migration.
//
// What a schema has is recorded in its own table cotenant_migrations, which
// travels with pg_dump --schema. Every file runs in one transaction together
// with its record, so that it is there as a whole or not at all.
//
// A migration that is numbered below one that ran already runs when it appears.
//
// A file may do to its session what it likes: the next one finds it as it was. It
// may not do everything to the database: a tenant's file that writes to public,
// qualified or because its own schema lacks the table, is not held back yet.
//
// Not there yet: Down migrations and the annotations of goose, golang-migrate
// and dbmate (a file that has them is refused), sync of a changed schema.sql
// into schemas that exist, several schemas at a time.
package migrate
