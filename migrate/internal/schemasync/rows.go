package schemasync

import (
	"context"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5"
)

// watchRows notes which tables have rows that a statement changed, and which sequences it
// moved. names, where they are known, are the tables and sequences that it names: it works
// on these and on what belongs to them, and what that takes does not depend on what else
// is there.
func (l *learner) watchRows(ctx context.Context, s *step, names []string, known bool) error {
	if known && !l.thorough {
		rows, reaches, err := l.written(ctx, familySQL, names)
		if err != nil {
			return err
		}
		if !reaches || !s.manipulation() { // only those fire triggers
			s.noteRows(l.rows, rows)
			maps.Copy(l.rows, rows)
			return nil
		}
	}
	rows, _, err := l.written(ctx, allSQL)
	if err != nil {
		return err
	}
	s.noteRows(l.rows, rows)
	l.rows = rows
	return nil
}

// noteRows compares what was written with what had been before the step.
func (s *step) noteRows(before, rows map[string]int64) {
	for key, n := range rows {
		if n != before[key] {
			s.writes = append(s.writes, key)
		}
	}
}

// countSQL is, for a table, how many of its rows were inserted, updated and deleted in the
// transaction, and for a sequence the value that it has come to.
const countSQL = `
SELECT CASE c.relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || pg_catalog.quote_ident(c.relname),
	CASE c.relkind WHEN 'S' THEN COALESCE(pg_catalog.pg_sequence_last_value(c.oid), 0)
	ELSE pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) + pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
		+ pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) END`

// allSQL counts in the whole schema.
const allSQL = countSQL + `, false
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = n.oid
	AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'S')
WHERE n.nspname = $1::text`

// familySQL counts in some tables, their children, those that the rows of these go with
// (ON DELETE CASCADE), and the sequences of their columns. It reports where that may not be
// all: a trigger, a rule, a function of the schema can do anything, and what is written
// through a view is another table's.
const familySQL = `
WITH RECURSIVE family (oid) AS (
	SELECT c.oid FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = ANY ($2::text[]::name[])
	WHERE n.nspname = $1::text
	UNION
	SELECT m.oid FROM family f CROSS JOIN LATERAL (
		SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = f.oid
		UNION ALL
		SELECT t.tgconstrrelid FROM pg_catalog.pg_trigger t WHERE t.tgrelid = f.oid AND t.tgisinternal AND t.tgfoid = ANY (ARRAY[
			'pg_catalog."RI_FKey_cascade_del"', 'pg_catalog."RI_FKey_cascade_upd"', 'pg_catalog."RI_FKey_setnull_del"', 'pg_catalog."RI_FKey_setnull_upd"',
			'pg_catalog."RI_FKey_setdefault_del"', 'pg_catalog."RI_FKey_setdefault_upd"']::pg_catalog.regproc[])
		UNION ALL
		SELECT d.objid FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = f.oid
			AND d.refobjsubid > 0 AND d.classid = d.refclassid AND d.deptype IN ('a', 'i')
		UNION ALL
		SELECT d.refobjid FROM pg_catalog.pg_attrdef a JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = a.oid
			AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass WHERE a.adrelid = f.oid
	) m (oid)
)` + countSQL + `,
	c.relkind IN ('v', 'f') OR c.relhasrules OR EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
	OR EXISTS (SELECT FROM pg_catalog.pg_attrdef a JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = a.oid
		JOIN pg_catalog.pg_proc p ON d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid = p.oid
		WHERE a.adrelid = c.oid AND p.pronamespace = c.relnamespace)
FROM family f JOIN pg_catalog.pg_class c ON c.oid = f.oid AND c.relkind IN ('r', 'S', 'p', 'v', 'f')`

// written runs allSQL or familySQL, and reports whether a statement for rows may reach
// further.
func (l *learner) written(ctx context.Context, sql string, names ...any) (written map[string]int64, reaches bool, err error) {
	rows, err := l.tx.Query(ctx, sql, append([]any{l.schema}, names...)...)
	if err != nil {
		return nil, false, fmt.Errorf("scratch schema: %w", err)
	}
	written = map[string]int64{}
	var (
		key     string
		n       int64
		further bool
	)
	_, err = pgx.ForEachRow(rows, []any{&key, &n, &further}, func() error {
		written[key] = n
		reaches = reaches || further
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("scratch schema: %w", err)
	}
	return written, reaches, nil
}

// catalogWrites counts the rows of the catalog that the transaction has written so far.
// The trigger of a table that makes a partition, say, shows in it.
func (l *learner) catalogWrites(ctx context.Context) (n int64, err error) {
	err = l.tx.QueryRow(ctx, `
		SELECT pg_catalog.sum(pg_catalog.pg_stat_get_xact_tuples_inserted(c) + pg_catalog.pg_stat_get_xact_tuples_updated(c)
			+ pg_catalog.pg_stat_get_xact_tuples_deleted(c))::bigint
		FROM pg_catalog.unnest(ARRAY['pg_attrdef', 'pg_attribute', 'pg_class', 'pg_constraint', 'pg_depend', 'pg_description', 'pg_index', 'pg_policy',
			'pg_proc', 'pg_rewrite', 'pg_sequence', 'pg_trigger', 'pg_type']) n, LATERAL CAST('pg_catalog.' || n AS pg_catalog.regclass) c`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("scratch schema: %w", err)
	}
	return n, nil
}
