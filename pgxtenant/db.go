package pgxtenant

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/tenant"
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
// tenant.ErrUncommitted if that is still being created, before anything is sent.
// Where the tenant's schema does not exist, the error wraps
// tenant.ErrSchemaNotFound, and nothing of the call was executed.
//
// A transaction or an acquired connection belongs to the tenant that it was begun
// for: a call on it with another tenant's context fails with ErrOtherTenant, before
// anything is sent.
type DB struct{ pool *pgxpool.Pool }

// New makes a DB of config, which must come from pgxpool.ParseConfig and is not
// modified. Its PrepareConn runs when the tenant's path is due with the next
// statement; BeforeAcquire, which pgxpool ignores beside it, is refused.
//
// Statements are described anew at every execution (pgx.QueryExecModeDescribeExec)
// unless config asks for another mode than pgx's default: what pgx remembers of a
// statement holds for one tenant only, as types of the same name have another OID in
// each schema.
func New(ctx context.Context, config *pgxpool.Config) (*DB, error) {
	pool, err := newPool(ctx, config)
	if err != nil {
		return nil, err
	}
	return &DB{pool}, nil
}

// Pool returns the pool itself, for libraries that insist on one. What is acquired
// from it is in the schema of the tenant in the context that acquires it, and stays
// there: it cannot tell that a later call on the same connection or transaction
// comes with another tenant's context. An error about a schema that does not exist
// is PostgreSQL's own, a *pgconn.PgError with SQLSTATE 3F000.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// Acquire returns a connection for the tenant in ctx. The caller must Release it.
func (db *DB) Acquire(ctx context.Context) (*Conn, error) {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return &Conn{owned: owned{t}, conn: conn}, nil
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

// BeginTx begins a transaction with options for the tenant in ctx.
func (db *DB) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := db.pool.BeginTx(ctx, options)
	if err != nil {
		return nil, refused(t, err)
	}
	return &transaction{owned: owned{t}, tx: tx}, nil
}

// Close closes all connections and waits until those in use are released.
func (db *DB) Close() { db.pool.Close() }

// CopyFrom copies rows into a table of the tenant in ctx.
func (db *DB) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return 0, err
	}
	n, err := db.pool.CopyFrom(ctx, table, columns, rows)
	return n, refused(t, err)
}

// Exec executes sql in the schema of the tenant in ctx.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := db.pool.Exec(ctx, sql, args...)
	return tag, refused(t, err)
}

// Ping reports whether the server answers and the schema of the tenant in ctx
// exists.
func (db *DB) Ping(ctx context.Context) error {
	_, err := db.Exec(ctx, "-- ping")
	return err
}

// Query runs sql in the schema of the tenant in ctx.
func (db *DB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return failedRows(err)
	}
	rows, err := db.pool.Query(ctx, sql, args...)
	return tenantRows{rows, t}, refused(t, err)
}

// QueryRow runs sql in the schema of the tenant in ctx. Errors come with Scan.
func (db *DB) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return failedRow{err}
	}
	return tenantRow{db.pool.QueryRow(ctx, sql, args...), t}
}

// SendBatch sends the statements of b, all for the tenant in ctx.
func (db *DB) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return failedBatch{err}
	}
	return tenantBatch{db.pool.SendBatch(ctx, b), t}
}

// Stat returns the pool's statistics.
func (db *DB) Stat() *pgxpool.Stat { return db.pool.Stat() }
