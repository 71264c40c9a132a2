package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Fixed is something that Fix has mended, or not.
type Fixed struct {
	// Check is that of the finding.
	Check string
	// Subject is what it is about.
	Subject string
	// SQL is what mends it.
	SQL string
	// Err is why it was left as it was; nil if it is mended.
	Err error
}

var (
	errBusy    = errors.New("another program is at work on the schema (try again)")
	errChanged = errors.New("it has changed since it was looked at, and was left alone")
)

// Fix mends what the findings of a report are about that have a Fix, and tells of each
// thing, in all schemas, by done. These three are safe: nothing is lost that anybody could
// want.
//
//   - version-without-tenant: rows of an index, cotenant.schema_versions, that nobody reads
//   - progress-stale: notes of migrations that were half done in schemas that are gone
//   - index-leftover: what a REINDEX CONCURRENTLY has left beside the index itself
//
// Each thing is looked at again, under the lock of its schema or its table, and mended in a
// transaction of its own; locks are waited for no longer than two seconds. What cannot be
// mended is told and does not keep the others. The error is about the whole.
func Fix(ctx context.Context, config *Config, report *Report, done func(Fixed)) error {
	if err := fix(ctx, config, report, done); err != nil {
		return fmt.Errorf("doctor: fix: %w", err)
	}
	return nil
}

func fix(ctx context.Context, config *Config, report *Report, done func(Fixed)) error {
	c, err := config.withDefaults()
	if err != nil {
		return err
	}
	e, err := open(ctx, &c)
	if err != nil {
		return err
	}
	defer func() { e.close(ctx) }()
	if e.facts.standby {
		return fmt.Errorf("database %q is on a standby, where nothing can be changed (use the primary)", e.facts.database)
	}
	for _, check := range checks() {
		wanted := slices.ContainsFunc(report.Findings, func(f Finding) bool { return f.Check == check.name && f.Fix != "" })
		if !wanted || check.mend == nil {
			continue
		}
		err := check.mend(ctx, e, func(f Fixed) {
			f.Check = check.name
			done(f)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", check.name, err)
		}
	}
	return nil
}

// change mends something, in a transaction.
func (e *exam) change(ctx context.Context, f func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, e.conn, func(tx pgx.Tx) error {
		if err := e.settle(ctx, tx); err != nil {
			return err
		}
		return f(tx)
	})
}

// over returns why nothing more can be mended, if that is so.
func (e *exam) over(ctx context.Context) error {
	if e.conn.IsClosed() && ctx.Err() == nil {
		return errors.New("the connection was lost (do it again)")
	}
	return context.Cause(ctx)
}

// page is how many things are listed at a time to be mended.
const page = 500

// list returns the next things to be mended. Nothing is held while that is done.
func list[T any](ctx context.Context, e *exam, row pgx.RowToFunc[T], sql string, args ...any) (things []T, err error) {
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	defer e.end(ctx)
	rows, err := e.rows(ctx, sql, append(args, page)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, row)
}

// eachID calls f for the ids that a query selects behind $1, at most $2 of them.
func (e *exam) eachID(ctx context.Context, sql string, f func(id int64)) error {
	for after := int64(-1); ; {
		ids, err := list(ctx, e, pgx.RowTo[int64], sql, after)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := e.over(ctx); err != nil {
				return err
			}
			f(id)
			after = id
		}
	}
}
