package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

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

// Grants takes Access apart: the owner of the object, and what others may do with it, each
// as role=letter with the letter that PostgreSQL has for the privilege (followed by * where
// it may be passed on), in the order of their bytes; of everybody the role is empty. What is
// granted from the start is there, too. An Access that is empty, or has another form,
// makes no owner; that of a column is whoever granted.
func (o Object) Grants() (owner string, grants []string) {
	owner, rest, ok := cutRole(o.Access)
	if o.Kind == Column { // whose owner is the table's, who is the first to grant
		owner, rest = "", " "+o.Access
	} else if !ok || owner == "" || rest != "" && !strings.HasPrefix(rest, " ") {
		return "", nil
	}
	if rest == "" {
		switch o.Kind {
		case Function, Procedure, Aggregate:
			grants = []string{"=X"}
		case Type, Domain:
			grants = []string{"=U"}
		default: // nobody else may do anything with others
		}
		return owner, grants
	}
	if rest = rest[1:]; rest == "nobody" {
		return owner, nil
	}
	for {
		role, letters, ok := cutRole(rest)
		letters, ok2 := strings.CutPrefix(letters, "=")
		letters, grantor, ok3 := strings.Cut(letters, "/")
		grantor, after, ok4 := cutRole(grantor)
		if !ok || !ok2 || !ok3 || !ok4 {
			return "", nil
		}
		if owner = cmp.Or(owner, grantor); owner == "" {
			return "", nil
		}
		for i, letter := range letters {
			switch {
			case role == owner || letter == '*':
			case strings.HasPrefix(letters[i+1:], "*"):
				grants = append(grants, role+"="+string(letter), role+"="+string(letter)+"*")
			default:
				grants = append(grants, role+"="+string(letter))
			}
		}
		if after == "" {
			slices.Sort(grants)
			return owner, slices.Compact(grants)
		}
		if rest, ok = strings.CutPrefix(after, ", "); !ok {
			return "", nil
		}
	}
}

// cutRole cuts the name of a role, which may be quoted, off the front of a text.
func cutRole(text string) (role, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, "=/, ")
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:], true
	}
	var b strings.Builder
	for rest = text[1:]; ; {
		part, after, found := strings.Cut(rest, `"`)
		if !found {
			return "", "", false
		}
		b.WriteString(part)
		if rest = after; !strings.HasPrefix(rest, `"`) {
			return b.String(), rest, true
		}
		b.WriteByte('"')
		rest = rest[1:]
	}
}
