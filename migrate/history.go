package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/dberr"
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

// history is the records of a schema by app and name.
type history map[string]map[string]record

// readHistory returns the history of schema; it is empty where the schema has none. Who
// drops a schema locks it: that is waited for as long as for other locks.
func (c changer) readHistory(ctx context.Context, tx pgx.Tx, schema tenant.Schema) (history, error) {
	h := make(history)
	var there bool
	err := tx.QueryRow(ctx, "SELECT pg_catalog.to_regclass($1) IS NOT NULL FROM pg_catalog.set_config('lock_timeout', $2, true)", pgx.QueryExecModeExec,
		searchpath.Qualify(schema, historyTable), milliseconds(c.config.LockTimeout)).Scan(&there)
	if err != nil || !there {
		return h, err
	}
	rows, err := tx.Query(ctx, `SELECT app, name, checksum, faked FROM `+searchpath.Qualify(schema, historyTable), pgx.QueryExecModeExec)
	if err != nil {
		return nil, err
	}
	var r record
	_, err = pgx.ForEachRow(rows, []any{&r.app, &r.name, &r.checksum, &r.faked}, func() error {
		h.add(r)
		return nil
	})
	return h, err
}

// historyNow is readHistory in one round trip, where there is no transaction.
func (c changer) historyNow(ctx context.Context, schema tenant.Schema) (history, error) {
	batch := &pgconn.Batch{} // which is a transaction
	batch.ExecParams("SELECT pg_catalog.set_config('lock_timeout', $1, true)", texts(milliseconds(c.config.LockTimeout)), nil, nil, nil)
	batch.ExecParams("SELECT app, name, checksum, faked::text FROM "+searchpath.Qualify(schema, historyTable), nil, nil, nil, nil)
	results, err := c.conn.PgConn().ExecBatch(ctx, batch).ReadAll()
	h := make(history)
	switch {
	case dberr.Code(err) == dberr.UndefinedTable:
		return h, nil
	case err != nil:
		return nil, err
	}
	for _, row := range results[1].Rows {
		h.add(record{app: string(row[0]), name: string(row[1]), checksum: string(row[2]), faked: string(row[3]) == "true"})
	}
	return h, nil
}

func (h history) add(records ...record) {
	for _, r := range records {
		if h[r.app] == nil {
			h[r.app] = make(map[string]record)
		}
		h[r.app][r.name] = r
	}
}

func (h history) remove(app string, names ...string) {
	for _, name := range names {
		delete(h[app], name)
	}
	if len(h[app]) == 0 {
		delete(h, app)
	}
}

func (h history) has(app, name string) bool {
	_, ok := h[app][name]
	return ok
}

// digest tells histories apart that lead to different work. The record of a schema.sql
// counts only where its app has no other: it does not say which schema.sql a schema
// with migrations began with. Whether a record is faked does not count either.
func (h history) digest() string {
	sum := sha256.New()
	for _, app := range slices.Sorted(maps.Keys(h)) {
		records := h[app]
		for _, name := range slices.Sorted(maps.Keys(records)) {
			if name == schemaFile && len(records) > 1 {
				continue
			}
			fmt.Fprintf(sum, "%s\x00%s\x00%s\n", app, name, records[name].checksum)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// insertRecordsSQL inserts n records. Those that are there already are refused: then
// somebody else has done the work. If a trigger or a policy kept some of them out, it
// divides by zero: the work would be done again in every run.
func insertRecordsSQL(schema tenant.Schema, n int) string {
	var values []string
	for i := range n {
		values = append(values, fmt.Sprintf("($%d, $%d, $%d, $%d::boolean)", 4*i+1, 4*i+2, 4*i+3, 4*i+4))
	}
	return "WITH recorded AS (INSERT INTO " + searchpath.Qualify(schema, historyTable) + " (app, name, checksum, faked) VALUES " + strings.Join(values, ", ") +
		" RETURNING app) SELECT 1 / (count(*) OPERATOR(pg_catalog.=) " + strconv.Itoa(n) + ")::pg_catalog.int4 FROM recorded"
}

func recordParams(records []record) [][]byte {
	var params [][]byte
	for _, r := range records {
		params = append(params, []byte(r.app), []byte(r.name), []byte(r.checksum), fmt.Append(nil, r.faked))
	}
	return params
}

func (s *script) record(faked bool) record {
	return record{app: s.app, name: s.name, checksum: s.checksum, faked: faked}
}
