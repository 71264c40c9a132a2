package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/tenant"
)

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// query runs a statement that selects all columns of the tenants' table. In exec
// mode nothing is remembered of its columns, so that ALTER TABLE breaks no
// running process and shows at the next look-up; the values come as text.
func (r *Registry) query(ctx context.Context, q querier, sql string, args ...any) (pgx.Rows, error) {
	rows, err := q.Query(ctx, sql, append([]any{pgx.QueryExecModeExec}, args...)...)
	return rows, r.tablesError(err)
}

// queryTenant runs such a statement that returns at most one row. The error is
// tenant.ErrTenantNotFound if it returns none.
func (r *Registry) queryTenant(ctx context.Context, q querier, sql string, args ...any) (*tenant.Tenant, error) {
	rows, err := r.query(ctx, q, sql, args...)
	if err != nil {
		return nil, err
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanTenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, tenant.ErrTenantNotFound
	}
	if err != nil {
		return nil, r.tablesError(err)
	}
	t.Database = r.config.Database
	return t, nil
}

// tablesError says that the registry's tables are not there, if that is it.
func (r *Registry) tablesError(err error) error {
	switch dberr.Code(err) {
	case dberr.InsufficientPrivilege:
		return fmt.Errorf("%w (GRANT USAGE ON SCHEMA, and SELECT, INSERT, UPDATE, DELETE on %s, %s and cotenant.resting_names, to the role)", err, r.tenants, r.domains)
	case dberr.UndefinedTable, dberr.InvalidSchemaName:
		return fmt.Errorf("the tables of the registry, %s, %s and cotenant.resting_names, are not all there (migrate the shared apps first): %w", r.tenants, r.domains, err)
	}
	return err
}

// RowError says that a row of the tenants' table is no good.
type RowError struct {
	// Column is the one that is no good.
	Column string
	// Err is what is wrong with it.
	Err error
	// ID is the row's, 0 if it could not be read.
	ID int64
	// Schema is the name in the row as it is, which may be none that a schema can have.
	Schema string
}

// Error names the row, the column and what is wrong.
func (e *RowError) Error() string {
	return fmt.Sprintf("tenants: id %d: column %q: %v", e.ID, e.Column, e.Err)
}

// Unwrap returns what is wrong.
func (e *RowError) Unwrap() error { return e.Err }

// rowFault returns the error of a column of a row.
func rowFault(row pgx.CollectableRow, column string, id int64, err error) error {
	fault := &RowError{Column: column, Err: err, ID: id}
	for i, fd := range row.FieldDescriptions() {
		if fd.Name == "schema_name" {
			fault.Schema = string(row.RawValues()[i])
		}
	}
	return fault
}

// scanTenant reads a row of the tenants' table, whatever its columns. Beside an
// error it returns a tenant with the ID, if that could be read.
func scanTenant(row pgx.CollectableRow) (*tenant.Tenant, error) {
	rows, ok := row.(pgx.Rows)
	if !ok {
		return nil, fmt.Errorf("tenants: unexpected %T", row)
	}
	types := rows.Conn().TypeMap()
	t := &tenant.Tenant{}
	var status *string // an existing table may have them empty
	var createdAt *time.Time
	own := map[string]any{"id": &t.ID, "schema_name": &t.Schema, "status": &status, "created_at": &createdAt}
	var fields []tenant.Column
	for i, fd := range row.FieldDescriptions() {
		text := slices.Clone(row.RawValues()[i])
		if dst, ok := own[fd.Name]; ok {
			if fd.Name == "created_at" && isInfinite(text) {
				text = nil // Go has no such time
			}
			if err := types.Scan(fd.DataTypeOID, fd.Format, text, dst); err != nil {
				return t, rowFault(row, fd.Name, t.ID, err)
			}
			delete(own, fd.Name)
			continue
		}
		value, err := decodeText(types, fd.DataTypeOID, text)
		if err != nil {
			return t, rowFault(row, fd.Name, t.ID, err)
		}
		fields = append(fields, tenant.Column{Name: fd.Name, TypeOID: fd.DataTypeOID, Text: text, Value: value})
	}
	for _, name := range []string{"id", "schema_name"} {
		if _, missing := own[name]; missing {
			return nil, fmt.Errorf("tenants: the table has no column %q (it is required)", name)
		}
	}
	if status != nil {
		t.Status = *status
	}
	if createdAt != nil {
		t.CreatedAt = *createdAt
	}
	t.Fields = tenant.NewFields(fields...)
	return t, nil
}

// isInfinite reports whether a time is one that never comes, or was always there.
func isInfinite(text []byte) bool { return string(text) == "infinity" || string(text) == "-infinity" }

// decodeText is what pgx makes of a text value when it is scanned into an any.
func decodeText(types *pgtype.Map, oid uint32, text []byte) (any, error) {
	if text == nil {
		return nil, nil
	}
	typ, ok := types.TypeForOID(oid)
	if !ok {
		return string(text), nil
	}
	return typ.Codec.DecodeValue(types, oid, pgtype.TextFormatCode, text)
}
