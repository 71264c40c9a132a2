package pgxtenant

import (
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cotenant/cotenant/internal/scope"
)

// rows are the rows of a tenant's statement.
type rows struct {
	pgx.Rows
	owner scope.Owner
	again func(error) error // runs the statement again if the error says so; nil once the caller has seen something
	done  func()            // gives the connection back; nil after that
}

// Next goes to the next row.
func (r *rows) Next() bool {
	again := r.again
	r.again = nil
	next := r.Rows.Next()
	if !next && again != nil && r.Rows.Err() != nil && again(r.Rows.Err()) == nil {
		next = r.Rows.Next()
	}
	if !next {
		r.Close()
	}
	return next
}

// Close closes the rows, and gives the connection back if it is not the caller's.
func (r *rows) Close() {
	again := r.again
	r.again = nil
	r.Rows.Close()
	if again != nil && r.Rows.Err() != nil && again(r.Rows.Err()) == nil {
		r.Rows.Close()
	}
	if done := r.done; done != nil {
		r.done = nil
		done()
	}
}

// Err returns the error that ended the rows.
func (r *rows) Err() error { return refused(r.owner, r.Rows.Err()) }

// FieldDescriptions describes the columns.
func (r *rows) FieldDescriptions() []pgconn.FieldDescription {
	r.again = nil // the caller relies on them
	return r.Rows.FieldDescriptions()
}

// Scan reads the current row.
func (r *rows) Scan(dest ...any) error {
	err := r.Rows.Scan(dest...)
	if err != nil {
		r.Close()
	}
	return refused(r.owner, err)
}

// Values reads the current row.
func (r *rows) Values() ([]any, error) {
	values, err := r.Rows.Values()
	if err != nil {
		r.Close()
	}
	return values, refused(r.owner, err)
}

// row is the first of some rows.
type row struct{ pgx.Rows }

// Scan reads the row and closes the rows.
func (r row) Scan(dest ...any) error {
	defer r.Close()
	for _, d := range dest {
		if _, ok := d.(*pgtype.DriverBytes); ok {
			return errors.New("cannot scan into *pgtype.DriverBytes from QueryRow")
		}
	}
	if !r.Next() {
		if err := r.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.Rows.Scan(dest...); err != nil {
		return err
	}
	r.Close()
	return r.Err()
}

// noRows are the rows of a call that was refused before anything was sent.
type noRows struct{ err error }

// Close does nothing.
func (r noRows) Close() {}

// CommandTag is empty.
func (r noRows) CommandTag() pgconn.CommandTag { return pgconn.CommandTag{} }

// Conn is not known.
func (r noRows) Conn() *pgx.Conn { return nil }

// Err returns the error.
func (r noRows) Err() error { return r.err }

// FieldDescriptions are none.
func (r noRows) FieldDescriptions() []pgconn.FieldDescription { return nil }

// Next is false.
func (r noRows) Next() bool { return false }

// RawValues are none.
func (r noRows) RawValues() [][]byte { return nil }

// Scan returns the error.
func (r noRows) Scan(...any) error { return r.err }

// TypeMap is not known.
func (r noRows) TypeMap() *pgtype.Map { return nil }

// Values returns the error.
func (r noRows) Values() ([]any, error) { return nil, r.err }
