package catalog

// commentsSQL are the comments on the objects, and those on the columns of views.
const commentsSQL = `
SELECT 'comment', o.kind || ' ' || o.name, o.kind || ' ' || o.name, d.description, '', 0, 0, 0
FROM object o
JOIN pg_catalog.pg_description d ON d.objoid = o.object AND d.classoid = o.class AND d.objsubid = o.sub
UNION ALL
SELECT 'comment', 'column ' || r.name || '.' || pg_catalog.quote_ident(a.attname), r.key, d.description, '', 0, 0, 0
FROM relation r
JOIN pg_catalog.pg_description d ON d.objoid = r.oid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid > 0
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.objsubid
WHERE r.relkind IN ('v', 'm')`
