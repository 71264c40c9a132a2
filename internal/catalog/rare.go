package catalog

// What applications seldom have, in less detail.

// collationsSQL are collations; which columns pg_collation has depends on the
// version.
const collationsSQL = `
	SELECT 'collation', pg_catalog.quote_ident(c.collname), '',
		(pg_catalog.to_jsonb(c) - ARRAY['oid', 'collname', 'collnamespace', 'collowner', 'collversion'])::text,
		c.collowner, NULL,
		'pg_catalog.pg_collation'::pg_catalog.regclass::oid, c.oid, 0
	FROM member m
	JOIN pg_catalog.pg_collation c ON c.oid = m.objid
	WHERE m.classid = 'pg_catalog.pg_collation'::pg_catalog.regclass`

// operatorsSQL are operators, named as +(integer, text).
const operatorsSQL = `
	SELECT 'operator', o.oid::pg_catalog.regoperator::text, '', pg_catalog.concat_ws(', ',
			'(FUNCTION = ' || NULLIF(o.oprcode::oid, 0)::pg_catalog.regprocedure::text,
			'COMMUTATOR = ' || NULLIF(o.oprcom, 0)::pg_catalog.regoperator::text,
			'NEGATOR = ' || NULLIF(o.oprnegate, 0)::pg_catalog.regoperator::text,
			'RESTRICT = ' || NULLIF(o.oprrest::oid, 0)::pg_catalog.regprocedure::text,
			'JOIN = ' || NULLIF(o.oprjoin::oid, 0)::pg_catalog.regprocedure::text,
			CASE WHEN o.oprcanhash THEN 'HASHES' END, CASE WHEN o.oprcanmerge THEN 'MERGES' END) || ')',
		o.oprowner, NULL,
		'pg_catalog.pg_operator'::pg_catalog.regclass::oid, o.oid, 0
	FROM member m
	JOIN pg_catalog.pg_operator o ON o.oid = m.objid
	WHERE m.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass`

// operatorFamiliesSQL are operator families with all that is in them.
const operatorFamiliesSQL = `
	SELECT 'operator family', pg_catalog.quote_ident(f.opfname) || ' USING ' || a.amname, '', pg_catalog.concat_ws(', ',
			(SELECT pg_catalog.string_agg('OPERATOR ' || o.amopstrategy || ' ' || o.amopopr::pg_catalog.regoperator::text, ', '
				ORDER BY o.amopstrategy, o.amopopr::pg_catalog.regoperator::text COLLATE "C")
			FROM pg_catalog.pg_amop o WHERE o.amopfamily = f.oid),
			(SELECT pg_catalog.string_agg('FUNCTION ' || p.amprocnum || ' ' || p.amproc::oid::pg_catalog.regprocedure::text, ', '
				ORDER BY p.amprocnum, p.amproc::oid::pg_catalog.regprocedure::text COLLATE "C")
			FROM pg_catalog.pg_amproc p WHERE p.amprocfamily = f.oid)),
		f.opfowner, NULL,
		'pg_catalog.pg_opfamily'::pg_catalog.regclass::oid, f.oid, 0
	FROM member m
	JOIN pg_catalog.pg_opfamily f ON f.oid = m.objid
	JOIN pg_catalog.pg_am a ON a.oid = f.opfmethod
	WHERE m.classid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass`

// operatorClassesSQL are operator classes; their operators are in the family.
const operatorClassesSQL = `
	SELECT 'operator class', pg_catalog.quote_ident(c.opcname) || ' USING ' || a.amname, '', pg_catalog.concat_ws(' ',
			CASE WHEN c.opcdefault THEN 'DEFAULT' END, 'FOR TYPE', pg_catalog.format_type(c.opcintype, NULL),
			'STORAGE ' || pg_catalog.format_type(NULLIF(c.opckeytype, 0), NULL)),
		c.opcowner, NULL,
		'pg_catalog.pg_opclass'::pg_catalog.regclass::oid, c.oid, 0
	FROM member m
	JOIN pg_catalog.pg_opclass c ON c.oid = m.objid
	JOIN pg_catalog.pg_am a ON a.oid = c.opcmethod
	WHERE m.classid = 'pg_catalog.pg_opclass'::pg_catalog.regclass`

// textSearchSQL are text search configurations and dictionaries.
const textSearchSQL = `
	SELECT 'text search configuration', pg_catalog.quote_ident(c.cfgname), '', pg_catalog.concat_ws(' ',
			(SELECT 'PARSER ' || pg_catalog.quote_ident(p.prsname) FROM pg_catalog.pg_ts_parser p WHERE p.oid = c.cfgparser),
			(SELECT pg_catalog.string_agg(f.maptokentype || ' ' || f.mapdict::pg_catalog.regdictionary::text, ', ' ORDER BY f.maptokentype, f.mapseqno)
			FROM pg_catalog.pg_ts_config_map f WHERE f.mapcfg = c.oid)),
		c.cfgowner, NULL,
		'pg_catalog.pg_ts_config'::pg_catalog.regclass::oid, c.oid, 0
	FROM member m
	JOIN pg_catalog.pg_ts_config c ON c.oid = m.objid
	WHERE m.classid = 'pg_catalog.pg_ts_config'::pg_catalog.regclass
	UNION ALL
	SELECT 'text search dictionary', pg_catalog.quote_ident(d.dictname), '', pg_catalog.concat_ws(' ',
			(SELECT 'TEMPLATE ' || pg_catalog.quote_ident(t.tmplname) FROM pg_catalog.pg_ts_template t WHERE t.oid = d.dicttemplate), d.dictinitoption),
		d.dictowner, NULL,
		'pg_catalog.pg_ts_dict'::pg_catalog.regclass::oid, d.oid, 0
	FROM member m
	JOIN pg_catalog.pg_ts_dict d ON d.oid = m.objid
	WHERE m.classid = 'pg_catalog.pg_ts_dict'::pg_catalog.regclass`

// conversionsSQL are conversions between encodings.
const conversionsSQL = `
	SELECT 'conversion', pg_catalog.quote_ident(c.conname), '', pg_catalog.concat_ws(' ',
			CASE WHEN c.condefault THEN 'DEFAULT' END,
			'FOR ' || pg_catalog.pg_encoding_to_char(c.conforencoding) || ' TO ' || pg_catalog.pg_encoding_to_char(c.contoencoding),
			'FROM ' || c.conproc::oid::pg_catalog.regprocedure::text),
		c.conowner, NULL,
		'pg_catalog.pg_conversion'::pg_catalog.regclass::oid, c.oid, 0
	FROM member m
	JOIN pg_catalog.pg_conversion c ON c.oid = m.objid
	WHERE m.classid = 'pg_catalog.pg_conversion'::pg_catalog.regclass`

// extensionsSQL are the extensions whose objects are in the schema, in whichever
// version.
const extensionsSQL = `
	SELECT 'extension', pg_catalog.quote_ident(e.extname), '', '', e.extowner, NULL,
		'pg_catalog.pg_extension'::pg_catalog.regclass::oid, e.oid, 0
	FROM member m
	JOIN pg_catalog.pg_extension e ON e.oid = m.objid
	WHERE m.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass`
