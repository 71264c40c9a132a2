package catalog

// viewsSQL are views and materialized views.
const viewsSQL = `
	SELECT r.kind, r.name, '', pg_catalog.concat_ws(E'\x1f',
			'WITH (' || pg_catalog.array_to_string(r.reloptions, ', ') || ')',
			'AS' || pg_catalog.pg_get_viewdef(r.oid, true),
			(SELECT pg_catalog.string_agg('ALTER COLUMN ' || pg_catalog.quote_ident(a.attname) || ' SET DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid), ' ' ORDER BY a.attnum)
				FROM pg_catalog.pg_attrdef d
				JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
				WHERE d.adrelid = r.oid)),
		r.relowner, r.relacl,
		'pg_catalog.pg_class'::pg_catalog.regclass::oid, r.oid, 0
	FROM relation r
	WHERE r.relkind IN ('v', 'm')`

// rulesSQL are the rules of tables and views but for those that make the views.
const rulesSQL = `
	SELECT 'rule', r.name || '.' || pg_catalog.quote_ident(w.rulename), r.key, pg_catalog.concat_ws(E'\x1f',
			pg_catalog.pg_get_ruledef(w.oid, true),
			CASE w.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' END),
		NULL, NULL, 'pg_catalog.pg_rewrite'::pg_catalog.regclass::oid, w.oid, 0
	FROM relation r
	JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'`
