package catalog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// accessSQL is the owner of an object, and the privileges on it where they are not those
// that the owner has from the start: sorted, since they stand in the order in which they
// were granted.
const accessSQL = `COALESCE(pg_catalog.concat_ws(' ', pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(o.owner)), CASE WHEN o.acl IS NOT NULL THEN NULLIF(
		COALESCE((SELECT pg_catalog.string_agg(i.item::text, ', ' ORDER BY i.item::text COLLATE "C") FROM pg_catalog.unnest(o.acl) i (item)), 'nobody'),
		(SELECT pg_catalog.string_agg(i.item::text, ', ' ORDER BY i.item::text COLLATE "C") FROM pg_catalog.unnest(pg_catalog.acldefault(
			CASE WHEN o.kind = 'column' THEN 'c' WHEN o.kind = 'sequence' THEN 's' WHEN o.kind IN ('function', 'procedure', 'aggregate') THEN 'f'
				WHEN o.kind IN ('type', 'domain') THEN 'T' WHEN o.kind = 'schema' THEN 'n' ELSE 'r' END::"char", o.owner)) i (item))) END), '')`

// schemaAccessSQL is the access to the schema itself, and the privileges that are granted
// on what will be created in it.
const schemaAccessSQL = `
WITH ns AS MATERIALIZED (
	SELECT n.oid, n.nspowner, n.nspacl FROM pg_catalog.pg_namespace n WHERE n.nspname = $1::text
)
SELECT o.kind, '', '', ` + accessSQL + `
FROM (SELECT 'schema', ns.nspowner, ns.nspacl FROM ns) o (kind, owner, acl)
UNION ALL
SELECT 'default privileges', CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
		ELSE d.defaclobjtype::text END || ' of ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(d.defaclrole)),
	(SELECT pg_catalog.string_agg(i.item::text, ', ' ORDER BY i.item::text COLLATE "C") FROM pg_catalog.unnest(d.defaclacl) i (item)), ''
FROM ns
JOIN pg_catalog.pg_default_acl d ON d.defaclnamespace = ns.oid`

// ReadAccess returns what Read does not have of the access to a schema: that to the
// schema itself, and its default privileges.
func ReadAccess(ctx context.Context, tx pgx.Tx, schema string) ([]Object, error) {
	rows, err := tx.Query(ctx, schemaAccessSQL, schema)
	if err != nil {
		return nil, fmt.Errorf("read the access to schema %q: %w", schema, err)
	}
	objects, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o Object, err error) {
		err = row.Scan(&o.Kind, &o.Name, &o.Definition, &o.Access)
		return o.defined(), err
	})
	if err != nil {
		return nil, fmt.Errorf("read the access to schema %q: %w", schema, err)
	}
	return objects, nil
}
