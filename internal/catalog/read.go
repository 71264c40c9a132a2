package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// Read returns the objects of schema, each after those that it belongs to, in one
// round trip (and one more where the connection prepares the query first). What it
// keeps in memory is bounded by the schema. The error wraps tenant.ErrSchemaNotFound
// if there is no such schema, and is a *UsageError if the role may not use it.
//
// The search path of tx is the schema's while the query runs, and afterwards what it
// was before.
func Read(ctx context.Context, tx pgx.Tx, schema tenant.Schema) ([]Object, error) {
	return ReadNamed(ctx, tx, schema.String())
}

// ReadNamed is Read for schemas of cotenant's own, whose names are no tenant's. The
// name is as it is in the catalog, unquoted.
func ReadNamed(ctx context.Context, tx pgx.Tx, schema string) ([]Object, error) {
	var objects []Object
	err := each(ctx, tx, schema, nil, func(o Object, _ address) { objects = append(objects, o) })
	return objects, err
}

// ReadSome is ReadNamed for a part of the schema: the tables, views, sequences, types and
// functions with one of the names, which are as they are in the catalog, unquoted; the
// children of those tables; and all that belongs to one of them. What it takes does not
// depend on what else is in the schema.
func ReadSome(ctx context.Context, tx pgx.Tx, schema string, names []string) ([]Object, error) {
	var objects []Object
	err := each(ctx, tx, schema, append([]string{}, names...), func(o Object, _ address) { objects = append(objects, o) })
	return objects, err
}

// UsageError says that a role may not use a schema. Nothing in the catalog is hidden from
// it, but for it the schema is not on the search path, so that the definitions would name
// the schema.
type UsageError struct{ Role, Schema string }

// Error says what is to be granted.
func (e *UsageError) Error() string {
	return fmt.Sprintf("role %q may not use it (GRANT USAGE ON SCHEMA %s TO %s)", e.Role, pgx.Identifier{e.Schema}.Sanitize(), pgx.Identifier{e.Role}.Sanitize())
}

// Prepare keeps the query of Read on the connection of tx, however that treats its
// queries, until Release. Planning it takes several times as long as running it: who
// reads many schemas prepares, and sets plan_cache_mode to force_generic_plan, without
// which PostgreSQL plans the first five times.
func Prepare(ctx context.Context, tx pgx.Tx) error {
	return prepare(ctx, tx, readSQL(membersSQL))
}

// PrepareSome does for ReadSome what Prepare does for Read.
func PrepareSome(ctx context.Context, tx pgx.Tx) error {
	return prepare(ctx, tx, readSQL(someMembersSQL))
}

func prepare(ctx context.Context, tx pgx.Tx, sql string) error {
	if _, err := tx.Conn().Prepare(ctx, sql, sql); err != nil {
		return fmt.Errorf("prepare to read the catalog: %w", err)
	}
	return nil
}

// Release ends what Prepare began, which must have succeeded: where it has not, pgx takes
// the query for the name of a statement, and PostgreSQL ends a connection that sends a name
// of that length.
func Release(ctx context.Context, tx pgx.Tx) error {
	return release(ctx, tx, readSQL(membersSQL))
}

// ReleaseSome does for PrepareSome what Release does for Prepare.
func ReleaseSome(ctx context.Context, tx pgx.Tx) error {
	return release(ctx, tx, readSQL(someMembersSQL))
}

func release(ctx context.Context, tx pgx.Tx, sql string) error {
	if err := tx.Conn().Deallocate(ctx, sql); err != nil {
		return fmt.Errorf("read the catalog: %w", err)
	}
	return nil
}

// address is where PostgreSQL keeps an object.
type address struct {
	class, object uint32
	sub           int32 // of a column
}

// each calls f for each object; some, unless it is nil, are the names that ReadSome has.
func each(ctx context.Context, tx pgx.Tx, schema string, some []string, f func(Object, address)) error {
	sql, args := readSQL(membersSQL), []any{schema}
	if some != nil {
		sql, args = readSQL(someMembersSQL), append(args, some)
	}
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("read the catalog of schema %q: %w", schema, err)
	}
	var (
		o      Object
		at     address
		exists bool
	)
	dest := []any{&o.Kind, &o.Name, &o.Of, &o.Definition, &o.Access, &at.class, &at.object, &at.sub}
	_, err = pgx.ForEachRow(rows, dest, func() error {
		if o.Kind == "" { // the rows that set the path
			exists = exists || o.Of == "" // the last one is there also if the schema was dropped meanwhile
			if o.Definition != "" {
				return &UsageError{Role: o.Definition, Schema: schema}
			}
			return nil
		}
		o.Position = 0
		if o.Kind == Column {
			o.Position = at.sub
		}
		f(o.defined(), at)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the catalog of schema %q: %w", schema, err)
	}
	if !exists {
		return fmt.Errorf("read the catalog of schema %q: %w", schema, tenant.ErrSchemaNotFound)
	}
	return nil
}

// readSQL is the query of Read. Its first and its last row set the search path: the
// functions that write definitions leave out the names of schemas on the path, and a
// path that was set by a statement of its own would have the query planned anew for
// every schema, which takes longer than it runs. PostgreSQL runs the branches of
// UNION ALL one after the other.
//
// The schema comes before pg_catalog, so that nothing hides its objects.
func readSQL(members string) string {
	branches := []string{ // each after those that its objects belong to
		tablesSQL, viewsSQL, columnsSQL, typesSQL, constraintsSQL, indexesSQL, sequencesSQL, functionsSQL, aggregatesSQL,
		triggersSQL, rulesSQL, policiesSQL, statisticsSQL, collationsSQL, operatorsSQL, operatorFamiliesSQL,
		operatorClassesSQL, textSearchSQL, conversionsSQL, extensionsSQL,
	}
	return `
WITH RECURSIVE ns AS MATERIALIZED (
	SELECT n.oid, n.nspname, pg_catalog.current_setting('server_version_num')::int AS version,
		pg_catalog.current_setting('search_path') AS path_before,
		pg_catalog.set_config('search_path', pg_catalog.quote_ident(n.nspname) || ', pg_catalog, pg_temp', true) AS path
	FROM pg_catalog.pg_namespace n
	WHERE n.nspname = $1::text
), ` + members + `, relation AS MATERIALIZED (
	SELECT c.*, k.kind, pg_catalog.quote_ident(c.relname) AS name, k.kind || ' ' || pg_catalog.quote_ident(c.relname) AS key
	FROM member m
	JOIN pg_catalog.pg_class c ON c.oid = m.objid
	JOIN (VALUES ('r', 'table'), ('p', 'table'), ('f', 'foreign table'), ('v', 'view'), ('m', 'materialized view'), ('S', 'sequence')) k (relkind, kind)
		ON k.relkind::"char" = c.relkind
	WHERE m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
	AND c.relnamespace = (SELECT ns.oid FROM ns)
	AND c.relname <> 'cotenant_migrations'
), object (kind, name, belongs, definition, owner, acl, class, object, sub) AS MATERIALIZED (` +
		strings.Join(branches, "\nUNION ALL") + `
)
SELECT '' AS kind, ns.path AS name, '' AS belongs, CASE WHEN pg_catalog.has_schema_privilege(ns.oid, 'USAGE') THEN '' ELSE current_user::text END AS definition,
	'' AS access, 0::oid AS class, 0::oid AS object, 0 AS sub
FROM ns
WHERE pg_catalog.has_schema_privilege(ns.oid, 'USAGE') IS NOT NULL -- it is where the schema was dropped just now
UNION ALL
SELECT o.kind, o.name, o.belongs, o.definition, ` + accessSQL + `, o.class, o.object, o.sub
FROM object o
UNION ALL` + commentsSQL + `
UNION ALL
SELECT '', pg_catalog.set_config('search_path', ns.path_before, true), 'end', '', '', 0, 0, 0
FROM ns`
}

// membersSQL are the objects that depend on the schema, but for those of extensions.
const membersSQL = `member AS MATERIALIZED (
	SELECT DISTINCT d.classid, d.objid
	FROM ns
	JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = ns.oid
	WHERE NOT EXISTS (
		SELECT FROM pg_catalog.pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
)`

// someMembersSQL are those of some names, found by these. The sequences of a table's
// columns and its children go with it.
const someMembersSQL = `family (oid) AS (
	SELECT c.oid FROM ns JOIN pg_catalog.pg_class c ON c.relnamespace = ns.oid AND c.relname = ANY ($2::text[]::name[])
	UNION
	SELECT i.inhrelid FROM family f JOIN pg_catalog.pg_inherits i ON i.inhparent = f.oid
), named (classid, objid) AS (
	SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, f.oid FROM family f
	UNION
	SELECT d.classid, d.objid FROM family f JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
		AND d.refobjid = f.oid AND d.classid = d.refclassid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
	UNION
	SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid FROM ns JOIN pg_catalog.pg_type t ON t.typnamespace = ns.oid AND t.typname = ANY ($2::text[]::name[])
	UNION
	SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid FROM ns JOIN pg_catalog.pg_proc p ON p.pronamespace = ns.oid AND p.proname = ANY ($2::text[]::name[])
), member AS MATERIALIZED (
	SELECT DISTINCT d.classid, d.objid
	FROM ns, named m
	JOIN pg_catalog.pg_depend d ON d.classid = m.classid AND d.objid = m.objid
	WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = ns.oid AND NOT EXISTS (
		SELECT FROM pg_catalog.pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
)`
