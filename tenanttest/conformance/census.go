package conformance

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// census is what was found in the tables of all schemas.
type census struct {
	found  map[string]int64 // rows of things by schema, the first ones included
	strays int64            // rows that are in another's schema
	where  []string         // the first of them, in words
}

// count looks into every schema by qualified names. owner says whose schema it is.
func (w *town) count(ctx context.Context, owner func(schema string) (int64, bool)) (*census, error) {
	schemas, err := w.schemas(ctx)
	if err != nil {
		return nil, err
	}
	c := &census{found: make(map[string]int64, len(schemas))}
	for _, schema := range schemas {
		id, ok := owner(schema)
		if !ok {
			continue
		}
		if err := w.look(ctx, c, schema, id); err != nil {
			return nil, fmt.Errorf("count in schema %q: %w", schema, err)
		}
	}
	return c, nil
}

// schemas returns the schemas that have a table called things: temporary ones are
// of no interest, as they end with their session.
func (w *town) schemas(ctx context.Context) ([]string, error) {
	found, err := w.plain.Query(ctx, `
		SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relname = 'things' AND n.nspname !~ '^pg_' ORDER BY n.oid`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, pgx.RowTo[string])
}

// look counts in one schema.
func (w *town) look(ctx context.Context, c *census, schema string, id int64) error {
	var query strings.Builder
	for i, table := range tables {
		if i > 0 {
			query.WriteString(" UNION ALL ")
		}
		name := pgx.Identifier{schema, table}.Sanitize()
		fmt.Fprintf(&query, "SELECT '%s', count(*), count(*) FILTER (WHERE owner <> %d), min(owner) FILTER (WHERE owner <> %[2]d) FROM %s", table, id, name)
	}
	found, err := w.plain.Query(ctx, query.String())
	if err != nil {
		return err
	}
	var table string
	var all, foreign int64
	var example *int64
	_, err = pgx.ForEachRow(found, []any{&table, &all, &foreign, &example}, func() error {
		if table == "things" {
			c.found[schema] = all
		}
		if foreign > 0 {
			c.stray(foreign, "%s.%s: %d foreign rows, one of tenant %d", schema, table, foreign, *example)
		}
		want := int64(rows)
		if id == nobody {
			want = decoys
		}
		if all < want || all > want && (id == nobody || table != "things") {
			c.stray(max(all-want, want-all), "%s.%s: %d rows; want %d", schema, table, all, want)
		}
		return nil
	})
	return err
}

// stray takes note of rows that are where they do not belong, or gone.
func (c *census) stray(n int64, format string, args ...any) {
	c.strays += n
	if len(c.where) < described {
		c.where = append(c.where, fmt.Sprintf(format, args...))
	}
}

// described is how many leaks are told in words; the others are counted.
const described = 10
