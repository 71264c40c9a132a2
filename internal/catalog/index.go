package catalog

// indexesSQL are the indexes that are not a constraint's. The definition is without
// the index's name, which pg_get_indexdef writes behind CREATE INDEX; with true for
// its last argument it names the table as the path has it.
const indexesSQL = `
	SELECT 'index', x.name, x.key, pg_catalog.concat_ws(E'\x1f',
			CASE WHEN x.indisunique THEN 'UNIQUE' END,
			pg_catalog.substr(pg_catalog.pg_get_indexdef(x.indexrelid, 0, true),
				pg_catalog.length('CREATE ' || CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX ' || x.name || ' ') + 1),
			'TABLESPACE ' || (SELECT pg_catalog.quote_ident(t.spcname) FROM pg_catalog.pg_tablespace t WHERE t.oid = x.reltablespace),
			CASE WHEN x.relispartition THEN 'PARTITION OF ' || (
				SELECT h.inhparent::pg_catalog.regclass::text FROM pg_catalog.pg_inherits h WHERE h.inhrelid = x.indexrelid) END,
			(SELECT pg_catalog.string_agg('ALTER COLUMN ' || a.attnum || ' SET STATISTICS ' || a.attstattarget, E'\x1f' ORDER BY a.attnum)
				FROM pg_catalog.pg_attribute a WHERE a.attrelid = x.indexrelid AND a.attnum > 0 AND a.attstattarget <> -1),
			CASE WHEN x.indisclustered THEN 'CLUSTER' END,
			CASE WHEN x.indisreplident THEN 'REPLICA IDENTITY' END,
			CASE WHEN NOT x.indisvalid THEN 'INVALID' END),
		NULL, NULL, 'pg_catalog.pg_class'::pg_catalog.regclass::oid, x.indexrelid, 0
	FROM (
		SELECT r.key, pg_catalog.quote_ident(c.relname) AS name, c.relispartition, c.reltablespace,
			i.indexrelid, i.indisunique, i.indisclustered, i.indisreplident, i.indisvalid
		FROM relation r
		JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
		JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
		WHERE NOT EXISTS (
			SELECT FROM pg_catalog.pg_constraint k
			WHERE k.conrelid = r.oid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
	) x`
