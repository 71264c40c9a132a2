package check

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// rowTable is a table that both builds have, with the columns that both have alike.
type rowTable struct {
	schema, name string
	app          *appFiles
	columns      []rowColumn
}

type rowColumn struct {
	name, typ string
	// numbered says that its values come from a sequence, or are those of such a column in
	// another table.
	numbered bool
}

// tablesSQL are the tables of schemas with their columns: partitions for themselves, since
// the table that they are parts of has no rows.
const tablesSQL = `WITH RECURSIVE numbered (rel, att) AS (
	SELECT a.attrelid, a.attnum FROM pg_catalog.pg_attribute AS a
		JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
		LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
			AND (a.attidentity <> '' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ 'nextval')
	UNION
	SELECT k.conrelid, k.conkey[i] FROM numbered AS n JOIN pg_catalog.pg_constraint AS k ON k.contype = 'f' AND k.confrelid = n.rel,
		pg_catalog.generate_subscripts(k.confkey, 1) AS i WHERE k.confkey[i] = n.att
)
SELECT n.nspname::text, c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
	EXISTS (SELECT FROM numbered AS m WHERE m.rel = a.attrelid AND m.att = a.attnum)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = ANY ($1::text[]) AND c.relkind = 'r' AND c.relname <> 'cotenant_migrations'
	AND c.oid IS DISTINCT FROM pg_catalog.to_regclass($2)
	AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY 1, 2, 3`

// rowTables returns the tables of schemas, but for that of the tenants.
func (s *side) rowTables(ctx context.Context, schemas []string) ([]*rowTable, error) {
	rows, err := s.reader.Query(ctx, tablesSQL, schemas, s.tenantsTable().Sanitize())
	if err != nil {
		return nil, fmt.Errorf("look at the tables: %w", err)
	}
	var tables []*rowTable
	var schema, name string
	var c rowColumn
	_, err = pgx.ForEachRow(rows, []any{&schema, &name, &c.name, &c.typ, &c.numbered}, func() error {
		if n := len(tables); n == 0 || tables[n-1].schema != schema || tables[n-1].name != name {
			tables = append(tables, &rowTable{schema: schema, name: name})
		}
		t := tables[len(tables)-1]
		t.columns = append(t.columns, c)
		return nil
	})
	return tables, err
}

// commonTables are the tables of both sides whose app could be built both ways.
func (b *builder) commonTables(ctx context.Context, a, m *side, list []*appFiles, builtA, builtM *built, schemas []string) ([]*rowTable, error) {
	tables, err := a.rowTables(ctx, schemas)
	if err != nil {
		return nil, err
	}
	others, err := m.rowTables(ctx, schemas)
	if err != nil {
		return nil, err
	}
	var common []*rowTable
	for _, t := range tables {
		i := slices.IndexFunc(others, func(o *rowTable) bool { return o.schema == t.schema && o.name == t.name })
		t.app = find(list, builtA, builtM, objectID{t.schema, "table " + t.quoted()})
		if i < 0 || t.app == nil || builtA.failed[t.app.name] || builtM.failed[t.app.name] {
			continue
		}
		t.columns = slices.DeleteFunc(t.columns, func(c rowColumn) bool {
			return !slices.ContainsFunc(others[i].columns, func(o rowColumn) bool { return o.name == c.name && o.typ == c.typ })
		})
		common = append(common, t)
	}
	return common, nil
}

// plainName is a name that needs no quotes, if it is no key word.
var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// quoted is the name as the catalog has it, with quotes where SQL needs them.
func (t *rowTable) quoted() string {
	if plainName.MatchString(t.name) {
		return t.name
	}
	return pgx.Identifier{t.name}.Sanitize()
}

// from selects columns of the rows.
func (t *rowTable) from(columns []rowColumn) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = pgx.Identifier{c.name}.Sanitize()
	}
	return "SELECT " + strings.Join(names, ", ") + " FROM ONLY " + pgx.Identifier{t.schema, t.name}.Sanitize()
}
