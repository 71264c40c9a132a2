package adopt

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
)

// row is a tenant of the other system, as it stands there.
type row struct {
	schema  string
	id      *int64 // nil where there is none that can be kept
	domains []string
	fields  []*string // of the columns
	owner   *string   // of the schema, nil where that is not there
}

const (
	// page is how many rows are held at a time.
	page = 500
	// maxID bounds the ids that are kept: the key of a schema's lock has so many bits
	// for them.
	maxID = int64(1) << 47
)

// systemSQL tells PostgreSQL's schemas, and ours.
const systemSQL = `(n.nspname IN ('information_schema', 'public') OR pg_catalog.starts_with(n.nspname::text, 'pg_') OR pg_catalog.starts_with(pg_catalog.lower(n.nspname::text), 'cotenant'))`

func quote(column string) string { return pgx.Identifier{column}.Sanitize() }

// name is the name of a row's schema in SQL; it is empty where there is none.
func (s *source) name() string { return "coalesce(t." + quote(s.schema) + "::text, '')" }

// from are the rows in SQL.
func (s *source) from() string {
	if s.tenants == nil {
		return "pg_catalog.pg_namespace AS n"
	}
	return s.tenants.Sanitize() + " AS t"
}

// pageAfter reads the rows that come after one, by the bytes of their schemas' names.
func (s *source) pageAfter(ctx context.Context, q querier, columns []string, after string) ([]row, error) {
	var sql string
	if s.tenants == nil {
		sql = `SELECT n.nspname::text, NULL::bigint, '{}'::text[], '{}'::text[], pg_catalog.pg_get_userbyid(n.nspowner)::text FROM pg_catalog.pg_namespace AS n
			WHERE NOT ` + systemSQL + ` AND n.nspname::text COLLATE "C" > $1 ORDER BY n.nspname::text COLLATE "C"`
	} else {
		id := "NULL::bigint"
		if s.id != "" {
			id = "t." + quote(s.id) + "::bigint"
		}
		fields := make([]string, len(columns))
		for i, c := range columns {
			fields[i] = "t." + quote(c) + "::text"
		}
		sql = `SELECT ` + s.name() + `, ` + id + `, ` + s.domainsSQL() + `, ARRAY[` + strings.Join(fields, ", ") + `]::text[], pg_catalog.pg_get_userbyid(n.nspowner)::text
			FROM ` + s.from() + ` LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = ` + s.name() + `
			WHERE ` + s.name() + ` COLLATE "C" > $1 ORDER BY ` + s.name() + ` COLLATE "C"`
	}
	rows, err := q.Query(ctx, fmt.Sprintf("%s LIMIT %d", sql, page), pgx.QueryExecModeExec, after)
	if err != nil {
		return nil, s.readError(err)
	}
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (t row, err error) {
		err = r.Scan(&t.schema, &t.id, &t.domains, &t.fields, &t.owner)
		return t, err
	})
	return all, s.readError(err)
}

// domainsSQL are the domains of a row, the primary one first.
func (s *source) domainsSQL() string {
	switch {
	case s.domains != nil:
		order := "d." + quote(s.domain)
		if s.primary != "" {
			order = "d." + quote(s.primary) + "::text = 'true' DESC, " + order
		}
		return "ARRAY(SELECT d." + quote(s.domain) + "::text FROM " + s.domains.Sanitize() + " AS d WHERE d." + quote(s.owner) + " = t." + quote(s.owned) +
			" AND d." + quote(s.domain) + " IS NOT NULL ORDER BY " + order + ")"
	case s.domain != "":
		return "pg_catalog.array_remove(ARRAY[t." + quote(s.domain) + "::text], NULL)"
	}
	return "'{}'::text[]"
}

// readError says who may not read what, with the cure.
func (s *source) readError(err error) error {
	switch {
	case err == nil:
		return nil
	case dberr.Code(err) == dberr.InsufficientPrivilege:
		tables := []string{dotted(s.tenants)}
		if s.domains != nil {
			tables = append(tables, dotted(s.domains))
		}
		return fmt.Errorf("read the tenants: %w (GRANT SELECT ON %s TO the role)", err, strings.Join(tables, ", "))
	}
	return fmt.Errorf("read the tenants: %w", err)
}

// overview is what is to be known of all rows before the first is taken over.
type overview struct {
	count   int
	largest int64 // id that is kept
	noName  int   // rows without a schema's name

	names   map[string]bool   // in lower case: several rows have them
	domains map[string]string // in the form in which they are compared: schemas that claim them
}

// maxConflicts bounds how many are told apart.
const maxConflicts = 10_000

// look looks over all rows.
func (s *source) look(ctx context.Context, q querier) (*overview, error) {
	o := &overview{names: map[string]bool{}, domains: map[string]string{}}
	if s.tenants == nil {
		err := q.QueryRow(ctx, "SELECT count(*) FROM "+s.from()+" WHERE NOT "+systemSQL, pgx.QueryExecModeExec).Scan(&o.count)
		return o, s.readError(err)
	}
	largest := "0::bigint"
	if s.id != "" {
		largest = "coalesce(max(t." + quote(s.id) + "::bigint) FILTER (WHERE t." + quote(s.id) + "::bigint < $1), 0)"
	} else {
		largest = "least(" + largest + ", $1)"
	}
	err := q.QueryRow(ctx, "SELECT count(*), count(*) FILTER (WHERE "+s.name()+" = ''), "+largest+" FROM "+s.from(), pgx.QueryExecModeExec, maxID).Scan(&o.count, &o.noName, &o.largest)
	if err != nil {
		return nil, s.readError(err)
	}
	o.count -= o.noName
	names, err := q.Query(ctx, fmt.Sprintf("SELECT pg_catalog.lower(%s) FROM %s WHERE %[1]s <> '' GROUP BY 1 HAVING count(*) > 1 LIMIT %[3]d", s.name(), s.from(), maxConflicts), pgx.QueryExecModeExec)
	if err == nil {
		var name string
		_, err = pgx.ForEachRow(names, []any{&name}, func() error {
			o.names[name] = true
			return nil
		})
	}
	if err != nil {
		return nil, s.readError(err)
	}
	return o, s.conflicts(ctx, q, o)
}

// conflicts finds domains that several tenants claim, once they are in the form in which
// cotenant keeps them: without www., port and final dot, in lower case.
func (s *source) conflicts(ctx context.Context, q querier, o *overview) error {
	if s.domain == "" {
		return nil
	}
	claims := "SELECT " + s.name() + ", t." + quote(s.domain) + "::text FROM " + s.from()
	if s.domains != nil {
		claims = "SELECT " + s.name() + ", d." + quote(s.domain) + "::text FROM " + s.from() + " JOIN " + s.domains.Sanitize() + " AS d ON d." + quote(s.owner) + " = t." + quote(s.owned)
	}
	rows, err := q.Query(ctx, fmt.Sprintf(`SELECT c.domain, pg_catalog.array_to_string((pg_catalog.array_agg(DISTINCT c.schema))[1:5], ', ') FROM (
			SELECT x.schema, pg_catalog.regexp_replace(pg_catalog.lower(x.domain), '^(www[.])*|[.]?(:[0-9]+)?[.]?$', '', 'g') FROM (%s) AS x (schema, domain)
		) AS c (schema, domain) WHERE c.domain <> '' GROUP BY 1 HAVING count(DISTINCT c.schema) > 1 LIMIT %d`, claims, maxConflicts), pgx.QueryExecModeExec)
	if err == nil {
		var domain, schemas string
		_, err = pgx.ForEachRow(rows, []any{&domain, &schemas}, func() error {
			o.domains[domain] = schemas
			return nil
		})
	}
	return s.readError(err)
}

// rowless finds schemas that no row names, but for those of patterns, and counts them.
func (s *source) rowless(ctx context.Context, q querier, installed bool, registry string) (count int, names []string, err error) {
	if s.tenants == nil {
		return 0, nil, nil
	}
	sql := "SELECT count(*), (pg_catalog.array_agg(n.nspname::text ORDER BY n.nspname))[1:10] FROM pg_catalog.pg_namespace AS n WHERE NOT " + systemSQL +
		" AND NOT EXISTS (SELECT FROM " + s.from() + " WHERE " + s.name() + " = n.nspname)"
	if installed {
		sql += " AND NOT EXISTS (SELECT FROM " + registry + " AS r WHERE r.schema_name = n.nspname)"
	}
	err = q.QueryRow(ctx, sql, pgx.QueryExecModeExec).Scan(&count, &names)
	return count, names, s.readError(err)
}
