package conformance

import (
	"context"
	"database/sql"
	"errors"
)

// SQL is an Access made of a *sql.DB.
type SQL struct {
	// DB is what calls are made on.
	DB *sql.DB
	// Closer closes DB. Defaults to its Close.
	Closer func()
	// Values turns arguments into what the driver takes, as lib/pq wants arrays by
	// pq.Array. Defaults to leaving them as they are.
	Values func(any) any
}

var _ interface {
	Access
	Acquirer
	Beginner
	Preparer
	Transactor
} = SQL{}

// Exec is Session's.
func (s SQL) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	return s.on(s.DB).Exec(ctx, text, args...)
}

// Query is Session's.
func (s SQL) Query(ctx context.Context, row Row, text string, args ...any) error {
	return s.on(s.DB).Query(ctx, row, text, args...)
}

// Prepare is Preparer's.
func (s SQL) Prepare(ctx context.Context, text string) (Stmt, error) {
	return s.on(s.DB).Prepare(ctx, text)
}

// Begin is Access's. The transaction has the methods of Preparer and Joiner.
func (s SQL) Begin(ctx context.Context) (Tx, error) { return s.begin(ctx, s.DB, nil) }

// BeginTx is Beginner's.
func (s SQL) BeginTx(ctx context.Context, isolation sql.IsolationLevel, readOnly bool) (Tx, error) {
	return s.begin(ctx, s.DB, &sql.TxOptions{Isolation: isolation, ReadOnly: readOnly})
}

// Acquire is Acquirer's. The Conn has the methods of Preparer, and Conn, which returns
// the *sql.Conn.
func (s SQL) Acquire(ctx context.Context) (Conn, error) {
	conn, err := s.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return sqlConn{s.on(conn), conn}, nil
}

// InTx is Transactor's.
func (s SQL) InTx(ctx context.Context, f func(Session) error) error {
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(s.on(tx)); err != nil {
		return err
	}
	return tx.Commit()
}

// Close is Access's.
func (s SQL) Close() {
	if s.Closer != nil {
		s.Closer()
		return
	}
	_ = s.DB.Close()
}

// sqlStatements is what *sql.DB, *sql.Conn and *sql.Tx have in common.
type sqlStatements interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// on returns the Session that sends on one of them.
func (s SQL) on(statements sqlStatements) sqlSession { return sqlSession{s, statements} }

// values are what the driver is given.
func (s SQL) values(args []any) []any {
	if s.Values == nil {
		return args
	}
	given := make([]any, len(args))
	for i, arg := range args {
		given[i] = s.Values(arg)
	}
	return given
}

func (s SQL) begin(ctx context.Context, from interface {
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}, options *sql.TxOptions,
) (Tx, error) {
	tx, err := from.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return sqlTx{s.on(tx), tx}, nil
}

// sqlSession is a Session of a DB, a connection or a transaction.
type sqlSession struct {
	from SQL
	to   sqlStatements
}

func (s sqlSession) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	return affected(s.to.ExecContext(ctx, text, s.from.values(args)...))
}

func (s sqlSession) Query(ctx context.Context, row Row, text string, args ...any) error {
	rows, err := s.to.QueryContext(ctx, text, s.from.values(args)...)
	if err != nil {
		return err
	}
	return eachSQLRow(rows, row)
}

func (s sqlSession) Prepare(ctx context.Context, text string) (Stmt, error) {
	stmt, err := s.to.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	return sqlStmt{s.from, stmt}, nil
}

// sqlTx is a Tx. Its end has no context.
type sqlTx struct {
	sqlSession
	tx *sql.Tx
}

func (t sqlTx) Commit(context.Context) error   { return t.tx.Commit() }
func (t sqlTx) Rollback(context.Context) error { return t.tx.Rollback() }

func (t sqlTx) Join(ctx context.Context, stmt Stmt) Stmt {
	return sqlStmt{t.from, t.tx.StmtContext(ctx, stmt.(sqlStmt).stmt)}
}

// sqlConn is a Conn.
type sqlConn struct {
	sqlSession
	conn *sql.Conn
}

func (c sqlConn) Begin(ctx context.Context) (Tx, error) { return c.from.begin(ctx, c.conn, nil) }
func (c sqlConn) Conn() *sql.Conn                       { return c.conn }
func (c sqlConn) Release()                              { _ = c.conn.Close() }

// sqlStmt is a Stmt.
type sqlStmt struct {
	from SQL
	stmt *sql.Stmt
}

func (s sqlStmt) Exec(ctx context.Context, args ...any) (int64, error) {
	return affected(s.stmt.ExecContext(ctx, s.from.values(args)...))
}

func (s sqlStmt) Query(ctx context.Context, row Row, args ...any) error {
	rows, err := s.stmt.QueryContext(ctx, s.from.values(args)...)
	if err != nil {
		return err
	}
	return eachSQLRow(rows, row)
}

func (s sqlStmt) Close() error { return s.stmt.Close() }

// affected returns how many rows were affected. Not every driver knows for every
// statement.
func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	if err != nil {
		n = 0
	}
	return n, nil
}

// eachSQLRow reads rows to their end.
func eachSQLRow(rows *sql.Rows, row Row) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
