package adopt

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// installed reports whether the tables of the registry are there. Something else of their
// names is an error: rows would go into it.
func installed(ctx context.Context, q querier) (bool, error) {
	rows, err := q.Query(ctx, `SELECT c.relname::text, c.relkind::text, ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
		FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'cotenant' WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1`, pgx.QueryExecModeExec)
	if err != nil {
		return false, err
	}
	found := map[string][]string{}
	var name, kind string
	var columns []string
	_, err = pgx.ForEachRow(rows, []any{&name, &kind, &columns}, func() error {
		if kind != "r" && kind != "p" {
			columns = nil
		}
		found[name], columns = columns, nil
		return nil
	})
	if err != nil {
		return false, err
	}
	const cure = "the name is cotenant's own (rename the schema: ALTER SCHEMA cotenant RENAME TO …)"
	for _, ours := range []struct{ table, column string }{
		{"tenants", "id"},
		{"tenants", "schema_name"},
		{"tenants", "status"},
		{"tenants", "created_at"},
		{"domains", "domain"},
		{"domains", "tenant_id"},
		{"domains", "is_primary"},
	} {
		if columns, ok := found[ours.table]; ok && !slices.Contains(columns, ours.column) {
			return false, fmt.Errorf("cotenant.%s is there and is no table of cotenant's, it has no column %q; %s", ours.table, ours.column, cure)
		}
	}
	has := func(table string) bool { _, ok := found[table]; return ok }
	if len(found) > 0 && !has("schema_versions") && !has("tenants") {
		return false, fmt.Errorf("schema \"cotenant\" is there and is not cotenant's; %s", cure)
	}
	return has("tenants") && has("domains"), nil
}
