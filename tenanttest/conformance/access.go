package conformance

import (
	"context"
	"database/sql"
	"fmt"
)

// Access is an open way in. Its calls run for the tenant in their context. It is
// safe for concurrent use.
type Access interface {
	Session
	// Begin begins a transaction.
	Begin(ctx context.Context) (Tx, error)
	// Close closes every connection.
	Close()
}

// Session is what statements are sent on: the way in itself, a transaction, an
// acquired connection.
type Session interface {
	// Exec executes sql, which may hold several statements where it has no
	// arguments, and returns how many rows the last of them affected.
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
	// Query calls row for each row of sql and returns the error that ended the
	// call.
	Query(ctx context.Context, row Row, sql string, args ...any) error
}

// Row reads a row with the scan that it is given.
type Row func(scan func(dest ...any) error) error

// Tx is a transaction.
type Tx interface {
	Session
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}

// Conn is a connection that was acquired, and belongs to its holder until it is
// released.
type Conn interface {
	Session
	Begin(ctx context.Context) (Tx, error)
	Release()
}

// What only some ways can do. An Access that has one of these is tested with it.
type (
	// Acquirer gives out connections.
	Acquirer interface {
		Acquire(ctx context.Context) (Conn, error)
	}

	// Transactor runs f in a transaction that is committed if f returns nil, and
	// rolled back if it returns an error or panics.
	Transactor interface {
		InTx(ctx context.Context, f func(Session) error) error
	}

	// Beginner begins transactions that are not like the others.
	Beginner interface {
		BeginTx(ctx context.Context, isolation sql.IsolationLevel, readOnly bool) (Tx, error)
	}

	// Copier copies rows in and out.
	Copier interface {
		CopyIn(ctx context.Context, table string, columns []string, rows [][]any) (int64, error)
		// CopyOut returns what COPY … TO STDOUT sends.
		CopyOut(ctx context.Context, sql string) ([]byte, error)
	}

	// Preparer prepares statements. An Access, a Tx and a Conn may be one.
	Preparer interface {
		// Prepare prepares sql. On a Tx or a Conn it ends with that.
		Prepare(ctx context.Context, sql string) (Stmt, error)
	}

	// Joiner is a Tx that can run statements which were prepared on its Access.
	Joiner interface {
		Join(ctx context.Context, stmt Stmt) Stmt
	}

	// Batcher sends several statements at once and reads all answers.
	Batcher interface {
		Batch(ctx context.Context, statements ...Statement) error
	}
)

// Stmt is a statement that was prepared. Its calls run for the tenant in their
// context, whoever prepared it. One of an Access is safe for concurrent use.
type Stmt interface {
	Exec(ctx context.Context, args ...any) (int64, error)
	Query(ctx context.Context, row Row, args ...any) error
	Close() error
}

// Statement is a statement of a batch. A nil Row reads no rows.
type Statement struct {
	SQL  string
	Args []any
	Row  Row
}

// one returns the only row of a query of one column.
func one[T any](ctx context.Context, s Session, sql string, args ...any) (T, error) {
	var zero T
	found, err := all[T](ctx, s, sql, args...)
	if err != nil {
		return zero, err
	}
	if len(found) != 1 {
		return zero, rowsError(len(found))
	}
	return found[0], nil
}

// all returns the rows of a query of one column. Rows of a call that fails count as
// not read.
func all[T any](ctx context.Context, s Session, sql string, args ...any) ([]T, error) {
	var found []T
	err := s.Query(ctx, func(scan func(...any) error) error {
		var value T
		err := scan(&value)
		found = append(found, value)
		return err
	}, sql, args...)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// contextOf is short for a context that carries a tenant.
type contextOf = context.Context

// foreignError says that a row of another tenant was read.
type foreignError struct{ reader, owner int64 }

func (e foreignError) Error() string {
	return fmt.Sprintf("tenant %d read a row of tenant %d", e.reader, e.owner)
}
