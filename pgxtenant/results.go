package pgxtenant

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cotenant/cotenant/tenant"
)

// tenantRows are the rows of a tenant: a schema that does not exist shows when they
// are read.
type tenantRows struct {
	pgx.Rows
	tenant *tenant.Tenant
}

// Err returns the error that ended the rows.
func (r tenantRows) Err() error { return refused(r.tenant, r.Rows.Err()) }

// Scan reads the current row.
func (r tenantRows) Scan(dest ...any) error { return refused(r.tenant, r.Rows.Scan(dest...)) }

// tenantRow is a row of a tenant.
type tenantRow struct {
	row    pgx.Row
	tenant *tenant.Tenant
}

// Scan reads the row.
func (r tenantRow) Scan(dest ...any) error { return refused(r.tenant, r.row.Scan(dest...)) }

// tenantBatch is the results of a tenant's batch.
type tenantBatch struct {
	pgx.BatchResults
	tenant *tenant.Tenant
}

// Close reads what was not read.
func (b tenantBatch) Close() error { return refused(b.tenant, b.BatchResults.Close()) }

// Exec reads the result of the next statement.
func (b tenantBatch) Exec() (pgconn.CommandTag, error) {
	tag, err := b.BatchResults.Exec()
	return tag, refused(b.tenant, err)
}

// Query reads the rows of the next statement.
func (b tenantBatch) Query() (pgx.Rows, error) {
	rows, err := b.BatchResults.Query()
	return tenantRows{rows, b.tenant}, refused(b.tenant, err)
}

// QueryRow reads the row of the next statement.
func (b tenantBatch) QueryRow() pgx.Row { return tenantRow{b.BatchResults.QueryRow(), b.tenant} }

// Tx returns the transaction that the batch began.
func (b tenantBatch) Tx() pgx.Tx {
	return &transaction{owned: owned{b.tenant}, tx: b.BatchResults.Tx()}
}

// failedRow is the row of a call that was refused before anything was sent.
type failedRow struct{ err error }

// Scan returns the error.
func (r failedRow) Scan(...any) error { return r.err }

// failedRows are the rows of such a call.
func failedRows(err error) (pgx.Rows, error) { return noRows{err}, err }

// noRows are rows that were closed before they were read.
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

// failedBatch is the results of such a batch.
type failedBatch struct{ err error }

// Close returns the error.
func (b failedBatch) Close() error { return b.err }

// Exec returns the error.
func (b failedBatch) Exec() (pgconn.CommandTag, error) { return pgconn.CommandTag{}, b.err }

// Query returns the error.
func (b failedBatch) Query() (pgx.Rows, error) { return failedRows(b.err) }

// QueryRow returns the error with Scan.
func (b failedBatch) QueryRow() pgx.Row { return failedRow(b) }

// Tx returns a transaction whose methods return the error.
func (b failedBatch) Tx() pgx.Tx { return &transaction{err: b.err} }
