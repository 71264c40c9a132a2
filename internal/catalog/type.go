package catalog

// typesSQL are enums, composite types, ranges, base types and domains. The types of
// a table's rows, of arrays and of multiranges belong to others.
const typesSQL = `
	SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, pg_catalog.quote_ident(t.typname), '',
		CASE t.typtype
		WHEN 'e' THEN 'AS ENUM (' || COALESCE((
			SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
			FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid), '') || ')'
		WHEN 'c' THEN 'AS (' || COALESCE((
			SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ',
				pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, a.atttypmod),
				CASE WHEN a.attcollation <> y.typcollation THEN 'COLLATE ' || a.attcollation::pg_catalog.regcollation::text END),
				', ' ORDER BY a.attnum)
			FROM pg_catalog.pg_attribute a
			JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
			WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '') || ')'
		WHEN 'd' THEN pg_catalog.concat_ws(E'\x1f', 'AS ' || pg_catalog.format_type(t.typbasetype, t.typtypmod),
			CASE WHEN t.typcollation <> b.typcollation THEN 'COLLATE ' || t.typcollation::pg_catalog.regcollation::text END,
			'DEFAULT ' || pg_catalog.pg_get_expr(t.typdefaultbin, 0), CASE WHEN t.typnotnull THEN 'NOT NULL' END)
		WHEN 'r' THEN (
			SELECT pg_catalog.concat_ws(', ', 'AS RANGE (SUBTYPE = ' || pg_catalog.format_type(g.rngsubtype, NULL),
				'SUBTYPE_OPCLASS = ' || o.opcname, 'COLLATION = ' || NULLIF(g.rngcollation, 0)::pg_catalog.regcollation::text,
				'CANONICAL = ' || NULLIF(g.rngcanonical, 0)::pg_catalog.regprocedure::text,
				'SUBTYPE_DIFF = ' || NULLIF(g.rngsubdiff, 0)::pg_catalog.regprocedure::text,
				'MULTIRANGE_TYPE_NAME = ' || g.rngmultitypid::pg_catalog.regtype::text) || ')'
			FROM pg_catalog.pg_range g JOIN pg_catalog.pg_opclass o ON o.oid = g.rngsubopc
			WHERE g.rngtypid = t.oid)
		WHEN 'b' THEN pg_catalog.concat_ws(', ',
			'(INPUT = ' || t.typinput::oid::pg_catalog.regprocedure::text, 'OUTPUT = ' || t.typoutput::oid::pg_catalog.regprocedure::text,
			'INTERNALLENGTH = ' || t.typlen, 'ALIGNMENT = ' || t.typalign::text, 'STORAGE = ' || t.typstorage::text) || ')'
		ELSE ''
		END,
		t.typowner, t.typacl,
		'pg_catalog.pg_type'::pg_catalog.regclass::oid, t.oid, 0
	FROM member m
	JOIN pg_catalog.pg_type t ON t.oid = m.objid AND t.typtype IN ('b', 'c', 'd', 'e', 'p', 'r')
	LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
	WHERE m.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
	AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE t.typelem <> 0 AND e.oid = t.typelem AND e.typarray = t.oid)`
