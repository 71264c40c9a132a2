package catalog

// statisticsSQL are extended statistics. The target is NULL, or -1 before
// PostgreSQL 17, where it is the default.
const statisticsSQL = `
	SELECT 'statistics', pg_catalog.quote_ident(s.stxname), r.key, pg_catalog.concat_ws(E'\x1f',
			'(' || pg_catalog.array_to_string(s.stxkind, ', ') || ') ON', pg_catalog.pg_get_statisticsobjdef_columns(s.oid), 'FROM', r.name,
			'STATISTICS ' || NULLIF(s.stxstattarget, -1)),
		s.stxowner, NULL,
		'pg_catalog.pg_statistic_ext'::pg_catalog.regclass::oid, s.oid, 0
	FROM relation r
	JOIN pg_catalog.pg_statistic_ext s ON s.stxrelid = r.oid AND s.stxnamespace = r.relnamespace`
