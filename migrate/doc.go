// Package migrate brings the tables of apps into schemas, and keeps a fleet of them
// together: those of shared apps in public, those of tenant apps in the schema of
// every tenant, however many there are.
//
// # Apps
//
// An [App] is a folder, on disk or in an embed.FS:
//
//	shop/schema.sql                   the current state, for new schemas
//	shop/migrations/0001_initial.sql  how existing schemas get there
//	shop/migrations/0002_prices.sql
//
// Either may be missing.
//
//   - Where both are there, a schema that has nothing of the app yet gets schema.sql,
//     and the migrations are recorded as faked: so every change goes into both, as the
//     new state and as a migration. A schema.sql that lags behind gives new tenants less
//     than the others have, and no run notices: their histories are the same.
//   - Where there is schema.sql alone, [Fleet.Sync] creates in the schemas that exist what
//     it has and they lack. It alters and drops nothing: what differs is told, and needs
//     migrations.
//   - Where there are migrations alone, every schema gets all of them.
//
// Migrations are plain SQL, or files of goose, golang-migrate, dbmate, sql-migrate or
// tern, told apart by their content, or functions in Go ([Migration]). They run in the
// order of their numbers, an app's after that of the apps before it; a comment line
//
//	-- cotenant:requires customers/0002_plans
//
// has another app's run first. A migration that is numbered below one that ran already
// runs when it appears, unless [Config] refuses that. Many old migrations are squashed
// into one by a comment line in it that names them all:
//
//	-- cotenant:replaces 0001_initial 0002_prices
//
// In a schema that has all of them it is recorded in their place, where none ran it runs,
// and where some did, the rest runs before it is recorded. Their files are removed when no
// schema needs them any more. It names all that lie between the first of them and itself, so
// that new schemas get everything in the order in which the others got it, and it stands for
// one generation: what replaced others can be replaced when all schemas have it, by its own
// name, without those. A renamed file says in the same way what it was.
//
// A history with a migration that the program does not know ends a run before anything is
// touched: with [ErrNewer] if it is beyond the newest that the program has of the app, else
// with [ErrGone]. Records of an app that is on no list are left alone.
//
// # A schema's history
//
// What a schema has is recorded in its own table cotenant_migrations, which travels
// with pg_dump --schema. It is the truth. cotenant.schema_versions is an index of all
// histories, written in the same transactions: a digest for each schema, so that one
// query tells who is behind. A schema that was restored or made anew is known by its
// namespace, and its history is read again; a history that was changed by hand is
// noticed with [RunOptions].Verify.
//
// # How a schema is changed
//
// Every file runs in one transaction together with its record, so that it is there as a
// whole or not at all, and all files that a schema lacks go to the server in one round
// trip, one statement a message. That transaction
//
//  1. sets the search path, and proves that the schema is there;
//  2. tries the schema's lock, and fails if another program has it, or if the schema is
//     not as it was when this was planned;
//  3. inserts the record, and takes the index to the next digest;
//  4. goes on as the migrator role, which owns the tenants' schemas, and may read what is
//     in public and refer to it, and no more: what would change shared tables is refused
//     by PostgreSQL, and rolled back;
//  5. runs the file's statements;
//  6. proves that the path is as it was, and, where the file names the history or calls
//     what is not known, that the history is.
//
// Commits are not waited for one by one: a crash of the server can forget the last of
// them, as wholes, and the next run does them again. A run that reports success has
// waited for all (it does so with each one where a hook hears of it).
//
// What PostgreSQL does not run in a transaction, such as CREATE INDEX CONCURRENTLY, and
// files that say so (-- cotenant:no-transaction, or their tool's word for it) run a
// statement at a time. How far they came is remembered, and an index that was left
// invalid is dropped before it is built again.
//
// Locks that are not had within [Config].LockTimeout, deadlocks and lost connections are
// tried again with growing pauses. A run goes on past schemas that fail, and the same run
// again does what is left.
//
// # Limits
//
//   - A file may do to its session what it likes: the next one finds it as it was. What it
//     does outside of the database is its own.
//   - Statements in a function or a DO block are not seen by what reads the files; the
//     migrator role holds them back, where there is one. It is not a wall against malice:
//     a DO block can leave the role.
//   - All tenants' schemas have one owner, so that a DO block in a tenant's file can reach
//     another tenant's.
//   - A migration that is refused in a tenant's schema for the role's sake, and does
//     belong there, must wait for the role's privileges, or run without it.
package migrate
