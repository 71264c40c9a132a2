package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// sequences are looked at this many at a time. Reading one locks it until the transaction
// ends, so that all at once, as SELECT FROM pg_sequences does, would not fit into the
// server's table of locks; and a backend keeps something of each, some 50 MB for all of
// these pages, so that it is replaced then. One takes some 50 µs: of 2,000 schemas with 22
// integer sequences each they are most of what an examination takes, 2.3 s of 3.1.
const (
	sequencePage  = 500
	sequencePages = 40
)

// nearEnd is the share of a sequence's numbers from which it is told.
const nearEnd = 0.8

// sequencesNearEnd finds sequences of smallint and integer columns that have given away
// four fifths of their numbers: at the end every INSERT fails. Those of bigint columns do
// not come near theirs.
func sequencesNearEnd(ctx context.Context, e *exam) ([]Finding, error) {
	u := usedUp{byName: make(map[string]*Finding)}
	last, err := e.sequencesAfter(ctx, 0, &u)
	for pages := 1; err == nil && last > 0; pages++ {
		if err = e.again(ctx, pages%sequencePages == 0); err == nil {
			last, err = e.sequencesAfter(ctx, last, &u)
		}
	}
	return u.findings(), err
}

// usedUp are the sequences that are near their end.
type usedUp struct {
	byName map[string]*Finding
	others int // beyond the names that are told
}

// add notes that a sequence has given away a number, of the most that it has.
func (u *usedUp) add(name, schema string, last, end int64) {
	f := u.byName[name]
	if f == nil && len(u.byName) >= most {
		u.others++
		return
	}
	if f == nil {
		f = &Finding{
			Severity: Warning,
			Subject:  fmt.Sprintf("sequence %q", name),
			Reason:   "at its end every INSERT into its table fails",
			Cure:     "a migration with ALTER TABLE … ALTER COLUMN … TYPE bigint (it rewrites the table, and so do the columns that refer to it), then ALTER SEQUENCE … AS bigint",
		}
		u.byName[name] = f
	}
	if f.Message == "" || last >= end {
		f.Message = fmt.Sprintf("%d of its %d numbers are given away", last, end)
	}
	if last >= end {
		f.Severity = Error
	}
	f.Count++
	if len(f.Schemas) < 5 {
		f.Schemas = append(f.Schemas, schema)
	}
}

func (u *usedUp) findings() []Finding {
	var findings []Finding
	for _, name := range slices.Sorted(maps.Keys(u.byName)) {
		findings = append(findings, *u.byName[name])
	}
	if u.others > 0 {
		f := findings[len(findings)-1]
		f.Severity, f.Subject, f.Message, f.Count, f.Schemas = Warning, count(u.others, "other", "others"), "the same is so, and is told when these are mended", u.others, nil
		findings = append(findings, f)
	}
	return findings
}

// usedSQL reads the page of sequences behind $1. A column that holds less than its sequence
// gives bounds it. What the login may not read is left out, and temporary sequences, which
// are somebody else's.
const usedSQL = `WITH page AS MATERIALIZED (
		SELECT q.* FROM pg_sequence AS q WHERE q.seqrelid > $1 ORDER BY q.seqrelid LIMIT $2
	), bounded AS MATERIALIZED (
		SELECT c.oid, c.relname, c.relnamespace, p.seqmin, least(p.seqmax, CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE p.seqmax END) AS most
		FROM page AS p JOIN pg_class AS c ON c.oid = p.seqrelid
		LEFT JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
		LEFT JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
		WHERE NOT p.seqcycle AND p.seqincrement > 0 AND (c.relpersistence = 'p' OR c.relpersistence = 'u' AND NOT pg_is_in_recovery())
	), used AS MATERIALIZED (
		SELECT b.*, pg_sequence_last_value(b.oid) AS last FROM bounded AS b WHERE CASE WHEN b.most <= 2147483647 THEN has_sequence_privilege(b.oid, 'USAGE, SELECT') END
	)
	SELECT u.relname::text, n.nspname::text, u.last, u.most, NULL::oid FROM used AS u JOIN pg_namespace AS n ON n.oid = u.relnamespace
	WHERE u.last - u.seqmin >= $3::float8 * (u.most - u.seqmin)
	UNION ALL SELECT NULL, NULL, NULL, NULL, max(seqrelid) FROM page`

// sequencesAfter looks at the sequences behind one, and returns the last; 0 if there are
// none.
func (e *exam) sequencesAfter(ctx context.Context, after uint32, u *usedUp) (last uint32, err error) {
	rows, err := e.rows(ctx, usedSQL, after, sequencePage, nearEnd)
	if err != nil {
		return 0, err
	}
	var name, schema *string
	var value, end *int64
	var behind *uint32
	_, err = pgx.ForEachRow(rows, []any{&name, &schema, &value, &end, &behind}, func() error {
		if name != nil {
			u.add(*name, *schema, *value, *end)
		} else if behind != nil {
			last = *behind
		}
		return nil
	})
	return last, err
}

// again goes on in another transaction, and in another session if it is to be replaced.
func (e *exam) again(ctx context.Context, replaced bool) error {
	e.end(ctx)
	if replaced {
		e.close(ctx)
		other, err := open(ctx, e.config)
		if err != nil {
			return err
		}
		*e = *other
	}
	return e.begin(ctx)
}
