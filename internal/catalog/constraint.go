package catalog

// constraintsSQL are the constraints of tables and domains; constraint triggers are
// triggers. PostgreSQL checks foreign keys, and what is deferrable, in triggers of its own:
// where some of them do not fire as usual a part says so for each table that has such. A
// constraint that a partition has from its parent is implied by the parent's, and there
// only if that is to be said of it.
const constraintsSQL = `
	SELECT 'constraint', r.name || '.' || pg_catalog.quote_ident(k.conname), r.key, pg_catalog.concat_ws(E'\x1f',
			CASE WHEN s.own THEN pg_catalog.pg_get_constraintdef(k.oid, true) END,
			'WITH (' || pg_catalog.array_to_string(c.reloptions, ', ') || ')',
			CASE WHEN i.indisclustered THEN 'CLUSTER' END,
			CASE WHEN i.indisreplident THEN 'REPLICA IDENTITY' END,
			CASE WHEN NOT i.indisvalid THEN 'INVALID' END,
			s.firing),
		NULL, NULL, 'pg_catalog.pg_constraint'::pg_catalog.regclass::oid, k.oid, 0
	FROM relation r
	JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')
	LEFT JOIN (pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid)
		ON k.contype <> 'f' AND i.indexrelid = k.conindid
	CROSS JOIN LATERAL (
		SELECT k.conparentid = 0 AND (k.conislocal OR k.coninhcount = 0), CASE WHEN k.contype <> 'c' THEN (
			SELECT pg_catalog.string_agg(DISTINCT f.firing, E'\x1f' ORDER BY f.firing)
			FROM pg_catalog.pg_trigger g, LATERAL (
				SELECT (CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END
					|| ' TRIGGER ON ' || g.tgrelid::pg_catalog.regclass::text) COLLATE "C") f (firing)
			WHERE g.tgconstraint = k.oid AND g.tgisinternal AND g.tgenabled <> 'O') END) s (own, firing)
	WHERE s.own OR s.firing IS NOT NULL
	UNION ALL
	SELECT 'constraint', pg_catalog.quote_ident(t.typname) || '.' || pg_catalog.quote_ident(k.conname),
		'domain ' || pg_catalog.quote_ident(t.typname), pg_catalog.pg_get_constraintdef(k.oid, true),
		NULL, NULL, 'pg_catalog.pg_constraint'::pg_catalog.regclass::oid, k.oid, 0
	FROM member m
	JOIN pg_catalog.pg_type t ON t.oid = m.objid
	JOIN pg_catalog.pg_constraint k ON k.contypid = t.oid AND k.contype = 'c'
	WHERE m.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.typtype = 'd'`
