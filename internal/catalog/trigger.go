package catalog

// triggersSQL are the triggers but for those of foreign keys, and those that
// partitions have from their parent.
const triggersSQL = `
	SELECT 'trigger', r.name || '.' || pg_catalog.quote_ident(g.tgname), r.key, pg_catalog.concat_ws(E'\x1f',
			pg_catalog.pg_get_triggerdef(g.oid, true),
			CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' END),
		NULL, NULL, 'pg_catalog.pg_trigger'::pg_catalog.regclass::oid, g.oid, 0
	FROM relation r
	JOIN pg_catalog.pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal AND g.tgparentid = 0`
