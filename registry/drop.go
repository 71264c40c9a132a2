package registry

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/locktable"
)

// partsSQL are the parts of the schema $1 that are dropped by themselves: its relations,
// routines and types, those first that nothing else needs, and of these the newest: what
// needs another part is mostly made after it, so CASCADE takes little along. What belongs
// to an extension, or to another part, goes with that; what is rare goes with the schema.
//
// Beside the statement that drops it are the locks that each takes: AcquireDeletionLock of
// PostgreSQL's dependency.c takes one for every object that goes, of whatever kind, and one
// for the table that loses a constraint. shared says that it locks tables of other schemas,
// those that its foreign keys refer to.
const partsSQL = `
WITH part AS MATERIALIZED (
	SELECT m.classid, m.objid, c.reltype, c.relkind,
		(SELECT count(*) FROM pg_catalog.pg_depend AS d WHERE d.refclassid = m.classid AND d.refobjid = m.objid AND d.deptype = 'n')
		+ CASE WHEN c.oid IS NULL THEN 0 ELSE (SELECT count(*) FROM pg_catalog.pg_depend AS d WHERE d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refobjid = c.reltype AND d.deptype = 'n')
			+ (SELECT count(*) FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid) END AS needed
	FROM pg_catalog.pg_namespace AS n
	JOIN pg_catalog.pg_depend AS m ON m.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND m.refobjid = n.oid
		AND m.classid IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass)
	LEFT JOIN pg_catalog.pg_class AS c ON m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = m.objid
	WHERE n.nspname = $1 AND (c.oid IS NULL OR c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S'))
		AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS o WHERE o.classid = m.classid AND o.objid = m.objid AND o.objsubid = 0
			AND (o.deptype IN ('e', 'i') OR o.deptype = 'a' AND c.relkind = 'S'))
	ORDER BY needed, m.objid DESC
	LIMIT 500
)
SELECT CASE WHEN o.identity IS NULL THEN '' -- somebody else has dropped it
		ELSE pg_catalog.format('DROP %s IF EXISTS %s CASCADE', CASE p.classid WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN 'ROUTINE' ELSE pg_catalog.upper(o.type) END, o.identity) END,
	3 + 6 * p.needed + CASE WHEN p.relkind IN ('r', 'p', 'v', 'm', 'f') THEN 2
		+ (SELECT count(*) FROM pg_catalog.pg_index AS i WHERE i.indrelid = p.objid)
		+ (SELECT count(*) FROM pg_catalog.pg_attrdef AS d WHERE d.adrelid = p.objid)
		+ (SELECT count(*) + 3 * count(*) FILTER (WHERE k.contype = 'f') FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = p.objid)
		+ (SELECT count(*) FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = p.objid)
		+ (SELECT count(*) FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class = p.objid)
		+ (SELECT count(*) FROM pg_catalog.pg_policy AS y WHERE y.polrelid = p.objid)
		+ (SELECT count(*) FROM pg_catalog.pg_depend AS d WHERE d.refclassid = p.classid AND d.refobjid = p.objid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
			AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass) ELSE 0 END,
	EXISTS (SELECT FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.confrelid
		WHERE k.conrelid = p.objid AND k.contype = 'f' AND c.relnamespace <> k.connamespace)
FROM part AS p, LATERAL pg_catalog.pg_identify_object(p.classid, p.objid, 0) AS o
ORDER BY p.needed, p.objid DESC`

// maxShared is how many tables are dropped in one transaction that have foreign keys to
// tables of other schemas: nobody reads those until it is over.
const maxShared = 5

// part is a part of a schema.
type part struct {
	sql    string // drops it; empty if it is gone
	locks  int    // that this takes
	shared bool   // it locks tables of other schemas
}

// dropSchema drops a schema, a batch of its parts at a time.
func (r *Registry) dropSchema(ctx context.Context, schema string) error {
	room, err := locktable.Read(ctx, r.pool)
	for err == nil {
		var parts []part
		if parts, err = r.parts(ctx, schema); err != nil {
			break
		}
		if len(parts) == 0 {
			err = r.dropParts(ctx, part{sql: "DROP SCHEMA IF EXISTS " + pgx.Identifier{schema}.Sanitize() + " CASCADE"})
			break
		}
		for _, batch := range batches(parts, room.Locks()/4) {
			if err = r.dropParts(ctx, batch...); err != nil {
				break
			}
		}
	}
	if err != nil {
		return fmt.Errorf("schema %q: %w", schema, err)
	}
	return nil
}

// parts returns the next parts of a schema that are to be dropped, in their order.
func (r *Registry) parts(ctx context.Context, schema string) ([]part, error) {
	rows, err := r.pool.Query(ctx, partsSQL, pgx.QueryExecModeExec, schema)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p part, err error) {
		err = row.Scan(&p.sql, &p.locks, &p.shared)
		return p, err
	})
}

// batches divides parts, which stay in their order, so that a batch takes at most so many
// locks, or is one part.
func batches(parts []part, locks int) [][]part {
	var all [][]part
	begin, taken, sharing := 0, 0, 0
	for i, p := range parts {
		if p.shared {
			sharing++
		}
		if taken += p.locks; i > begin && (taken > locks || sharing > maxShared) {
			all = append(all, parts[begin:i])
			begin, taken, sharing = i, p.locks, 0
			if p.shared {
				sharing = 1
			}
		}
	}
	return append(all, parts[begin:])
}

// dropParts drops parts in one transaction; or in two, if the server has no room for its
// locks, since others took it, or there are more than were counted.
func (r *Registry) dropParts(ctx context.Context, parts ...part) error {
	err := r.patiently(ctx, func(tx pgx.Tx) error {
		for _, p := range parts {
			if _, err := tx.Exec(ctx, p.sql, pgx.QueryExecModeExec); err != nil {
				return err
			}
		}
		return nil
	})
	if half := len(parts) / 2; half > 0 && dberr.Code(err) == dberr.OutOfMemory {
		if err = r.dropParts(ctx, parts[:half]...); err == nil {
			err = r.dropParts(ctx, parts[half:]...)
		}
	}
	return err
}
