package catalog

// triggersSQL are the triggers but for those of constraints. One that a partition has
// from its parent is there only if it fires otherwise than the parent's, which is then
// all that is said of it.
const triggersSQL = `
	SELECT 'trigger', r.name || '.' || pg_catalog.quote_ident(g.tgname), r.key, pg_catalog.concat_ws(E'\x1f',
			CASE WHEN g.tgparentid = 0 THEN pg_catalog.pg_get_triggerdef(g.oid, true) END,
			CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS'
				ELSE CASE WHEN g.tgparentid <> 0 THEN 'ENABLE' END END),
		NULL, NULL, 'pg_catalog.pg_trigger'::pg_catalog.regclass::oid, g.oid, 0
	FROM relation r
	JOIN pg_catalog.pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal
	LEFT JOIN pg_catalog.pg_trigger p ON p.oid = g.tgparentid
	WHERE g.tgparentid = 0 OR g.tgenabled <> p.tgenabled`
