package migrate

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/schemalock"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

//go:embed engine.sql
var engineSQL string

// engineMark says which engine.sql has been run, in a comment on a function of it: the
// word and a number.
const (
	engineMark    = "cotenant engine "
	engineVersion = 3
)

// ensureEngine makes what the engine keeps, if it is not there. Two that did so at once
// would fail on each other, so there is a lock, which is tried and not waited for.
func (c changer) ensureEngine(ctx context.Context) error {
	for {
		var version int
		err := c.conn.QueryRow(ctx, "SELECT coalesce((SELECT max(substr(pg_catalog.obj_description(p.oid, 'pg_proc'), $1)::integer) FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'cotenant' AND p.proname = 'begin_change'), 0)",
			pgx.QueryExecModeExec, len(engineMark)+1).Scan(&version)
		switch {
		case err != nil || version == engineVersion:
			return err
		case version > engineVersion:
			return fmt.Errorf("schema cotenant: %w: it is of engine %d, and the program has %d (run the newer program)", ErrNewer, version, engineVersion)
		}
		made := false
		err = pgx.BeginFunc(ctx, c.conn, func(tx pgx.Tx) error {
			err := tx.QueryRow(ctx, "SELECT pg_catalog.pg_try_advisory_xact_lock($1)", pgx.QueryExecModeExec, schemalock.Key(engineLock)).Scan(&made)
			if err == nil && made {
				_, err = tx.Exec(ctx, engineSQL+fmt.Sprintf("COMMENT ON FUNCTION cotenant.begin_change IS '%s%d';", engineMark, engineVersion), pgx.QueryExecModeSimpleProtocol)
			}
			return err
		})
		switch {
		case dberr.Code(err) == dberr.InsufficientPrivilege:
			return fmt.Errorf("schema cotenant: %w (GRANT CREATE ON DATABASE … to the role, which also owns that schema)", err)
		case err != nil || made:
			return err
		case !pause(ctx, firstPause):
			return context.Cause(ctx)
		}
	}
}

// engineLock is beyond the ids of tenants.
const engineLock int64 = 1<<48 - 1

// chosen selects the tenants that a run is about: $1 are the names that are wanted, $2
// those that are not, as regular expressions.
func (c changer) chosen() string {
	return `SELECT t.id, t.schema_name FROM ` + c.config.TenantsTable.Sanitize() + ` AS t
	WHERE t.schema_name <> 'public' AND ($1::text IS NULL OR t.schema_name ~ $1) AND ($2::text IS NULL OR NOT t.schema_name ~ $2)`
}

// selected selects the schemas of such tenants, with what the index knows of them.
func (c changer) selected() string {
	digest, join := "CASE WHEN v.namespace = n.oid THEN v.digest END", "LEFT JOIN cotenant.schema_versions AS v ON v.tenant_id = t.id"
	if c.run.noIndex {
		digest, join = "NULL::text", ""
	}
	return `SELECT t.id, t.schema_name, n.oid AS namespace, ` + digest + ` AS digest
	FROM (` + c.chosen() + `) AS t LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = t.schema_name ` + join
}

// selectedOf is selected for the tenants in t: by look-ups, as a join would go through all
// schemas for a few tenants.
func (c changer) selectedOf() string {
	digest := "(SELECT v.digest FROM cotenant.schema_versions AS v WHERE v.tenant_id = t.id AND v.namespace = t.namespace)"
	if c.run.noIndex {
		digest = "NULL::text"
	}
	return `SELECT t.id, t.schema_name, t.namespace, ` + digest + ` AS digest
	FROM (SELECT t.id, t.schema_name, (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = t.schema_name) AS namespace FROM t OFFSET 0) AS t`
}

// group is schemas of one digest.
type group struct {
	digest  *string // nil: not known
	missing bool    // there is no such schema
	count   int
	first   int64 // the lowest id of its tenants
	schemas []string
	plan    outlook // zero where none was made
}

// groups counts the schemas of the tenants by digest, in one query.
// failed are tenants to leave out.
func (c changer) groups(ctx context.Context, s *selection, failed []int64) ([]group, error) {
	rows, err := c.conn.Query(ctx, `SELECT s.digest, s.namespace IS NULL, count(*), min(s.id), (array_agg(s.schema_name ORDER BY s.id))[1:100]
		FROM (`+c.selected()+`) AS s WHERE NOT s.id = ANY ($3) GROUP BY 1, 2 ORDER BY 4`, pgx.QueryExecModeExec, s.only(), s.without(), append([]int64{}, failed...))
	if err != nil {
		return nil, c.tablesError(err)
	}
	groups, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (g group, err error) {
		err = row.Scan(&g.digest, &g.missing, &g.count, &g.first, &g.schemas)
		return g, err
	})
	return groups, c.tablesError(err)
}

// tablesError says that the tenants' table is not there, or may not be read, if that is
// it.
func (m *Migrator) tablesError(err error) error {
	switch dberr.Code(err) {
	case dberr.UndefinedTable, dberr.InvalidSchemaName:
		return fmt.Errorf("%w: %w", m.errNoTenants(), err)
	case dberr.InsufficientPrivilege:
		return fmt.Errorf("the tenants' table, %s, and what cotenant keeps of their schemas: %w (run it as the login that migrates; or, to look only, "+
			"GRANT USAGE ON SCHEMA cotenant and SELECT ON ALL TABLES IN SCHEMA cotenant to the role; or, to migrate, INSERT, UPDATE and DELETE as well)",
			strings.Join(m.config.TenantsTable, "."), err)
	}
	return err
}

// isOurs reports whether a privilege is missing on what is in schema cotenant, or on that.
// PostgreSQL says on what in its message alone.
func isOurs(err error) bool {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != dberr.InsufficientPrivilege {
		return false
	}
	_, name, _ := strings.Cut(pgErr.Message, " for ")
	return slices.Contains([]string{"schema cotenant", "table tenants", "table schema_versions", "table migration_progress"}, name)
}

// privilegeError says what a login lacks that may not use schema cotenant, unless that was
// said.
func (m *Migrator) privilegeError(err error) error {
	if err != nil && isOurs(err) && !strings.Contains(err.Error(), "GRANT ") {
		return m.tablesError(err)
	}
	return err
}

// errNoTenants says that the tenants' table is not there.
func (m *Migrator) errNoTenants() error {
	return fmt.Errorf("the tenants' table, %s, is not there (run \"cotenant migrate --shared\" first)", strings.Join(m.config.TenantsTable, "."))
}

// page is among how many tenants schemas are looked for at a time, and so, how many are
// listed at most. A query that went through all tenants for each page would take minutes
// where there are a hundred thousand.
const page = 1000

// listing is a list of schemas, as a condition: of those with some digests, those of
// which nothing is known, those that are there, those that are not, or all.
type listing string

const (
	ofDigests  listing = "s.digest = ANY ($4)"
	unknown    listing = "s.namespace IS NOT NULL AND s.digest IS NULL AND $4::text[] IS NULL"
	existing   listing = "s.namespace IS NOT NULL AND $4::text[] IS NULL"
	missing    listing = "s.namespace IS NULL AND $4::text[] IS NULL"
	everything listing = "$4::text[] IS NULL"
)

// schemaList are the schemas of a listing; digests are those of ofDigests.
type schemaList struct {
	which   listing
	digests []string
}

// pageIn is pageOf for the selection of the run.
func (c changer) pageIn(ctx context.Context, list schemaList, after int64) ([]target, error) {
	return c.pageOf(ctx, c.run.selection, list.digests, after, list.which)
}

// anyOf reports whether a list has any schemas, in one query however many tenants there are.
func (c changer) anyOf(ctx context.Context, s *selection, digests []string, which listing) (some bool, err error) {
	err = c.conn.QueryRow(ctx, fmt.Sprintf("SELECT EXISTS (SELECT FROM (%s) AS s WHERE s.id > $3 AND %s)", c.selected(), which), pgx.QueryExecModeExec, s.only(), s.without(), int64(0), digests).Scan(&some)
	return some, c.tablesError(err)
}

// pageOf returns the next schemas of a list, in the order of their tenants' ids; none if
// there are no more.
func (c changer) pageOf(ctx context.Context, s *selection, digests []string, after int64, which listing) ([]target, error) {
	sql := fmt.Sprintf(`WITH t AS MATERIALIZED (%s AND t.id > $3 ORDER BY t.id LIMIT %d)
	SELECT l.last, s.id, s.schema_name, coalesce(s.digest, ''), s.namespace IS NULL
	FROM (SELECT max(t.id) AS last FROM t) AS l LEFT JOIN (SELECT s.* FROM (%s) AS s WHERE %s) AS s ON true ORDER BY s.id`,
		c.chosen(), page, c.selectedOf(), which)
	for {
		var (
			found  []target
			last   *int64 // of the tenants among which they were looked for
			id     *int64
			schema *tenant.Schema
			t      target
		)
		rows, err := c.conn.Query(ctx, sql, pgx.QueryExecModeExec, s.only(), s.without(), after, digests)
		if err != nil {
			return nil, c.tablesError(err)
		}
		_, err = pgx.ForEachRow(rows, []any{&last, &id, &schema, &t.digest, &t.missing}, func() error {
			if id != nil {
				t.id, t.schema = *id, *schema
				found = append(found, t)
			}
			return nil
		})
		if err != nil || len(found) > 0 || last == nil {
			return found, c.tablesError(err)
		}
		after = *last
	}
}

// public returns what the index knows of public.
func (c changer) public(ctx context.Context) (target, error) {
	t := target{schema: tenant.PublicSchema()}
	err := c.conn.QueryRow(ctx, `SELECT coalesce(v.digest, '') FROM pg_catalog.pg_namespace AS n
		LEFT JOIN cotenant.schema_versions AS v ON v.tenant_id = 0 AND v.namespace = n.oid WHERE n.nspname = 'public'`, pgx.QueryExecModeExec).Scan(&t.digest)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, fmt.Errorf("schema %q: %w (CREATE SCHEMA public)", t.schema, tenant.ErrSchemaNotFound)
	}
	return t, err
}

// indexHistory reads the history of a schema and writes down its digest, in a transaction and
// under the schema's lock.
func (c changer) indexHistory(ctx context.Context, t target) (h history, digest string, err error) {
	err = pgx.BeginFunc(ctx, c.conn, func(tx pgx.Tx) error {
		var locked bool
		if err := tx.QueryRow(ctx, "SELECT pg_catalog.pg_try_advisory_xact_lock($1)", pgx.QueryExecModeExec, schemalock.Key(t.id)).Scan(&locked); err != nil || !locked {
			return errors.Join(err, errBusyUnless(err != nil || locked))
		}
		if h, err = c.readHistory(ctx, tx, t.schema); err != nil {
			return err
		}
		digest = h.digest()
		tag, err := tx.Exec(ctx, `INSERT INTO cotenant.schema_versions AS v (tenant_id, namespace, digest)
			SELECT $1, n.oid, $2 FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $3
			ON CONFLICT (tenant_id) DO UPDATE SET namespace = excluded.namespace, digest = excluded.digest`, pgx.QueryExecModeExec, t.id, digest, t.schema.String())
		if err == nil && tag.RowsAffected() == 0 {
			return errNoSchema(t.schema)
		}
		return err
	})
	if err != nil && !errors.Is(err, tenant.ErrSchemaNotFound) {
		err = c.schemaError(t.schema, err)
	}
	return h, digest, err
}

// schemaOf returns the schema that a tenant has now, the zero Schema if there is no such
// tenant.
func (c changer) schemaOf(ctx context.Context, id int64) (schema tenant.Schema, err error) {
	err = c.conn.QueryRow(ctx, "SELECT t.schema_name FROM "+c.config.TenantsTable.Sanitize()+" AS t WHERE t.id = $1", pgx.QueryExecModeExec, id).Scan(&schema)
	if errors.Is(err, pgx.ErrNoRows) {
		return schema, nil
	}
	return schema, c.tablesError(err)
}

// renamed returns the names that schemas of tenants have now, by the names that their
// tenants have them under, of those that are known and have other names now.
func (c changer) renamed(ctx context.Context, schemas []string) (map[string]string, error) {
	if c.run.noIndex {
		return nil, nil
	}
	rows, err := c.conn.Query(ctx, `SELECT t.schema_name, n.nspname::text FROM `+c.config.TenantsTable.Sanitize()+` AS t JOIN cotenant.schema_versions AS v ON v.tenant_id = t.id
		JOIN pg_catalog.pg_namespace AS n ON n.oid = v.namespace WHERE t.schema_name = ANY ($1) AND n.nspname <> t.schema_name`, pgx.QueryExecModeExec, schemas)
	if err != nil {
		return nil, err
	}
	now := make(map[string]string)
	var old, name string
	_, err = pgx.ForEachRow(rows, []any{&old, &name}, func() error {
		now[old] = name
		return nil
	})
	return now, err
}

// errRenamed says that a schema has a name that its tenant does not know; now may be
// empty.
func (m *Migrator) errRenamed(schema tenant.Schema, now string) error {
	if now == "" {
		return errNoSchema(schema)
	}
	back := "ALTER SCHEMA " + pgx.Identifier{now}.Sanitize() + " RENAME TO " + searchpath.Quote(schema)
	return fmt.Errorf("schema %q: %w: it is named %q now (%s; or set the schema_name of its tenant in %s)", schema, tenant.ErrSchemaNotFound, now, back, m.config.TenantsTable.Sanitize())
}

// errNoSchema says that a schema is not there.
func errNoSchema(schema tenant.Schema) error {
	return fmt.Errorf("schema %q: %w (restore it from a backup; or have it made anew, with nothing in it: tenant create-missing; or delete the tenant)", schema, tenant.ErrSchemaNotFound)
}

// orphans looks for schemas that no tenant has, where all tenants are selected.
func (r *run) orphans(ctx context.Context, c changer) ([]string, error) {
	if !r.selection.tenants || r.selection.wanted != nil || len(r.selection.unwanted) > 0 {
		return nil, nil
	}
	return c.orphans(ctx)
}

// orphans are the schemas with a history that no tenant has: at most a hundred. One that
// a tenant had, and that has another name now, is told of with that tenant.
func (c changer) orphans(ctx context.Context) ([]string, error) {
	renamed := ""
	if !c.run.noIndex {
		renamed = " AND NOT EXISTS (SELECT FROM cotenant.schema_versions AS v JOIN " + c.config.TenantsTable.Sanitize() + " AS t ON t.id = v.tenant_id WHERE v.namespace = n.oid)"
	}
	rows, err := c.conn.Query(ctx, `SELECT n.nspname::text FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
		WHERE c.relname = $1 AND c.relkind = 'r' AND n.nspname <> 'public' AND NOT EXISTS (SELECT FROM `+c.config.TenantsTable.Sanitize()+` AS t WHERE t.schema_name = n.nspname)`+renamed+`
		ORDER BY 1 LIMIT 100`, pgx.QueryExecModeExec, historyTable)
	if err != nil {
		return nil, c.tablesError(err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
