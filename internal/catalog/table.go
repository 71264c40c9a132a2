package catalog

// tablesSQL are tables, partitioned ones and partitions, and foreign tables.
const tablesSQL = `
	SELECT r.kind, r.name, '', pg_catalog.concat_ws(E'\x1f',
			CASE r.relpersistence WHEN 'u' THEN 'UNLOGGED' END,
			'OF ' || NULLIF(r.reloftype, 0)::pg_catalog.regtype::text,
			CASE WHEN r.relkind = 'p' THEN 'PARTITION BY ' || pg_catalog.pg_get_partkeydef(r.oid) END,
			CASE WHEN r.relispartition THEN 'PARTITION OF ' ELSE 'INHERITS ' END || (
				SELECT pg_catalog.string_agg(i.inhparent::pg_catalog.regclass::text, ', ' ORDER BY i.inhseqno)
				FROM pg_catalog.pg_inherits i WHERE i.inhrelid = r.oid),
			CASE WHEN r.relispartition THEN pg_catalog.pg_get_expr(r.relpartbound, r.oid) END,
			'USING ' || (SELECT a.amname FROM pg_catalog.pg_am a WHERE a.oid = r.relam AND a.amname <> 'heap'),
			'SERVER ' || (
				SELECT pg_catalog.quote_ident(s.srvname) || o.options
				FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver,
				LATERAL (SELECT COALESCE(' OPTIONS (' || pg_catalog.array_to_string(f.ftoptions, ', ') || ')', '')) o (options)
				WHERE r.relkind = 'f' AND f.ftrelid = r.oid),
			'WITH (' || pg_catalog.array_to_string(r.reloptions, ', ') || ')',
			'WITH (toast.' || (
				SELECT pg_catalog.array_to_string(t.reloptions, ', toast.')
				FROM pg_catalog.pg_class t WHERE t.oid = r.reltoastrelid) || ')',
			'TABLESPACE ' || (SELECT pg_catalog.quote_ident(t.spcname) FROM pg_catalog.pg_tablespace t WHERE t.oid = r.reltablespace),
			CASE WHEN r.relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END,
			CASE WHEN r.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END,
			CASE r.relreplident WHEN 'n' THEN 'REPLICA IDENTITY NOTHING' WHEN 'f' THEN 'REPLICA IDENTITY FULL' END),
		r.relowner, r.relacl,
		'pg_catalog.pg_class'::pg_catalog.regclass::oid, r.oid, 0
	FROM relation r
	WHERE r.relkind IN ('r', 'p', 'f')`
