package adopt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
)

// source is where the tenants are, as it was found.
type source struct {
	system  string // in words
	id      string // the primary key of tenants, if it is one column of integers
	tenants pgx.Identifier
	schema  string   // column of tenants
	columns []string // the others of tenants
	domain  string   // column of domains, or of tenants where there is none
	domains pgx.Identifier
	owner   string   // column of domains that refers to tenants
	owned   string   // column of tenants that it refers to
	chosen  bool     // there are several columns such as owner
	primary string   // column of domains
	left    []string // tables of domains that are not read

	patterns      []string // of schemas, where there is no table
	domainPattern string
}

// String names the system and the tables.
func (s *source) String() string {
	switch {
	case s.tenants == nil:
		return "schemas " + strings.Join(s.patterns, ", ")
	case s.domains == nil:
		return fmt.Sprintf("%s: %s", s.system, dotted(s.tenants))
	}
	text := fmt.Sprintf("%s: %s, %s", s.system, dotted(s.tenants), dotted(s.domains))
	if s.chosen {
		text += " (by " + s.owner + ")"
	}
	return text
}

func dotted(table pgx.Identifier) string { return strings.Join(table, ".") }

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// candidate is a table that looks like one of tenants, with those that look like one of its
// domains.
type candidate struct {
	table   string
	url     bool
	domains []string
}

// candidatesSQL finds the tables of public with names of schemas, and those with domains
// that refer to them.
const candidatesSQL = `
WITH has (table_oid, columns) AS (
	SELECT a.attrelid, pg_catalog.array_agg(a.attname::text) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'public'
	JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE c.relkind IN ('r', 'p') GROUP BY 1
)
SELECT c.relname::text, 'domain_url' = ANY (h.columns), ARRAY(
	SELECT DISTINCT d.relname::text FROM pg_catalog.pg_constraint AS k JOIN has AS o ON o.table_oid = k.conrelid AND o.columns @> ARRAY['domain', 'is_primary']
	JOIN pg_catalog.pg_class AS d ON d.oid = k.conrelid WHERE k.contype = 'f' AND k.confrelid = c.oid ORDER BY 1)
FROM has AS h JOIN pg_catalog.pg_class AS c ON c.oid = h.table_oid WHERE 'schema_name' = ANY (h.columns) ORDER BY 1`

// find resolves what the options say of the source.
func find(ctx context.Context, q querier, o *Source) (*source, error) {
	s := &source{patterns: o.Schemas, domainPattern: o.DomainPattern, tenants: o.TenantsTable, domains: o.DomainsTable, system: "tables"}
	if len(o.Schemas) > 0 {
		return s, nil
	}
	if len(s.tenants) == 0 {
		if err := s.recognise(ctx, q, o); err != nil {
			return nil, err
		}
	}
	if err := s.findColumns(ctx, q, o); err != nil {
		return nil, err
	}
	return s, nil
}

// recognise finds the tables of the two systems that are known.
func (s *source) recognise(ctx context.Context, q querier, o *Source) error {
	rows, err := q.Query(ctx, candidatesSQL, pgx.QueryExecModeExec)
	if err != nil {
		return fmt.Errorf("look for the table of the tenants: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c candidate, err error) {
		err = row.Scan(&c.table, &c.url, &c.domains)
		return c, err
	})
	if err != nil {
		return fmt.Errorf("look for the table of the tenants: %w", err)
	}
	all = slices.DeleteFunc(all, func(c candidate) bool { return !c.url && len(c.domains) == 0 })
	switch len(all) {
	case 0:
		return errors.New("public has no table of tenants as django-tenant-schemas or django-tenants make one: with schema_name, and domain_url or a table with domain and is_primary that refers to it " +
			"(name it: --tenants-table; where there is none, name the schemas: --schemas='tenant_*')")
	case 1:
	default:
		names := make([]string, len(all))
		for i, c := range all {
			names[i] = "public." + c.table
		}
		return fmt.Errorf("several tables look like one of tenants: %s (choose with --tenants-table)", strings.Join(names, ", "))
	}
	c := all[0]
	s.tenants, s.system = pgx.Identifier{"public", c.table}, "django-tenant-schemas"
	switch {
	case len(o.DomainsTable) > 0 || o.DomainPattern != "":
		s.system = "tables"
	case len(c.domains) > 1:
		return fmt.Errorf("several tables look like one of the domains of %s: public.%s (choose with --domains-table)", dotted(s.tenants), strings.Join(c.domains, ", public."))
	case len(c.domains) == 1 && o.DomainColumn == "":
		s.system, s.domains = "django-tenants", pgx.Identifier{"public", c.domains[0]}
	}
	return nil
}

// column is one of a table.
type column struct {
	name    string
	integer bool // an integer that is the whole primary key
}

func columnsOf(ctx context.Context, q querier, table pgx.Identifier) ([]column, error) {
	rows, err := q.Query(ctx, `SELECT a.attname::text, a.atttypid IN ('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype, 'int8'::pg_catalog.regtype) AND EXISTS (SELECT FROM pg_catalog.pg_index AS i
			WHERE i.indrelid = a.attrelid AND i.indisprimary AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
		FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = $1::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, pgx.QueryExecModeExec, table.Sanitize())
	var all []column
	if err == nil {
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c column, err error) {
			err = row.Scan(&c.name, &c.integer)
			return c, err
		})
	}
	switch dberr.Code(err) {
	case dberr.UndefinedTable, dberr.InvalidSchemaName:
		return nil, fmt.Errorf("there is no table %s (correct its name: schema.table)", dotted(table))
	}
	if err != nil {
		return nil, fmt.Errorf("columns of %s: %w", dotted(table), err)
	}
	return all, nil
}

// takes finds a column of a table by the name that the options have for it, or by the one
// that it usually has; it is empty where only that is missing.
func takes(table pgx.Identifier, columns []column, named, usual, flag string) (string, error) {
	want := cmp.Or(named, usual)
	if slices.ContainsFunc(columns, func(c column) bool { return c.name == want }) {
		return want, nil
	}
	if named == "" {
		return "", nil
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return "", fmt.Errorf("%s has no column %q (it has %s; correct --%s)", dotted(table), named, strings.Join(names, ", "), flag)
}

// findColumns looks which columns have what.
func (s *source) findColumns(ctx context.Context, q querier, o *Source) error {
	columns, err := columnsOf(ctx, q, s.tenants)
	if err != nil {
		return err
	}
	if s.schema, err = takes(s.tenants, columns, o.SchemaColumn, "schema_name", "schema-column"); err != nil {
		return err
	}
	if s.schema == "" {
		_, err := takes(s.tenants, columns, "schema_name", "", "schema-column")
		return err
	}
	if len(s.domains) == 0 {
		if o.PrimaryColumn != "" || o.TenantColumn != "" {
			return &OptionsError{errors.New("a column tells the primary one of several domains, or whose they are, and there is no table of domains (name it: --domains-table)")}
		}
		if s.left, err = domainsOf(ctx, q, s.tenants); err != nil {
			return err
		}
		if s.domainPattern == "" {
			if s.domain, err = takes(s.tenants, columns, o.DomainColumn, "domain_url", "domain-column; or name the table that has it: --domains-table"); err != nil {
				return err
			}
		}
	} else if err := s.findDomains(ctx, q, o); err != nil {
		return err
	}
	for _, c := range columns {
		if c.integer {
			s.id = c.name
		}
		if c.name != s.schema && (c.name != s.domain || s.domains != nil) && !c.integer {
			s.columns = append(s.columns, c.name)
		}
	}
	return nil
}

// findDomains looks which columns of the domains' table have what.
func (s *source) findDomains(ctx context.Context, q querier, o *Source) error {
	columns, err := columnsOf(ctx, q, s.domains)
	if err != nil {
		return err
	}
	if s.domain, err = takes(s.domains, columns, cmp.Or(o.DomainColumn, "domain"), "", "domain-column"); err != nil {
		return err
	}
	if s.primary, err = takes(s.domains, columns, o.PrimaryColumn, "is_primary", "primary-column"); err != nil {
		return err
	}
	if err := s.findOwner(ctx, q, o); err != nil {
		return err
	}
	return s.checkPrimary(ctx, q)
}

// truths are what others than Django write for true, where they made the table: numbers, and
// letters; falsehoods what they write for false.
const (
	truths     = "('true', 't', '1', 'yes', 'y', 'on')"
	falsehoods = "('false', 'f', '0', 'no', 'n', 'off')"
)

// checkPrimary refuses a column that does not tell the primary domain: a wrong domain would
// become that.
func (s *source) checkPrimary(ctx context.Context, q querier) error {
	if s.primary == "" {
		return nil
	}
	var other string
	column := quote(s.primary) + "::text"
	err := q.QueryRow(ctx, "SELECT "+column+" FROM "+s.domains.Sanitize()+" WHERE pg_catalog.lower("+column+") NOT IN "+truths+" AND pg_catalog.lower("+column+") NOT IN "+falsehoods+" LIMIT 1",
		pgx.QueryExecModeExec).Scan(&other)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return s.readError(err)
	}
	return fmt.Errorf("column %q of %s does not tell which domain is the primary one: it has %q, which is neither true nor false (correct --primary-column)", s.primary, dotted(s.domains), other)
}

// domainsOf finds tables of domains, as django-tenants has one, that refer to the tenants.
func domainsOf(ctx context.Context, q querier, tenants pgx.Identifier) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT DISTINCT n.nspname || '.' || d.relname FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS d ON d.oid = k.conrelid
			JOIN pg_catalog.pg_namespace AS n ON n.oid = d.relnamespace
		WHERE k.contype = 'f' AND k.confrelid = $1::pg_catalog.regclass AND (SELECT count(*) FROM pg_catalog.pg_attribute AS a
			WHERE a.attrelid = d.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname IN ('domain', 'is_primary')) = 2 ORDER BY 1`, pgx.QueryExecModeExec, tenants.Sanitize())
	var all []string
	if err == nil {
		all, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return nil, fmt.Errorf("look for tables of domains: %w", err)
	}
	return all, nil
}

// key is a foreign key, with the columns that refer and those that are referred to.
type key struct{ from, to []string }

func (k key) String() string { return strings.Join(k.from, ", ") + " → " + strings.Join(k.to, ", ") }

// findOwner looks which column of the domains' table tells whose a domain is: one that refers
// to the tenants. Of several only that is taken which django-tenants has; by a wrong one,
// domains would lead to other tenants.
func (s *source) findOwner(ctx context.Context, q querier, o *Source) error {
	const columns = "ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.%s) WITH ORDINALITY AS u (num, ord) JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.%s AND a.attnum = u.num ORDER BY u.ord)"
	rows, err := q.Query(ctx, `SELECT DISTINCT `+fmt.Sprintf(columns, "conkey", "conrelid")+`, `+fmt.Sprintf(columns, "confkey", "confrelid")+` FROM pg_catalog.pg_constraint AS k
		WHERE k.contype = 'f' AND k.conrelid = $1::pg_catalog.regclass AND k.confrelid = $2::pg_catalog.regclass ORDER BY 1, 2`, pgx.QueryExecModeExec, s.domains.Sanitize(), s.tenants.Sanitize())
	var all []key
	if err == nil {
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (k key, err error) {
			err = row.Scan(&k.from, &k.to)
			return k, err
		})
	}
	if err != nil {
		return fmt.Errorf("keys of %s: %w", dotted(s.domains), err)
	}
	if !slices.ContainsFunc(all, func(k key) bool { return len(k.from) == 1 }) {
		return fmt.Errorf("%s does not refer to %s by a foreign key of one column, so that it is not known whose its domains are (name another: --domains-table)", dotted(s.domains), dotted(s.tenants))
	}
	found := all
	if o.TenantColumn != "" || len(all) > 1 {
		want := cmp.Or(o.TenantColumn, "tenant_id")
		found = slices.DeleteFunc(slices.Clone(all), func(k key) bool { return !slices.Equal(k.from, []string{want}) })
	}
	if len(found) != 1 {
		texts := make([]string, len(all))
		for i, k := range all {
			texts[i] = k.String()
		}
		if o.TenantColumn != "" {
			return fmt.Errorf("column %q of %s does not tell whose its domains are: what refers to %s is %s (correct --tenant-column)", o.TenantColumn, dotted(s.domains), dotted(s.tenants), strings.Join(texts, ", "))
		}
		return fmt.Errorf("several columns of %s refer to %s: %s; so that it is not known whose its domains are (choose with --tenant-column)", dotted(s.domains), dotted(s.tenants), strings.Join(texts, ", "))
	}
	s.owner, s.owned, s.chosen = found[0].from[0], found[0].to[0], len(all) > 1
	return nil
}
