package catalog

// policiesSQL are the row level security policies.
const policiesSQL = `
	SELECT 'policy', r.name || '.' || pg_catalog.quote_ident(p.polname), r.key, pg_catalog.concat_ws(' ',
			CASE WHEN NOT p.polpermissive THEN 'AS RESTRICTIVE' END,
			CASE p.polcmd WHEN 'r' THEN 'FOR SELECT' WHEN 'a' THEN 'FOR INSERT' WHEN 'w' THEN 'FOR UPDATE' WHEN 'd' THEN 'FOR DELETE' END,
			'TO ' || (
				SELECT pg_catalog.string_agg(CASE o.id WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(o.id)) END, ', ' ORDER BY pg_catalog.pg_get_userbyid(o.id)::text COLLATE "C")
				FROM pg_catalog.unnest(p.polroles) o (id)),
			'USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid, true) || ')',
			'WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid, true) || ')'),
		NULL, NULL, 'pg_catalog.pg_policy'::pg_catalog.regclass::oid, p.oid, 0
	FROM relation r
	JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid`
