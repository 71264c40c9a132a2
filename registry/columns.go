package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Column describes a column of the tenants' table that the user can set: all but id,
// schema_name, created_at, and those that PostgreSQL computes.
type Column struct {
	// Comment is that of COMMENT ON COLUMN; empty if there is none.
	Comment string
	// Constraints are those that the column is part of, alone or with others, by name, as
	// PostgreSQL writes them: CHECK ((seats > 0)).
	Constraints map[string]string
	// Default is the expression that a new row gets, as PostgreSQL writes it; empty if
	// there is none.
	Default string
	// Labels are those of an enum, in order.
	Labels []string
	// Name of the column.
	Name string
	// Required has a new tenant be given a value: the column is NOT NULL and has no
	// default.
	Required bool
	// Table is the tenants' table, quoted, with its schema.
	Table string
	// Type is the type as PostgreSQL writes it: text, numeric(10,2), text[], date.
	Type string
}

// Columns returns the columns of the tenants' table that can be set, in the table's order:
// those that the user added, and status. The error says that the table is not there, if that
// is it.
func (r *Registry) Columns(ctx context.Context) ([]Column, error) {
	rows, err := r.pool.Query(ctx, `SELECT coalesce(pg_catalog.col_description(a.attrelid, a.attnum), ''), coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), ''),
		(SELECT coalesce(pg_catalog.jsonb_object_agg(k.conname, pg_catalog.pg_get_constraintdef(k.oid)), '{}') FROM pg_catalog.pg_constraint AS k
			WHERE k.conrelid = a.attrelid AND a.attnum = ANY(k.conkey) AND k.contype IN ('c', 'f', 'p', 'u', 'x')),
		coalesce((SELECT pg_catalog.array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = coalesce(nullif(t.typbasetype, 0), t.oid)), '{}'),
		a.attname::text, a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND t.typdefault IS NULL, pg_catalog.format_type(a.atttypid, a.atttypmod)
		FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
		LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		WHERE a.attrelid = $1::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
			AND a.attname NOT IN ('id', 'schema_name', 'created_at')
		ORDER BY a.attnum`, pgx.QueryExecModeExec, r.tenants)
	if err != nil {
		return nil, fmt.Errorf("columns of the tenants' table: %w", r.tablesError(err))
	}
	columns, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Column, err error) {
		c.Table = r.tenants
		err = row.Scan(&c.Comment, &c.Default, &c.Constraints, &c.Labels, &c.Name, &c.Required, &c.Type)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("columns of the tenants' table: %w", r.tablesError(err))
	}
	return columns, nil
}

// CheckValue says why PostgreSQL would not take value, in its own notation, for a column;
// nil if it would. The type's limits count, numeric(5,2) and varchar(3), and a domain's
// checks. What only the table can check is left to the table.
func (r *Registry) CheckValue(ctx context.Context, c Column, value string) error {
	if len(c.Labels) > 0 && !slices.Contains(c.Labels, value) {
		return fmt.Errorf("%q is none of %s", value, strings.Join(c.Labels, ", "))
	}
	// COALESCE gives the parameter the column's type.
	_, err := r.pool.Exec(ctx, "SELECT COALESCE($1, t."+pgx.Identifier{c.Name}.Sanitize()+") FROM "+r.tenants+" AS t LIMIT 0", pgx.QueryExecModeDescribeExec, value)
	if err == nil {
		err = r.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error { return r.checkLimits(ctx, conn, c, value) })
	}
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		if pgErr.Detail != "" {
			return fmt.Errorf("%s: %s (SQLSTATE %s)", pgErr.Message, strings.TrimSuffix(pgErr.Detail, "."), pgErr.Code)
		}
		return fmt.Errorf("%s (SQLSTATE %s)", pgErr.Message, pgErr.Code)
	}
	return err
}

// checkLimits has value read with the column's modifier, numeric(5,2), and as its domain. A
// cast would not do: it cuts what is too long for varchar(3).
func (r *Registry) checkLimits(ctx context.Context, conn *pgxpool.Conn, c Column, value string) error {
	var typ string // as the session that is asked next writes it
	err := conn.QueryRow(ctx, `SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute AS a
		WHERE a.attrelid = $1::pg_catalog.regclass AND a.attname = $2 AND NOT a.attisdropped`, pgx.QueryExecModeExec, r.tenants, c.Name).Scan(&typ)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "SELECT FROM pg_catalog.json_to_record(pg_catalog.json_build_object('value', $1::text)) AS r(value "+typ+")", pgx.QueryExecModeDescribeExec, value)
	return err
}
