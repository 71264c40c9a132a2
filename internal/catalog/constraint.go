package catalog

// constraintsSQL are the constraints of tables and domains. A constraint that a
// partition has from its parent is implied by the parent's; constraint triggers are
// triggers.
const constraintsSQL = `
	SELECT 'constraint', r.name || '.' || pg_catalog.quote_ident(k.conname), r.key, pg_catalog.concat_ws(E'\x1f',
			pg_catalog.pg_get_constraintdef(k.oid, true),
			'WITH (' || pg_catalog.array_to_string(c.reloptions, ', ') || ')',
			CASE WHEN i.indisclustered THEN 'CLUSTER' END,
			CASE WHEN i.indisreplident THEN 'REPLICA IDENTITY' END,
			CASE WHEN NOT i.indisvalid THEN 'INVALID' END),
		NULL, NULL, 'pg_catalog.pg_constraint'::pg_catalog.regclass::oid, k.oid, 0
	FROM relation r
	JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')
		AND k.conparentid = 0 AND (k.conislocal OR k.coninhcount = 0)
	LEFT JOIN (pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid)
		ON k.contype <> 'f' AND i.indexrelid = k.conindid
	UNION ALL
	SELECT 'constraint', pg_catalog.quote_ident(t.typname) || '.' || pg_catalog.quote_ident(k.conname),
		'domain ' || pg_catalog.quote_ident(t.typname), pg_catalog.pg_get_constraintdef(k.oid, true),
		NULL, NULL, 'pg_catalog.pg_constraint'::pg_catalog.regclass::oid, k.oid, 0
	FROM member m
	JOIN pg_catalog.pg_type t ON t.oid = m.objid
	JOIN pg_catalog.pg_constraint k ON k.contypid = t.oid AND k.contype = 'c'
	WHERE m.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.typtype = 'd'`
