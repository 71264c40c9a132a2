package pgxtenant_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/pgxtenant"
)

// The first execution describes a statement, the second prepares it, and from then
// on it costs one write, as with pgx alone; on a switch of tenants too.
func TestRoundTrips(t *testing.T) {
	t.Parallel()

	w := &writes{}
	tr := &tracer{}
	db := newDB(t, twoTenants, one, w.count, func(c *pgxpool.Config) { c.ConnConfig.Tracer = tr })
	a, b := as(t, 1, "a"), as(t, 2, "b")
	batch := &pgx.Batch{}
	batch.Queue("SELECT count(*) FROM things WHERE name <> $1", "x")
	batch.Queue("SELECT $1::int", 1)
	for name, tt := range map[string]struct {
		call func(ctx context.Context) error
		cold []int64 // writes of the first executions, for each tenant
		warm int64
	}{
		"Exec": {func(ctx context.Context) error {
			_, err := db.Exec(ctx, "DELETE FROM things WHERE name = $1", "x")
			return err
		}, []int64{2, 2}, 1},
		"Exec without arguments": {func(ctx context.Context) error {
			_, err := db.Exec(ctx, "DELETE FROM things")
			return err
		}, nil, 1},
		"Query": {func(ctx context.Context) error {
			rows, err := db.Query(ctx, "SELECT name FROM things")
			rows.Close()
			return errors.Join(err, rows.Err())
		}, []int64{2, 2}, 1},
		"QueryRow": {func(ctx context.Context) error {
			return db.QueryRow(ctx, "SELECT count(*) FROM things WHERE name = $1", "x").Scan(nil)
		}, []int64{2, 2}, 1},
		"named arguments": {func(ctx context.Context) error {
			return db.QueryRow(ctx, "SELECT count(*) FROM things WHERE name = @x AND true", pgx.NamedArgs{"x": "x"}).Scan(nil)
		}, []int64{2, 2}, 1},
		"a batch": {func(ctx context.Context) error { return db.SendBatch(ctx, batch).Close() }, []int64{2}, 1},
		"a transaction": {func(ctx context.Context) error {
			return db.BeginFunc(ctx, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "DELETE FROM things WHERE name = $1 AND true", "x")
				return err
			})
		}, []int64{4, 4}, 3},
	} {
		if err := db.Ping(a); err != nil { // the connection is there
			t.Fatal(err)
		}
		for _, ctx := range []context.Context{a, b} {
			for i, want := range tt.cold {
				if n := w.during(t, func() error { return tt.call(ctx) }); n != want {
					t.Errorf("%s: execution %d: %d writes, want %d", name, i+1, n, want)
				}
			}
		}
		for i, ctx := range []context.Context{a, a, b, a, b, b} {
			if n := w.during(t, func() error { return tt.call(ctx) }); n != tt.warm {
				t.Errorf("%s: warm execution %d: %d writes, want %d", name, i+1, n, tt.warm)
			}
		}
	}
}

// Statements that do not come back while they are remembered are never prepared,
// however many tenants take turns, and cost one write once they were described.
func TestNoThrashing(t *testing.T) {
	t.Parallel()

	const tenants, statements = 20, 5
	setup := ""
	for i := range tenants {
		setup += fmt.Sprintf("CREATE SCHEMA t%[1]d; CREATE TABLE t%[1]d.things (id int);", i)
	}
	w := &writes{}
	db := newDBWith(t, &pgxtenant.Config{StatementCache: tenants*statements - 1}, setup, one, w.count)
	round := func() error {
		for i := range tenants {
			for j := range statements {
				if err := db.QueryRow(as(t, int64(i), fmt.Sprintf("t%d", i)), fmt.Sprintf("SELECT count(*) + %d FROM things", j)).Scan(nil); err != nil {
					return err
				}
			}
		}
		return nil
	}
	prepared := func() (n int) {
		if err := db.QueryRow(as(t, 0, "t0"), "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'stmtcache_%'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := round(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if n := w.during(t, round); n != tenants*statements {
			t.Errorf("%d writes for %d statements", n, tenants*statements)
		}
	}
	if n := prepared(); n > 1 {
		t.Errorf("%d statements are prepared", n)
	}
	for range 2 {
		for range 2 {
			if err := db.QueryRow(as(t, 0, "t0"), "SELECT count(*) FROM things").Scan(nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := prepared(); n == 0 {
		t.Error("a hot statement is not prepared")
	}
}

// What pool has of pgx's modes is left alone, or at least never prepared.
func TestModesOfPgx(t *testing.T) {
	t.Parallel()

	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		db := newDB(t, twoTenants, one, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
		for range 3 {
			for _, ctx := range []context.Context{as(t, 1, "a"), as(t, 2, "b")} {
				for name, call := range calls(ctx, db) {
					if err := call(); err != nil {
						t.Errorf("%v: %s: %v", mode, name, err)
					}
				}
				var n int
				if err := db.QueryRow(ctx, "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'stmt%'").Scan(&n); err != nil || n != 0 {
					t.Errorf("%v: %d statements are prepared, %v", mode, n, err)
				}
			}
		}
	}
}

// The first execution of a statement, which is described, and the later ones, which
// are prepared, give the same values and the same errors for every Go type.
func TestSameValues(t *testing.T) {
	t.Parallel()

	db := newDBWith(t, &pgxtenant.Config{Types: []string{"mood", "price"}}, `
		CREATE SCHEMA a; CREATE TYPE a.mood AS ENUM ('sad', 'fine'); CREATE TYPE a.price AS (amount numeric, currency text);
		CREATE SCHEMA b; CREATE TYPE b.mood AS ENUM ('fine'); CREATE TYPE b.price AS (currency text, amount numeric);
	`, one, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["timezone"] = "UTC" })
	west := time.FixedZone("west", -5*60*60)
	late := time.Date(2024, 2, 29, 22, 30, 0, 123456000, west)
	type point struct{ X, Y int }
	for i, tt := range []struct {
		cast  string
		value any
		fails bool
	}{
		{"date", late, false},
		{"timestamp", late, false},
		{"timestamptz", late, false},
		{"time", pgtype.Time{Microseconds: 1, Valid: true}, false},
		{"interval", 90 * time.Minute, false},
		{"jsonb", map[string]any{"a": 1.5}, false},
		{"jsonb", point{1, 2}, false},
		{"jsonb", &point{1, 2}, false},
		{"jsonb", []point{{1, 2}}, false},
		{"json", json.RawMessage(`{"a": 1}`), false},
		{"jsonb", "null", false},
		{"uuid", [16]byte{1, 2, 3}, false},
		{"uuid", "01020300-0000-0000-0000-000000000000", false},
		{"bytea", []byte{0, 1, 255}, false},
		{"text", "it's", false},
		{"text", (*string)(nil), false},
		{"int", int64(1) << 20, false},
		{"int", int64(1) << 40, true},
		{"smallint", "12", false},
		{"bigint", uint64(1) << 63, true},
		{"numeric", 1.25, false},
		{"float8", float32(0.5), false},
		{"boolean", true, false},
		{"boolean", "maybe", true},
		{"int[]", []int{1, 2}, false},
		{"int[]", []*int{nil}, false},
		{"text[]", []string{"a", "b,c"}, false},
		{"timestamptz[]", []time.Time{late}, false},
		{"inet", netip.MustParseAddr("10.0.0.1"), false},
		{"mood", "fine", false},
		{"mood", "elated", true},
		{"mood[]", []string{"fine"}, false},
		{"int4range", pgtype.Range[int32]{Lower: 1, Upper: 2, LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true}, false},
		{"text", 5, true},
		{"int", "five", true},
	} {
		for id, schema := range []string{"a", "b"} {
			ctx := as(t, int64(id+1), schema)
			sql := fmt.Sprintf("SELECT $1::%[1]s, $1::%[1]s::text, %[2]d", tt.cast, i)
			type result struct {
				values []any
				err    string
			}
			var first result
			for n := range 4 {
				args := []any{tt.value}
				if n == 3 { // what pgx does by itself, without us remembering anything
					args = append([]any{pgx.QueryExecModeDescribeExec}, args...)
				}
				var got result
				rows, err := db.Query(ctx, sql, args...)
				if err == nil {
					got.values, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
				}
				rows.Close()
				if err != nil {
					got.err = err.Error()
				}
				if (err != nil) != tt.fails {
					t.Errorf("%s of %#v: %v", tt.cast, tt.value, err)
				}
				if n == 0 {
					first = got
				}
				if !reflect.DeepEqual(got, first) {
					t.Errorf("%s of %#v in %s: %v, execution %d: %v", tt.cast, tt.value, schema, first, n+1, got)
				}
			}
		}
	}
}
