package conformance

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PGXStatements is what pgx's pool, connections and transactions have in common.
type PGXStatements interface {
	Begin(ctx context.Context) (pgx.Tx, error)
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// PGXConn is what an acquired connection of pgx has besides.
type PGXConn interface {
	PGXStatements
	Conn() *pgx.Conn
	Release()
}

// PGX is an Access made of something that has the methods of *pgxpool.Pool.
type PGX struct {
	// Pool is what calls are made on.
	Pool PGXStatements
	// Acquirer acquires a connection: Pool's Acquire.
	Acquirer func(ctx context.Context) (PGXConn, error)
	// Closer closes Pool.
	Closer func()
}

var _ interface {
	Access
	Acquirer
	Batcher
	Beginner
	Copier
	Transactor
} = PGX{}

// Exec is Session's.
func (p PGX) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	return pgxSession{p.Pool}.Exec(ctx, sql, args...)
}

// Query is Session's.
func (p PGX) Query(ctx context.Context, row Row, sql string, args ...any) error {
	return pgxSession{p.Pool}.Query(ctx, row, sql, args...)
}

// Begin is Access's.
func (p PGX) Begin(ctx context.Context) (Tx, error) { return pgxSession{p.Pool}.Begin(ctx) }

// BeginTx is Beginner's, if Pool has the method.
func (p PGX) BeginTx(ctx context.Context, isolation sql.IsolationLevel, readOnly bool) (Tx, error) {
	options := pgx.TxOptions{IsoLevel: pgx.TxIsoLevel(strings.ToLower(isolation.String()))}
	if readOnly {
		options.AccessMode = pgx.ReadOnly
	}
	tx, err := p.Pool.(interface {
		BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
	}).BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return pgxTx{pgxSession{tx}, tx}, nil
}

// Close is Access's.
func (p PGX) Close() { p.Closer() }

// Acquire is Acquirer's. The Conn has a method Conn that returns the *pgx.Conn.
func (p PGX) Acquire(ctx context.Context) (Conn, error) {
	conn, err := p.Acquirer(ctx)
	if err != nil {
		return nil, err
	}
	return pgxConn{pgxSession{conn}, conn}, nil
}

// InTx is Transactor's.
func (p PGX) InTx(ctx context.Context, f func(Session) error) error {
	return pgx.BeginFunc(ctx, p.Pool, func(tx pgx.Tx) error { return f(pgxSession{tx}) })
}

// CopyIn is Copier's.
func (p PGX) CopyIn(ctx context.Context, table string, columns []string, rows [][]any) (int64, error) {
	return p.Pool.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
}

// CopyOut is Copier's.
func (p PGX) CopyOut(ctx context.Context, sql string) ([]byte, error) {
	conn, err := p.Acquirer(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	var out bytes.Buffer
	_, err = conn.Conn().PgConn().CopyTo(ctx, &out, sql)
	return out.Bytes(), err
}

// Batch is Batcher's.
func (p PGX) Batch(ctx context.Context, statements ...Statement) error {
	b := &pgx.Batch{}
	for _, s := range statements {
		b.Queue(s.SQL, s.Args...)
	}
	results := p.Pool.SendBatch(ctx, b)
	for _, s := range statements {
		if s.Row == nil {
			_, err := results.Exec()
			if err != nil {
				return errors.Join(err, results.Close())
			}
			continue
		}
		rows, err := results.Query()
		if err == nil {
			err = eachRow(rows, s.Row)
		}
		if err != nil {
			return errors.Join(err, results.Close())
		}
	}
	return results.Close()
}

// pgxSession is a Session of a pool, a connection or a transaction.
type pgxSession struct{ PGXStatements }

func (s pgxSession) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	tag, err := s.PGXStatements.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

func (s pgxSession) Query(ctx context.Context, row Row, sql string, args ...any) error {
	rows, err := s.PGXStatements.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, row)
}

func (s pgxSession) Begin(ctx context.Context) (Tx, error) {
	tx, err := s.PGXStatements.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return pgxTx{pgxSession{tx}, tx}, nil
}

// pgxTx is a Tx.
type pgxTx struct {
	pgxSession
	tx pgx.Tx
}

func (t pgxTx) Commit(ctx context.Context) error   { return t.tx.Commit(ctx) }
func (t pgxTx) Rollback(ctx context.Context) error { return t.tx.Rollback(ctx) }

// pgxConn is a Conn.
type pgxConn struct {
	pgxSession
	conn PGXConn
}

func (c pgxConn) Release()        { c.conn.Release() }
func (c pgxConn) Conn() *pgx.Conn { return c.conn.Conn() }

// eachRow reads rows to their end.
func eachRow(rows pgx.Rows, row Row) error {
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
