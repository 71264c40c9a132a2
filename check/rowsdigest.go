package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// digestSQL is the number of rows, and a sum over them that does not depend on their
// order: PostgreSQL need not sort, and keeps nothing of them.
const digestSQL = "pg_catalog.count(*)::text || ' ' || coalesce(pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.to_jsonb(r)::text, 0)::numeric), 0)::text"

// digests returns a digest of the rows of each table.
func (s *side) digests(ctx context.Context, tables []*rowTable) ([]string, error) {
	const page = 50 // tables a query, whose text is bounded so
	digests := make([]string, 0, len(tables))
	for some := range slices.Chunk(tables, page) {
		queries := make([]string, len(some))
		for i, t := range some {
			queries[i] = fmt.Sprintf("SELECT %d, %s FROM (%s) AS r", i, digestSQL, t.from(t.columns))
		}
		rows, err := s.reader.Query(ctx, strings.Join(queries, " UNION ALL ")+" ORDER BY 1")
		if err != nil {
			return nil, err
		}
		got, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (digest string, err error) {
			return digest, row.Scan(nil, &digest)
		})
		if err != nil {
			return nil, err
		}
		digests = append(digests, got...)
	}
	return digests, nil
}

// columnDigests returns a digest of the values of each column.
func (s *side) columnDigests(ctx context.Context, t *rowTable) (digests []string, err error) {
	sums := make([]string, len(t.columns))
	for i, c := range t.columns {
		sums[i] = "coalesce(pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.to_jsonb(r." + pgx.Identifier{c.name}.Sanitize() + ")::text, 0)::numeric), 0)::text"
	}
	return digests, s.reader.QueryRow(ctx, "SELECT ARRAY["+strings.Join(sums, ", ")+"]::text[] FROM ("+t.from(t.columns)+") AS r").Scan(&digests)
}

// examples are the first rows that only one side has, in the order of their text. Both
// sides are read in that order, side by side, and nothing is kept.
func (r *rowComparison) examples(ctx context.Context, t *rowTable) (onlyA, onlyM []string, err error) {
	sql := "SELECT pg_catalog.to_jsonb(r)::text FROM (" + t.from(t.columns) + ") AS r ORDER BY pg_catalog.to_jsonb(r)::text COLLATE \"C\""
	a, err := newRowReader(ctx, r.a.reader, sql)
	if err != nil {
		return nil, nil, err
	}
	defer a.rows.Close()
	m, err := newRowReader(ctx, r.m.reader, sql)
	if err != nil {
		return nil, nil, err
	}
	defer m.rows.Close()
	const most = 3
	for (a.more || m.more) && len(onlyA) < most && len(onlyM) < most {
		switch {
		case a.more && m.more && a.text == m.text:
			a.next()
			m.next()
		case !m.more || a.more && a.text < m.text:
			onlyA = append(onlyA, shorten(a.text))
			a.next()
		default:
			onlyM = append(onlyM, shorten(m.text))
			m.next()
		}
	}
	for _, reader := range []*rowReader{a, m} {
		if reader.err != nil {
			return nil, nil, reader.err
		}
	}
	return onlyA, onlyM, nil
}

// rowReader reads rows one by one.
type rowReader struct {
	rows pgx.Rows
	text string
	more bool
	err  error
}

func newRowReader(ctx context.Context, conn *pgx.Conn, sql string) (*rowReader, error) {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	r := &rowReader{rows: rows}
	r.next()
	return r, r.err
}

func (r *rowReader) next() {
	if r.more = r.rows.Next(); r.more {
		r.err = r.rows.Scan(&r.text)
	} else {
		r.err = r.rows.Err()
	}
	r.more = r.more && r.err == nil
}

// shorten is a row that fits into a message.
func shorten(text string) string {
	const most = 160
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + " …"
	}
	return text
}
