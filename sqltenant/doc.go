// Package sqltenant scopes database/sql to the tenant in the context.
//
//	std := sqltenant.OpenDB(db) // db is a *pgxtenant.DB; Tenancy.SQL does this
//	…
//	ctx = tenant.NewContext(ctx, t)
//	rows, err := std.QueryContext(ctx, "SELECT name FROM products") // t's products
//
// A *sql.DB of it works with all that is built on database/sql: GORM, ent, bun, sqlx,
// sqlc, squirrel, goose. Every call runs in the schema of the tenant in its context, or
// fails with tenant.ErrNoTenant before anything is sent. So libraries must be given the
// context: gorm.DB.WithContext(ctx), sqlx's …Context methods; a call without one has no
// tenant.
//
// # Two ways
//
// [OpenDB] stands on a pgxtenant.DB and keeps all of its promises: the path costs no
// round trip, it is proven before and behind each statement, and what pgx and
// PostgreSQL remember they remember for one tenant. It shares the pool of that DB, so
// that a program may use pgx and database/sql at once.
//
// [Wrap] stands on any other driver for PostgreSQL, such as lib/pq. It sets and proves
// the path with a statement of its own, which costs a round trip, and it can only look
// in front of a statement, not behind; see there.
//
// # What belongs to whom
//
// A sql.Tx belongs to the tenant that began it, a sql.Conn to the one of the context
// that it was taken with, or of its first call, until they end: another tenant's
// context is refused with tenant.ErrOtherTenant. A sql.Stmt belongs to nobody: prepared under one tenant and
// run by another, it runs in the schema of the other.
//
// # Which way, in which mode, behind which pooler
//
//	way in                     mode                      server itself  PgBouncer,    PgBouncer,
//	                                                     14 to 18       sessions      transactions
//	-------------------------  ------------------------  -------------  ------------  ------------
//	pgxtenant.DB, its Pool,    on_change                 yes            ErrPooler     ErrPooler
//	OpenDB                     every_acquire             yes            ErrPooler     ErrPooler
//	                           transaction               yes            yes           yes
//	Wrap, any other driver     LimitSetCalls             yes            do not use    ErrPooler
//	                           every acquire (default)   yes            do not use    ErrPooler
//
// "auto", the default, is on_change from PostgreSQL 18 on and every_acquire below it,
// where nobody tells if the application changes the path out of sight: there on_change
// trusts it. ErrPooler is pgxtenant's or this package's, with the cure in it. Every
// cell is tried by tenanttest/conformance, those that refuse as well.
//
// A pooler that pools statements refuses transactions, so cotenant.Open does not take
// it; a pgxtenant.DB in the mode transaction has single statements through it.
//
// A driver that is wrapped cannot tell which process id was announced to it, so a
// pooler of transactions is found by what it does, when the first connection is made
// and whenever the path is set, which with LimitSetCalls is more rarely; one of sessions
// looks like the server itself. Do not use one: told to pool transactions, it leaks
// what comes before that is noticed. Nor a connector that gives out sessions of a pool
// of its own, such as stdlib.GetPoolConnector.
package sqltenant
