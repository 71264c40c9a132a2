package catalog

// sequencesSQL are the sequences, those of serial and identity columns too, without
// the values that they have come to.
const sequencesSQL = `
	SELECT r.kind, r.name, COALESCE('column ' || o.name, ''), pg_catalog.concat_ws(E'\x1f',
			CASE r.relpersistence WHEN 'u' THEN 'UNLOGGED' END,
			'AS ' || pg_catalog.format_type(s.seqtypid, NULL),
			'START ' || s.seqstart, 'INCREMENT ' || s.seqincrement, 'MINVALUE ' || s.seqmin, 'MAXVALUE ' || s.seqmax,
			'CACHE ' || s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' END, 'OWNED BY ' || o.name),
		r.relowner, r.relacl,
		'pg_catalog.pg_class'::pg_catalog.regclass::oid, r.oid, 0
	FROM relation r
	JOIN pg_catalog.pg_sequence s ON s.seqrelid = r.oid
	LEFT JOIN LATERAL (
		SELECT pg_catalog.quote_ident(c.relname) || '.' || pg_catalog.quote_ident(a.attname)
		FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
		JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
		WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = r.oid AND d.objsubid = 0
		AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
		LIMIT 1
	) o (name) ON true`
