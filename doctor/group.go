package doctor

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// group is things of the same name that are alike, in several schemas.
type group struct {
	what, detail string // as the query has them
	count        int
	schemas      []string // the first, by name
}

// most is how many groups a check tells of. The others are counted.
const most = 20

// spaces are common table expressions of the schemas: tenant has those of the tenants with
// the namespaces of their schemas, NULL where there is none; home are the schemas that are
// there, and public.
func (e *exam) spaces() string {
	return `WITH tenant (id, name, space) AS MATERIALIZED (
		SELECT t.id::bigint, t.schema_name::text, n.oid FROM ` + e.tenants + ` AS t LEFT JOIN pg_namespace AS n ON n.nspname = t.schema_name::text
	), home (space, name) AS MATERIALIZED (
		SELECT space, name FROM tenant WHERE space IS NOT NULL AND name <> 'public' UNION ALL SELECT oid, 'public' FROM pg_namespace WHERE nspname = 'public'
	)`
}

// grouped asks with a query that selects three texts: what, a detail, and a schema, or NULL.
// It can use the expressions of spaces. describe makes a finding of those of one name and
// detail, but for their count and their schemas.
func (e *exam) grouped(ctx context.Context, found string, describe func(group) Finding, args ...any) ([]Finding, error) {
	rows, err := e.rows(ctx, e.spaces()+`, found (what, detail, schema) AS (`+found+`)
		SELECT f.what::text, f.detail::text, count(*), coalesce((array_agg(f.schema::text ORDER BY f.schema) FILTER (WHERE f.schema IS NOT NULL))[1:5], '{}'),
			count(*) OVER (), (sum(count(*)) OVER ())::bigint
		FROM found AS f GROUP BY f.what, f.detail ORDER BY count(*) DESC, f.what, f.detail LIMIT `+strconv.Itoa(most), args...)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	var g group
	var groups, all, shown int
	_, err = pgx.ForEachRow(rows, []any{&g.what, &g.detail, &g.count, &g.schemas, &groups, &all}, func() error {
		f := describe(g)
		f.Count, f.Schemas = g.count, g.schemas
		findings = append(findings, f)
		shown += g.count
		g.schemas = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	if groups > most {
		last := findings[len(findings)-1]
		last.Subject, last.Fix, last.Count, last.Schemas = fmt.Sprintf("%d others", groups-most), "", all-shown, nil
		last.Message = fmt.Sprintf("the same is so %d more times, and is told when these are mended", all-shown)
		findings = append(findings, last)
	}
	return findings, nil
}
