package pgxtenant_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/tenant"
)

// seen is a statement that returns its own text, as the server sees it.
const seen = "SELECT query, $1::int FROM pg_stat_activity WHERE pid = pg_backend_pid()"

// Every statement carries its tenant in a comment at its end, once, whatever way it
// is sent, and whatever arguments for pgx come with it.
func TestTag(t *testing.T) {
	t.Parallel()

	db := newDB(t, twoTenants, one)
	queryRow := func(sql string, args ...any) func(ctx context.Context) (string, error) {
		return func(ctx context.Context) (text string, err error) {
			return text, db.QueryRow(ctx, sql, args...).Scan(&text, nil)
		}
	}
	named := strings.Replace(seen, "$1", "@n", 1)
	b := &pgx.Batch{}
	b.Queue(seen, 1)
	b.Queue(named, pgx.NamedArgs{"n": 1})
	for name, call := range map[string]func(ctx context.Context) (string, error){
		"plain":         queryRow(seen, 1),
		"named":         queryRow(named, pgx.NamedArgs{"n": 1}),
		"mode":          queryRow(seen, pgx.QueryExecModeExec, 1),
		"simple":        queryRow(seen, pgx.QueryExecModeSimpleProtocol, 1),
		"formats":       queryRow(seen, pgx.QueryResultFormats{0, 0}, 1),
		"formats, mode": queryRow(seen, pgx.QueryResultFormatsByOID{23: 1}, pgx.QueryExecModeDescribeExec, 1),
		"batch": func(ctx context.Context) (text string, err error) {
			r := db.SendBatch(ctx, b) // again and again
			var other string
			err = errors.Join(r.QueryRow().Scan(&text, nil), r.QueryRow().Scan(&other, nil), r.Close())
			if !strings.HasSuffix(text, other[len(other)-10:]) {
				t.Errorf("in one batch: %s, %s", text, other)
			}
			return text, err
		},
		"transaction": func(ctx context.Context) (text string, err error) {
			err = db.BeginFunc(ctx, func(tx pgx.Tx) error { return tx.QueryRow(ctx, seen, 1).Scan(&text, nil) })
			return text, err
		},
		"prepared": func(ctx context.Context) (text string, err error) {
			err = db.BeginFunc(ctx, func(tx pgx.Tx) error {
				if _, err := tx.Prepare(ctx, "by name", seen); err != nil {
					return err
				}
				return tx.QueryRow(ctx, "by name", 1).Scan(&text, nil)
			})
			return text, err
		},
		"prepared, text as name": func(ctx context.Context) (text string, err error) {
			err = db.BeginFunc(ctx, func(tx pgx.Tx) error {
				if _, err := tx.Prepare(ctx, seen, seen); err != nil {
					return err
				}
				return tx.QueryRow(ctx, seen, 1).Scan(&text, nil)
			})
			return text, err
		},
	} {
		for range 2 {
			for tag, ctx := range map[string]context.Context{
				" /*tenant='a'*/":                as(t, 1, "a"),
				" /*tenant='b'*/":                as(t, 2, "b"),
				" /*tenant='public'*/":           tenant.Public(t.Context()),
				" /*public='false',tenant='a'*/": tenant.WithoutPublic(as(t, 1, "a")),
			} {
				text, err := call(ctx)
				text, _, _ = strings.Cut(text, "\n;") // the proof behind a simple Query
				if err != nil || !strings.HasSuffix(text, tag) || strings.Count(text, "/*") != 1 {
					t.Errorf("%s: %q, %v; want %q", name, text, err, tag)
				}
			}
		}
	}
	if got := b.QueuedQueries[0].SQL; got != seen {
		t.Errorf("the batch was changed: %s", got)
	}
}

// The callbacks of a batch run each time that it is sent.
func TestBatchCallbacks(t *testing.T) {
	t.Parallel()

	db := newDB(t, twoTenants)
	b := &pgx.Batch{}
	var schemas []string
	b.Queue("SELECT current_schema()").QueryRow(func(row pgx.Row) error {
		var schema string
		err := row.Scan(&schema)
		schemas = append(schemas, schema)
		return err
	})
	for _, ctx := range []context.Context{as(t, 1, "a"), as(t, 2, "b"), as(t, 1, "a")} {
		if err := db.SendBatch(ctx, b).Close(); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(schemas, []string{"a", "b", "a"}) {
		t.Errorf("ran in %v", schemas)
	}
}

// What has no statement to tag is left as it is.
func TestNoTag(t *testing.T) {
	t.Parallel()

	db := newDB(t, twoTenants)
	for _, sql := range []string{"", " ", "-- a comment"} {
		if _, err := db.Exec(as(t, 1, "a"), sql); err != nil {
			t.Errorf("%q: %v", sql, err)
		}
		rows, err := db.Query(as(t, 1, "a"), sql)
		if rows.Close(); errors.Join(err, rows.Err()) != nil {
			t.Errorf("Query %q: %v, %v", sql, err, rows.Err())
		}
	}
}

// The application's tracer is shown what the application wrote: text, arguments and
// batch, and every other thing that pgx tells.
func TestTracerSeesWhatWasWritten(t *testing.T) {
	t.Parallel()

	tr := &tracer{}
	db := newDB(t, twoTenants, one, func(c *pgxpool.Config) { c.ConnConfig.Tracer = tr })
	a := as(t, 1, "a")
	const sql = "SELECT $1::int"
	for range 3 { // described, prepared, and both
		if err := db.QueryRow(a, sql, 1).Scan(new(int)); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range tr.args {
		if len(args) != 1 || args[0] != 1 {
			t.Errorf("arguments %v", args)
		}
	}
	for kind, want := range map[string][]string{
		"query": {sql, sql, sql}, "prepare": {sql, sql}, "query end": {"SELECT 1", "SELECT 1", "SELECT 1"}, "prepare end": {"", ""},
		"connect": {""}, "connect end": {""}, "acquire": {"", "", ""}, "acquire end": {"", "", ""}, "release": {"", "", ""},
	} {
		if got := tr.told[kind]; !slices.Equal(got, want) {
			t.Errorf("%s: %q; want %q", kind, got, want)
		}
	}
	tr.of("")
	b := &pgx.Batch{}
	b.Queue(sql, 1)
	if err := db.SendBatch(a, b).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.CopyFrom(a, pgx.Identifier{"things"}, []string{"name"}, pgx.CopyFromRows([][]any{{"x"}})); err != nil {
		t.Fatal(err)
	}
	if tr.told["batch"][0] != sql || tr.told["batch query"][0] != sql || tr.told["batch end"] == nil || tr.told["copy"] == nil || tr.told["copy end"] == nil {
		t.Errorf("told: %q", tr.told)
	}
}

// A tracer that only knows queries is enough, and one that BeforeConnect sets is
// asked as well.
func TestTracerOfBeforeConnect(t *testing.T) {
	t.Parallel()

	tr := &tracer{}
	db := newDB(t, twoTenants, one, func(c *pgxpool.Config) {
		c.BeforeConnect = func(_ context.Context, conn *pgx.ConnConfig) error {
			conn.Tracer = struct{ pgx.QueryTracer }{tr}
			return nil
		}
	})
	a := as(t, 1, "a")
	if _, err := db.Exec(a, "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	if got := tr.of("query"); !slices.Equal(got, []string{"SELECT 1"}) {
		t.Errorf("told: %q", got)
	}
	tx, err := db.Begin(a)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(a)
	if _, err := tx.Conn().Exec(as(t, 2, "b"), "SELECT 1"); !errors.Is(err, tenant.ErrOtherTenant) {
		t.Errorf("another tenant's statement: %v", err)
	}
}
