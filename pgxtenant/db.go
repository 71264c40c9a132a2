package pgxtenant

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DB is a pool whose every statement runs in the schema of the tenant in its
// context, or fails. It has the methods of *pgxpool.Pool that statements are sent
// with, and stands in for one in generated code (sqlc's DBTX) and in code written by
// hand. It is safe for concurrent use.
//
// The path costs no round trip: what sets it, and proves that the schema exists,
// goes out with the application's own statement, which the server does not execute
// if it fails. (Statements that PostgreSQL runs only by themselves, such as VACUUM,
// wait for its answer.)
//
// A call fails with tenant.ErrNoTenant if its context carries no tenant, and with
// tenant.ErrUncommitted if that is still being created, and with tenant.ErrOtherDatabase if
// it is known to be of another database, before anything is sent.
// Where the tenant's schema does not exist, the error wraps
// tenant.ErrSchemaNotFound, and nothing of the call was executed.
//
// A transaction or an acquired connection belongs to the tenant that it was begun
// for: a call on it with another tenant's context fails with tenant.ErrOtherTenant, before
// anything is sent.
type DB struct {
	config Config
	pool   *pgxpool.Pool
	mode   pgx.QueryExecMode // for statements that are not prepared; 0 leaves the choice to pgx
	texts  *texts            // those to prepare when they come back; nil if none are
}

// New makes a DB of pool, which must come from pgxpool.ParseConfig and is not
// modified. Its hooks are called as pgxpool calls them: PrepareConn when the
// tenant's path is due with the next statement, AfterConnect before there is any
// tenant. BeforeAcquire, which pgxpool ignores beside PrepareConn, is refused.
//
// The statements of DB are prepared or described as Config.StatementCache says,
// unless pool has another mode than pgx's default: with default_query_exec_mode
// cache_describe none is prepared, and in the others nothing is remembered.
func New(ctx context.Context, pool *pgxpool.Config, config *Config) (*DB, error) {
	c, err := config.withDefaults()
	if err == nil {
		err = c.validatePool(pool)
	}
	if err != nil {
		return nil, fmt.Errorf("pgxtenant: %w", err)
	}
	db := &DB{config: c}
	switch pool.ConnConfig.DefaultQueryExecMode {
	case pgx.QueryExecModeCacheStatement:
		db.mode = pgx.QueryExecModeCacheDescribe
		if c.StatementCache > 0 {
			if db.texts, err = newTexts(c.StatementCache); err != nil {
				return nil, fmt.Errorf("pgxtenant: %w", err)
			}
		}
	case pgx.QueryExecModeCacheDescribe:
		db.mode = pgx.QueryExecModeCacheDescribe
	default:
	}
	if db.pool, err = db.newPool(ctx, pool); err != nil {
		return nil, err
	}
	return db, nil
}

// Pool returns the pool itself, for libraries that insist on one; it is closed with
// the DB. What is acquired from it is in the schema of the tenant in the context
// that acquires it, and stays there. Its limits:
//
//   - Statements are not tagged, so nothing may be remembered of one: each costs a
//     round trip to describe it (in the mode Transaction pgx guesses the types
//     instead: QueryExecModeExec). Do not ask for QueryExecModeCacheStatement or
//     QueryExecModeCacheDescribe.
//   - Another tenant's context on a connection or transaction is refused, with an
//     error that wraps tenant.ErrOtherTenant and speaks of a context that is done. A Begin
//     that is refused so closes the connection.
//   - An error about a schema that does not exist is PostgreSQL's own, a
//     *pgconn.PgError with SQLSTATE 3F000.
//   - Nothing is tried again.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// Acquire returns a connection for the tenant in ctx. The caller must Release it.
func (db *DB) Acquire(ctx context.Context) (*Conn, error) {
	o, err := db.ownerOf(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, refused(o, err)
	}
	return &Conn{owner: o, conn: conn, session: sessionOf(conn.Conn())}, nil
}

// AcquireFunc calls f with a connection for the tenant in ctx, and releases it.
func (db *DB) AcquireFunc(ctx context.Context, f func(*Conn) error) error {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return f(conn)
}

// Begin begins a transaction for the tenant in ctx.
func (db *DB) Begin(ctx context.Context) (pgx.Tx, error) { return db.BeginTx(ctx, pgx.TxOptions{}) }

// BeginFunc calls f in a transaction for the tenant in ctx: it is committed if f
// returns nil, and rolled back if f returns an error, which BeginFunc then returns,
// or panics.
func (db *DB) BeginFunc(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, db, f)
}

// BeginTx begins a transaction with options for the tenant in ctx.
func (db *DB) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return conn.begin(ctx, options, conn.Release)
}

// BeginTxFunc is BeginFunc with options.
func (db *DB) BeginTxFunc(ctx context.Context, options pgx.TxOptions, f func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, db, options, f)
}

// Close closes all connections and waits until those in use are released.
func (db *DB) Close() { db.pool.Close() }

// Config returns a copy of the pool's configuration, with what New changed in it.
func (db *DB) Config() *pgxpool.Config { return db.pool.Config() }

// CopyFrom copies rows into a table of the tenant in ctx. The table is described
// each time, which costs a round trip: pgx would remember its types, and write those
// of another tenant.
func (db *DB) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	return conn.CopyFrom(ctx, table, columns, rows)
}

// Exec executes sql in the schema of the tenant in ctx.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	defer conn.Release()
	return conn.Exec(ctx, sql, args...)
}

// Mode returns when the path is set: Config.Mode, which may be ModeAuto.
func (db *DB) Mode() Mode { return db.config.Mode }

// Ping reports whether the server answers and the schema of the tenant in ctx
// exists.
func (db *DB) Ping(ctx context.Context) error {
	_, err := db.Exec(ctx, "SELECT")
	return err
}

// Query runs sql in the schema of the tenant in ctx.
func (db *DB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return noRows{err}, err
	}
	defer conn.releaseIfPanicking()
	return conn.session.query(ctx, conn.conn, conn.owner, sql, args, conn.Release) //nolint:sqlclosecheck // the caller does
}

// QueryRow runs sql in the schema of the tenant in ctx. Errors come with Scan.
func (db *DB) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, _ := db.Query(ctx, sql, args...)
	return row{rows}
}

// Reset closes all connections, those in use when they are released, and goes on
// with new ones.
func (db *DB) Reset() { db.pool.Reset() }

// SendBatch sends the statements of b, all for the tenant in ctx. Unlike with pgx, b
// may be sent again, and by another tenant.
func (db *DB) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := checkBatch(b); err != nil {
		return failBatch(nil, err)
	}
	conn, err := db.Acquire(ctx)
	if err != nil {
		return failBatch(b, err)
	}
	defer conn.releaseIfPanicking()
	return conn.session.sendBatch(ctx, conn.conn, conn.owner, b, conn.Release)
}

// Stat returns the pool's statistics.
func (db *DB) Stat() *pgxpool.Stat { return db.pool.Stat() }
