package catalog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// needsSQL are the dependencies of what is in a schema, on whatever it depends. It
// looks through the whole catalog, so it is for once a run.
const needsSQL = `
WITH ns AS MATERIALIZED (
	SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = $1::text
), relation AS MATERIALIZED (
	SELECT c.oid FROM ns JOIN pg_catalog.pg_class c ON c.relnamespace = ns.oid
), member (class, object) AS (
	SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, oid FROM relation
	UNION ALL
	SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, a.oid FROM relation r JOIN pg_catalog.pg_attrdef a ON a.adrelid = r.oid
	UNION ALL
	SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass, w.oid FROM relation r JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid
	UNION ALL
	SELECT 'pg_catalog.pg_trigger'::pg_catalog.regclass, g.oid FROM relation r JOIN pg_catalog.pg_trigger g ON g.tgrelid = r.oid
	UNION ALL
	SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, p.oid FROM relation r JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
	UNION ALL
	SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid FROM ns JOIN pg_catalog.pg_constraint k ON k.connamespace = ns.oid
	UNION ALL
	SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid FROM ns JOIN pg_catalog.pg_type t ON t.typnamespace = ns.oid
	UNION ALL
	SELECT d.classid, d.objid
	FROM ns
	JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = ns.oid
	WHERE d.classid NOT IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass)
)
SELECT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, d.deptype IN ('i', 'a')
FROM member m
JOIN pg_catalog.pg_depend d ON d.classid = m.class AND d.objid = m.object
WHERE d.refclassid <> 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.deptype IN ('n', 'i', 'a', 'P', 'S')`

// ReadNeeds is ReadNamed that also returns what of the schema each object needs to be
// there: the keys of an object's needs by its key. An index needs its columns, a view
// the functions that it calls, a column the type it is of. What the text of a function
// names is not known. It takes longer than Read.
func ReadNeeds(ctx context.Context, tx pgx.Tx, schema string) (objects []Object, needs map[string][]string, err error) {
	g := graph{keys: map[address]string{}, owners: map[address]address{}}
	err = each(ctx, tx, schema, nil, func(o Object, at address) {
		objects = append(objects, o)
		if at.object != 0 {
			g.keys[at] = o.Key()
		}
	})
	if err != nil {
		return nil, nil, err
	}
	type edge struct{ from, to address }
	var (
		edges []edge
		e     edge
		owned bool
	)
	rows, err := tx.Query(ctx, needsSQL, schema)
	if err != nil {
		return nil, nil, fmt.Errorf("read the dependencies of schema %q: %w", schema, err)
	}
	dest := []any{&e.from.class, &e.from.object, &e.from.sub, &e.to.class, &e.to.object, &e.to.sub, &owned}
	_, err = pgx.ForEachRow(rows, dest, func() error {
		edges = append(edges, e)
		if owned {
			g.owners[e.from] = e.to
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read the dependencies of schema %q: %w", schema, err)
	}
	needs = map[string][]string{}
	for _, e := range edges {
		from, to := g.key(e.from), g.key(e.to)
		if from != "" && to != "" && from != to {
			needs[from] = append(needs[from], to)
		}
	}
	return objects, needs, nil
}

// graph finds the object that a row of the catalog is, or serves.
type graph struct {
	keys   map[address]string
	owners map[address]address // of what exists for another: a default for its column, a rule for its view
}

func (g graph) key(at address) string {
	const deepest = 5 // an array of the rows of a view
	for range deepest {
		if key := g.keys[at]; key != "" {
			return key
		}
		if owner, ok := g.owners[at]; ok {
			at = owner
		} else {
			at.sub = 0 // the column of a view
		}
	}
	return ""
}
