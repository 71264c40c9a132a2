package adopt

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// tenantColumn is a column of cotenant.tenants.
type tenantColumn struct {
	name     string
	notNull  bool
	required bool   // it is NOT NULL and has no default
	typ      string // in SQL
}

// tenantColumns are those that a user has added; none where there is no such table.
func tenantColumns(ctx context.Context, q querier) ([]tenantColumn, error) {
	rows, err := q.Query(ctx, `SELECT a.attname::text, a.attnotnull, a.attnotnull AND NOT a.atthasdef, pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute AS a
		WHERE a.attrelid = pg_catalog.to_regclass('cotenant.tenants') AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
			AND a.attname NOT IN ('id', 'schema_name', 'status', 'created_at') ORDER BY a.attnum`, pgx.QueryExecModeExec)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c tenantColumn, err error) {
		err = row.Scan(&c.name, &c.notNull, &c.required, &c.typ)
		return c, err
	})
}

// copied divides the columns of the source into those that cotenant.tenants has as well,
// others, and those of whose names it has its own. It refuses a source without a column that every tenant must have.
func (s *source) copied(columns []tenantColumn) (copied []tenantColumn, left, own []string, err error) {
	for _, c := range columns {
		if c.required && !slices.Contains(s.columns, c.name) {
			return nil, nil, nil, fmt.Errorf("column %q of cotenant.tenants is NOT NULL without a default, and the source has no such column (give it a default)", c.name)
		}
	}
	ownColumns := []string{"id", "schema_name", "status", "created_at"}
	for _, name := range s.columns {
		if i := slices.IndexFunc(columns, func(c tenantColumn) bool { return c.name == name }); i >= 0 {
			copied = append(copied, columns[i])
		} else if slices.Contains(ownColumns, name) {
			own = append(own, name)
		} else {
			left = append(left, name)
		}
	}
	return copied, left, own, nil
}

func columnNames(columns []tenantColumn) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}
