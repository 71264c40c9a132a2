package migrate

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// historyTable is in every schema and records what the schema has. It is the
// truth, and is always named with its schema: through the search path a schema
// without the table would read that of public.
const historyTable = "cotenant_migrations"

// record is a row of the history.
type record struct {
	app      string
	name     string
	checksum string
	faked    bool
}

func createHistorySQL(schema tenant.Schema) string {
	return `CREATE TABLE IF NOT EXISTS ` + searchpath.Qualify(schema, historyTable) + ` (
	app text NOT NULL,
	name text NOT NULL,
	checksum text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now(),
	faked boolean NOT NULL DEFAULT false,
	PRIMARY KEY (app, name)
)`
}

// readHistory returns the records of schema by app.
func readHistory(ctx context.Context, tx pgx.Tx, schema tenant.Schema) (map[string][]record, error) {
	rows, err := tx.Query(ctx, `SELECT app, name, checksum, faked FROM `+searchpath.Qualify(schema, historyTable),
		pgx.QueryExecModeDescribeExec)
	if err != nil {
		return nil, err
	}
	history := make(map[string][]record)
	var r record
	_, err = pgx.ForEachRow(rows, []any{&r.app, &r.name, &r.checksum, &r.faked}, func() error {
		history[r.app] = append(history[r.app], r)
		return nil
	})
	return history, err
}

// step is one transaction's worth of work: a script, and the records that go
// into the history with it.
type step struct {
	script  script
	records []record
}

// plan returns the steps that bring app from its records in a schema to its
// files.
func (l loadedApp) plan(records []record) ([]step, error) {
	if len(records) == 0 && l.schema != nil {
		s := step{script: *l.schema, records: []record{l.schema.record(false)}}
		for _, m := range l.migrations {
			s.records = append(s.records, m.record(true))
		}
		return []step{s}, nil
	}
	if err := l.compare(records); err != nil {
		return nil, err
	}
	var steps []step
	for _, m := range l.migrations {
		if !slices.ContainsFunc(records, func(r record) bool { return r.name == m.name }) {
			steps = append(steps, step{script: m, records: []record{m.record(false)}})
		}
	}
	return steps, nil
}

// compare refuses a history that the files of the app do not lead to.
func (l loadedApp) compare(records []record) error {
	for _, r := range records {
		if r.name == schemaFile {
			if l.schema != nil && len(l.migrations) == 0 && l.schema.checksum != r.checksum {
				return fmt.Errorf("%s changed since it ran (keep it as it is now, for new schemas, and write the change as a migration too, %s/migrations/0001_….sql, for those that exist)", l.schema.file, l.name)
			}
			continue
		}
		i := slices.IndexFunc(l.migrations, func(m script) bool { return m.name == r.name })
		if i < 0 {
			return fmt.Errorf("%w: its migration %s/%s is not among the program's files (run the newer program, or restore the file)", ErrNewer, l.name, r.name)
		}
		m := l.migrations[i]
		if m.checksum != r.checksum && l.inProgram {
			return fmt.Errorf("%s changed since it ran (was a setting changed that it depends on, such as the name of a table?)", m.file)
		}
		if m.checksum != r.checksum {
			return fmt.Errorf("%s changed since it ran (restore it, and write the change as a new migration)", m.file)
		}
	}
	return nil
}

func (s script) record(faked bool) record {
	return record{app: s.app, name: s.name, checksum: s.checksum, faked: faked}
}
