// Package pgxtenant scopes pgx to the tenant in the context.
//
//	db, err := pgxtenant.New(ctx, pool, nil) // pool is of pgxpool.ParseConfig
//	…
//	ctx = tenant.NewContext(ctx, t)
//	rows, err := db.Query(ctx, "SELECT name FROM products") // t's products
//
// Every call on a [DB] runs in the schema of the tenant in ctx, or fails: without a
// tenant nothing is sent, and where the schema does not exist nothing is done.
//
// # A query's way
//
// The call takes a connection from the pool. If the path of that is not known to be
// the tenant's, what sets it goes out with the application's own statement, in the
// same write, and in front of it: a tenant costs no round trip. The path is
//
//	"tenant", public, the ExtraSchemas, pg_temp
//
// and "tenant", pg_temp with tenant.WithoutPublic. The [Mode] says when it is set.
//
// A path whose schema does not exist leads to public, so PostgreSQL looks the schema
// up when each statement begins, and once more when it has ended, as parts of the
// same transaction. If the first look fails, the statement is not executed. If the
// second does, the schema was dropped or renamed meanwhile, and what the statement
// wrote is undone; what it read may be of public, and its error says so.
//
// # The tag
//
// Behind each statement stands a comment that names the tenant, in the form of
// sqlcommenter:
//
//	SELECT name FROM products /*tenant='acme'*/
//
// So what pgx and PostgreSQL remember of a statement, they remember for one tenant:
// the types of its columns, and its plan, which would have to be made anew at every
// change of tenants. The log and pg_stat_activity show whose it is;
// pg_stat_statements leaves comments out. The tracer of the application is shown
// the statement without it, and a pgx.QueryRewriter too.
//
// # What is remembered
//
// The first time that a statement comes, it is described: the server tells the types
// of its parameters and columns, which each connection remembers for the last
// DescriptionCache of them. If it comes again while it is among the last
// StatementCache statements of the DB, it pays to prepare it: the server keeps its
// plan. Either costs a round trip on each connection, once, and both give the same
// values and errors for every Go type. Exec without arguments does neither, as in
// pgx, and a batch is described and never prepared.
//
// A prepared statement takes 25 KB of the server's memory, a join of four tables with
// many indexes 75 KB (measured on PostgreSQL 15), so the default of 2048 comes to 50
// to 150 MB for each connection, if they are all in use: 100 tenants with 20
// statements each, which never thrash. 1,000 such tenants in turn have 20,000
// statements, of which none comes back in time: they are described and the server
// keeps nothing. A description takes about 0.5 KB here, so the default of 32768 comes
// to 16 MB for each connection; one that is new takes 2 MB for the empty table.
//
// When a table has changed, what is remembered of a statement may be wrong.
// PostgreSQL refuses it then ("cached plan must not change result type" and others),
// and Exec, Query and QueryRow try once more, unless a transaction is open, which the
// refusal has ended, or the caller has been shown the columns. Types that are made
// anew or altered by a migration (ALTER TYPE … ADD ATTRIBUTE) are not noticed while a
// connection knows them: call DB.Reset after it.
//
// # Nothing carries over
//
// A connection in which the application may have left something (a temporary table,
// a cursor WITH HOLD, an advisory lock, a role or another setting, LISTEN) is closed
// when it is released, and so is one that has served more than MaxTenants tenants: a
// server process keeps catalog entries of each schema that it has touched. Settings
// for all tenants belong into pgxpool.Config.AfterConnect, which runs before there is
// a tenant; a PrepareConn that changes settings has the connection closed each time.
// Nor should it prepare statements whose types differ by tenant. In the mode
// Transaction the session is the pooler's, and goes on: what would leave something in
// it is refused there.
//
// A transaction, an acquired connection and what pgx gives out of them belong to the
// tenant that they were begun for, and refuse another's context with
// [tenant.ErrOtherTenant], before anything is sent.
//
// # Behind a pooler
//
// A pooler of transactions, such as PgBouncer with pool_mode = transaction, gives each
// transaction any of its sessions, and a path that was set in one serves whoever comes
// next. The mode [Transaction] is for that: the path is set with SET LOCAL's means, in
// front of each statement and for its transaction only, in the same write: still one
// round trip. It is right behind every pooler, whatever that pools and is told
// meanwhile, and without one. In the other modes a pooler is refused with [ErrPooler],
// also one of sessions, which could be told to pool transactions while we have a path
// set in its session: each new connection is looked at, by the process id that it
// announced, and cotenant.Open says what the pooler seems to do ([DetectPooling]).
//
// What a session keeps would be the next client's, so in the mode Transaction
//
//   - statements are described and remembered (pgx.QueryExecModeCacheDescribe), or sent
//     in QueryExecModeExec or QueryExecModeSimpleProtocol if the call or the connection
//     string (default_query_exec_mode) says so. pgx's own default, cache_statement, is taken
//     for cache_describe there. QueryExecModeDescribeExec is refused, and so are
//     QueryExecModeCacheStatement for a call and Prepare with a name ([ErrPrepared]):
//     PgBouncer before 1.21 does not know prepared statements, and we do not use them
//     through a later one;
//   - what would leave something in the session is refused with [ErrLeaves]: SET
//     without LOCAL, also of search_path, temporary tables that outlive the transaction, LISTEN, advisory
//     locks of the session. SET LOCAL, ON COMMIT DROP and pg_advisory_xact_lock work;
//   - what PostgreSQL runs only by itself is refused with [ErrAlone]: VACUUM, CREATE
//     INDEX CONCURRENTLY, and CALL with arguments outside of a transaction.
//
// A second DB, on the server itself, is the way out for those: cotenant's
// Tenancy.Direct, over Config.DirectURL. Which ways in there are for which pooler is
// a table in package sqltenant.
//
// PostgreSQL 18 tells its client when the path changes, and PgBouncer (since 1.20) can
// have each client keep its own: track_extra_parameters = search_path in its [pgbouncer]
// section. Programs that SET search_path by hand do not leak through it then. It
// does not show whether a pooler is set up like that, so cotenant does not rely on it;
// beside the mode Transaction it does no harm.
//
// # Limits
//
//   - Schemas are found by name. A schema that is renamed away and back while a
//     statement runs is not noticed, nor one whose name another tenant gets while a
//     transaction is open or a context lives: let some time pass before a name is
//     used again.
//   - PostgreSQL shows that the tables of a dropped schema are gone a moment before it
//     tells other sessions that the schema is. Rename a schema away before you drop
//     it, in a transaction of its own: then nobody can be in between.
//   - Nor does it tell at once of the functions in a schema that was made: where public
//     has one of the same name, that may be called for a moment after the commit. A
//     schema is safe to use when the call that committed it has returned.
//   - What a procedure or a DO block does behind a COMMIT of its own is not looked after:
//     that the schema was dropped or renamed meanwhile is told, and not undone.
//   - What a function does to the session is not seen: SET ROLE, settings, temporary
//     tables, advisory locks. A search_path that it sets is put right at the next
//     acquire, but in the mode OnChange below PostgreSQL 18. What lastval() returns
//     carries over.
//   - A role that may not use the tenant's schema is refused: PostgreSQL passes such a
//     schema over without a word. That is looked at when a connection first serves a
//     tenant, and behind what sets a role; not within a text that sets one
//     and sets it back.
//   - Triggers that are deferred run at COMMIT, where nothing can stand behind them.
//   - Statements that PostgreSQL runs only by themselves, such as VACUUM, and texts
//     with a BEGIN or ROLLBACK among others, wait for the path to be set: a round trip
//     where it is not right already.
//   - CopyFrom describes its table each time. A batch is not tried again.
//   - pgconn.PgConn, which pgx.Conn.PgConn gives out, does not check contexts. Its
//     ExecBatch writes past what sets the path, and is refused with the connection.
package pgxtenant
