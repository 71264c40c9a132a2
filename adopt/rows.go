package adopt

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
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
	creates *bool     // whether the login may create there
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

// pages calls each with all rows, a page of them at a time.
func (s *source) pages(ctx context.Context, q querier, columns []string, each func([]row) error) error {
	after := ""
	for {
		rows, err := s.pageAfter(ctx, q, columns, after)
		if err == nil && len(rows) > 0 {
			err = each(rows)
		}
		if err != nil || len(rows) < page {
			return err
		}
		after = rows[len(rows)-1].schema
	}
}

// pageAfter reads the rows that come after one, by the bytes of their schemas' names.
func (s *source) pageAfter(ctx context.Context, q querier, columns []string, after string) ([]row, error) {
	var sql string
	if s.tenants == nil {
		sql = `SELECT n.nspname::text, NULL::bigint, '{}'::text[], '{}'::text[], pg_catalog.pg_get_userbyid(n.nspowner)::text, pg_catalog.has_schema_privilege(n.oid, 'CREATE') FROM pg_catalog.pg_namespace AS n
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
		sql = `SELECT ` + s.name() + `, ` + id + `, ` + s.domainsSQL() + `, ARRAY[` + strings.Join(fields, ", ") + `]::text[], pg_catalog.pg_get_userbyid(n.nspowner)::text, pg_catalog.has_schema_privilege(n.oid, 'CREATE')
			FROM ` + s.from() + ` LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = ` + s.name() + `
			WHERE ` + s.name() + ` COLLATE "C" > $1 ORDER BY ` + s.name() + ` COLLATE "C"`
	}
	rows, err := q.Query(ctx, fmt.Sprintf("%s LIMIT %d", sql, page), pgx.QueryExecModeExec, after)
	if err != nil {
		return nil, s.readError(err)
	}
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (t row, err error) {
		err = r.Scan(&t.schema, &t.id, &t.domains, &t.fields, &t.owner, &t.creates)
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
			order = "pg_catalog.lower(d." + quote(s.primary) + "::text) IN " + truths + " IS TRUE DESC, " + order
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
	nobodys int   // domains of no tenant

	names   map[string]bool   // in lower case: several rows have them
	domains map[string]string // as they are kept: schemas that claim them
}

// maxConflicts bounds how many are told apart.
const maxConflicts = 10_000

// look looks over all rows.
func (s *source) look(ctx context.Context, q querier) (*overview, error) {
	o := &overview{names: map[string]bool{}, domains: map[string]string{}}
	if s.tenants == nil {
		return o, s.readError(s.lookAtSchemas(ctx, q, o))
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
	if err == nil && s.domains != nil {
		err = q.QueryRow(ctx, "SELECT count(*) FROM "+s.domains.Sanitize()+" AS d WHERE d."+quote(s.owner)+" IS NULL AND d."+quote(s.domain)+" IS NOT NULL", pgx.QueryExecModeExec).Scan(&o.nobodys)
	}
	if err == nil {
		o.domains, err = s.conflicts(ctx, q)
	}
	return o, s.readError(err)
}

// lookAtSchemas looks over the schemas of the patterns: those that differ only in case follow
// each other.
func (s *source) lookAtSchemas(ctx context.Context, q querier, o *overview) error {
	rows, err := q.Query(ctx, "SELECT n.nspname::text, pg_catalog.lower(n.nspname::text) FROM "+s.from()+" WHERE NOT "+systemSQL+` ORDER BY pg_catalog.lower(n.nspname::text) COLLATE "C"`, pgx.QueryExecModeExec)
	if err != nil {
		return err
	}
	var name, lower, last string
	_, err = pgx.ForEachRow(rows, []any{&name, &lower}, func() error {
		if !matches(s.patterns, name) {
			return nil
		}
		o.count++
		if lower == last && len(o.names) < maxConflicts {
			o.names[lower] = true
		}
		last = lower
		return nil
	})
	return err
}

// claims calls each with every domain and the schema that claims it.
func (s *source) claims(ctx context.Context, q querier, each func(schema, domain string)) error {
	sql := "SELECT " + s.name() + ", t." + quote(s.domain) + "::text FROM " + s.from() + " WHERE t." + quote(s.domain) + " IS NOT NULL"
	if s.domains != nil {
		sql = "SELECT " + s.name() + ", d." + quote(s.domain) + "::text FROM " + s.from() + " JOIN " + s.domains.Sanitize() +
			" AS d ON d." + quote(s.owner) + " = t." + quote(s.owned) + " AND d." + quote(s.domain) + " IS NOT NULL"
	}
	rows, err := q.Query(ctx, sql, pgx.QueryExecModeExec)
	if err != nil {
		return err
	}
	var schema, domain string
	_, err = pgx.ForEachRow(rows, []any{&schema, &domain}, func() error {
		if d, err := parseDomain(domain); err == nil && schema != "" {
			each(schema, d.String())
		}
		return nil
	})
	return err
}

// conflicts finds domains that several schemas claim, once they are in the form in which they
// are kept, and names up to five of these. Only a number is kept of each domain, so that many
// do not matter; those of which two are the same are looked at again.
func (s *source) conflicts(ctx context.Context, q querier) (map[string]string, error) {
	found := map[string]string{}
	if s.domain == "" {
		return found, nil
	}
	seed := maphash.MakeSeed()
	claimant, several := map[uint64]uint64{}, map[uint64]bool{}
	err := s.claims(ctx, q, func(schema, domain string) {
		key, by := maphash.String(seed, domain), maphash.String(seed, schema)
		if other, ok := claimant[key]; ok && other != by && len(several) < maxConflicts {
			several[key] = true
		}
		claimant[key] = by
	})
	if err != nil || len(several) == 0 {
		return found, err
	}
	claimants := map[string][]string{}
	err = s.claims(ctx, q, func(schema, domain string) {
		if several[maphash.String(seed, domain)] && !slices.Contains(claimants[domain], schema) {
			claimants[domain] = append(claimants[domain], schema)
		}
	})
	for domain, schemas := range claimants {
		if len(schemas) > 1 {
			slices.Sort(schemas)
			found[domain] = strings.Join(schemas[:min(5, len(schemas))], ", ")
		}
	}
	return found, err
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
