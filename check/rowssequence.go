package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// fed is a column that gets its values from a sequence.
type fed struct {
	schema, sequence, table, column string
}

// fedSQL are the columns that own a sequence, or have one in their default. Those that
// count downwards are not looked at.
const fedSQL = `SELECT DISTINCT n.nspname::text, q.relname::text, t.relname::text, a.attname::text
FROM pg_catalog.pg_class AS q JOIN pg_catalog.pg_namespace AS n ON n.oid = q.relnamespace JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = q.oid AND s.seqincrement > 0
JOIN (
	SELECT d.objid, d.refobjid, d.refobjsubid FROM pg_catalog.pg_depend AS d
		WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
	UNION ALL
	SELECT d.refobjid, f.adrelid, f.adnum FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_attrdef AS f ON f.oid = d.objid
		WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
) AS o (sequence, rel, att) ON o.sequence = q.oid
JOIN pg_catalog.pg_class AS t ON t.oid = o.rel AND t.relnamespace = q.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = o.rel AND a.attnum = o.att AND a.atttypid IN ('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype, 'int8'::pg_catalog.regtype)
WHERE n.nspname = ANY ($1::text[]) ORDER BY 1, 2, 3, 4`

// fedColumns returns the columns of schemas that get their values from sequences.
func (s *side) fedColumns(ctx context.Context, schemas []string) ([]fed, error) {
	rows, err := s.reader.Query(ctx, fedSQL, schemas)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (f fed, err error) {
		return f, row.Scan(&f.schema, &f.sequence, &f.table, &f.column)
	})
}

// sequences finds sequences that give numbers which are there already: rows were made with
// numbers of their own, one way and not the other. Gaps are no fault.
func (r *rowComparison) sequences(ctx context.Context, schemas []string, tables []*rowTable) error {
	inA, err := r.a.fedColumns(ctx, schemas)
	if err != nil {
		return err
	}
	inM, err := r.m.fedColumns(ctx, schemas)
	if err != nil {
		return err
	}
	for _, f := range inA {
		i := slices.IndexFunc(tables, func(t *rowTable) bool { return t.schema == f.schema && t.name == f.table })
		if i < 0 || !slices.Contains(inM, f) {
			continue
		}
		behindA, highest, err := r.a.behind(ctx, f)
		if err != nil {
			return err
		}
		behindM, highestM, err := r.m.behind(ctx, f)
		if err != nil {
			return err
		}
		if behindA == behindM {
			continue
		}
		who := bySchema
		if behindM {
			who, highest = byMigrations, highestM
		}
		finding := tables[i].app.finding(sequenceBehind(),
			fmt.Sprintf("table %s: by %s it has rows with %s up to %d, and its sequence %s is behind that", tables[i].quoted(), who, f.column, highest, f.sequence), tables[i].quoted())
		finding.Cure = fmt.Sprintf("SELECT setval('%s', (SELECT max(%s) FROM %s)) behind the rows", strings.ReplaceAll(f.sequence, "'", "''"), pgx.Identifier{f.column}.Sanitize(), tables[i].quoted())
		r.findings = append(r.findings, finding)
	}
	return nil
}

// behind reports whether the next value of a sequence is not above all that the column has.
func (s *side) behind(ctx context.Context, f fed) (behind bool, highest int64, err error) {
	err = s.reader.QueryRow(ctx, fmt.Sprintf(`SELECT coalesce(CASE WHEN q.is_called THEN q.last_value < m.highest ELSE q.last_value <= m.highest END, false), coalesce(m.highest, 0)
		FROM %s AS q, (SELECT pg_catalog.max(%s)::bigint FROM %s) AS m (highest)`, pgx.Identifier{f.schema, f.sequence}.Sanitize(),
		pgx.Identifier{f.column}.Sanitize(), pgx.Identifier{f.schema, f.table}.Sanitize())).Scan(&behind, &highest)
	return behind, highest, err
}
