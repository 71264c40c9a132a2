package catalog

// functionsSQL are functions and procedures, named by the types of their arguments.
// pg_get_functiondef would write the schema; its parts do not. A setting of the
// search path has the schema's name where it was taken from the session (FROM
// CURRENT): there <schema> stands for it.
const functionsSQL = `
	SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
		pg_catalog.quote_ident(p.proname) || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')', '',
		pg_catalog.concat_ws(E'\x1e',
			pg_catalog.concat_ws(E'\x1f', '(' || pg_catalog.pg_get_function_arguments(p.oid) || ')',
				'RETURNS ' || pg_catalog.pg_get_function_result(p.oid),
				'LANGUAGE ' || (SELECT pg_catalog.quote_ident(l.lanname) FROM pg_catalog.pg_language l WHERE l.oid = p.prolang),
				CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' END,
				CASE WHEN p.prokind = 'w' THEN 'WINDOW' END,
				CASE WHEN p.proisstrict THEN 'STRICT' END,
				CASE WHEN p.prosecdef THEN 'SECURITY DEFINER' END,
				CASE WHEN p.proleakproof THEN 'LEAKPROOF' END,
				CASE p.proparallel WHEN 's' THEN 'PARALLEL SAFE' WHEN 'r' THEN 'PARALLEL RESTRICTED' END,
				'COST ' || p.procost, 'ROWS ' || NULLIF(p.prorows, 0),
				'SUPPORT ' || NULLIF(p.prosupport::oid, 0)::pg_catalog.regprocedure::text,
				'TRANSFORM ' || p.protrftypes::text),
			(SELECT pg_catalog.string_agg('SET ' || CASE WHEN c.setting LIKE 'search\_path=%' THEN 'search_path=' || (
					SELECT pg_catalog.string_agg(
						CASE WHEN s.name IN (pg_catalog.quote_ident(ns.nspname), '"' || ns.nspname || '"') THEN '<schema>' ELSE s.name END, ', ' ORDER BY s.n)
					FROM ns, pg_catalog.regexp_split_to_table(pg_catalog.substr(c.setting, 13), ',\s*') WITH ORDINALITY s (name, n))
				ELSE c.setting END, E'\x1e' ORDER BY c.setting)
			FROM pg_catalog.unnest(p.proconfig) c (setting)),
			p.probin, COALESCE(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc)),
		p.proowner, p.proacl,
		'pg_catalog.pg_proc'::pg_catalog.regclass::oid, p.oid, 0
	FROM member m
	JOIN pg_catalog.pg_proc p ON p.oid = m.objid
	WHERE m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.prokind <> 'a'`

// aggregatesSQL are the aggregate functions.
const aggregatesSQL = `
	SELECT 'aggregate', pg_catalog.quote_ident(p.proname) || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')', '',
		pg_catalog.concat_ws(', ',
			'(' || pg_catalog.pg_get_function_arguments(p.oid) || ') (SFUNC = ' || a.aggtransfn::oid::pg_catalog.regprocedure::text,
			'STYPE = ' || pg_catalog.format_type(a.aggtranstype, NULL), 'SSPACE = ' || NULLIF(a.aggtransspace, 0),
			'INITCOND = ' || pg_catalog.quote_literal(a.agginitval),
			'FINALFUNC = ' || NULLIF(a.aggfinalfn::oid, 0)::pg_catalog.regprocedure::text,
			'FINALFUNC_MODIFY = ' || a.aggfinalmodify::text, CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
			'COMBINEFUNC = ' || NULLIF(a.aggcombinefn::oid, 0)::pg_catalog.regprocedure::text,
			'SERIALFUNC = ' || NULLIF(a.aggserialfn::oid, 0)::pg_catalog.regprocedure::text,
			'DESERIALFUNC = ' || NULLIF(a.aggdeserialfn::oid, 0)::pg_catalog.regprocedure::text,
			'MSFUNC = ' || NULLIF(a.aggmtransfn::oid, 0)::pg_catalog.regprocedure::text,
			'MINVFUNC = ' || NULLIF(a.aggminvtransfn::oid, 0)::pg_catalog.regprocedure::text,
			'MFINALFUNC = ' || NULLIF(a.aggmfinalfn::oid, 0)::pg_catalog.regprocedure::text,
			'MSTYPE = ' || pg_catalog.format_type(NULLIF(a.aggmtranstype, 0), NULL),
			'MINITCOND = ' || pg_catalog.quote_literal(a.aggminitval),
			'SORTOP = ' || NULLIF(a.aggsortop, 0)::pg_catalog.regoperator::text,
			'KIND = ' || a.aggkind::text, 'PARALLEL = ' || p.proparallel::text) || ')',
		p.proowner, p.proacl,
		'pg_catalog.pg_proc'::pg_catalog.regclass::oid, p.oid, 0
	FROM member m
	JOIN pg_catalog.pg_proc p ON p.oid = m.objid
	JOIN pg_catalog.pg_aggregate a ON a.aggfnoid = p.oid
	WHERE m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass`
