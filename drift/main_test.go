package drift_test

import (
	"context"
	_ "embed"
	"iter"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/drift"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// shop is a schema with what applications have.
//
//go:embed testdata/shop.sql
var shop string

// taxes is what it needs in public, and what must not be taken for its own.
const taxes = "CREATE TABLE public.taxes (id integer PRIMARY KEY); CREATE TABLE public.things (decoy text)"

// database is a database with schemas.
type database struct {
	url  string
	conn *pgx.Conn
	pool *pgxpool.Pool
}

func newDatabase(tb testing.TB) *database {
	tb.Helper()
	return open(tb, testdb.New(tb))
}

// open connects to a database, which may be one that there is.
func open(tb testing.TB, url string) *database {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	pool, err := pgxpool.New(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		pool.Close()
		_ = conn.Close(context.WithoutCancel(tb.Context()))
	})
	return &database{url, conn, pool}
}

func (d *database) execute(tb testing.TB, sql string) {
	tb.Helper()
	if _, err := d.conn.Exec(tb.Context(), sql); err != nil {
		tb.Fatalf("%.300s: %v", sql, err)
	}
}

// in runs sql in a schema.
func (d *database) in(tb testing.TB, schema, sql string) {
	tb.Helper()
	d.execute(tb, "SET search_path = "+searchpath.For(tenant.MustParseSchema(schema)))
	d.execute(tb, sql)
	d.execute(tb, "RESET search_path")
}

// build makes schemas with the same in each.
func (d *database) build(tb testing.TB, sql string, schemas ...string) {
	tb.Helper()
	for _, schema := range schemas {
		d.execute(tb, `CREATE SCHEMA "`+schema+`"`)
		d.in(tb, schema, sql)
	}
}

// scratch builds sql in a schema of its own.
func scratch(sql string) func(context.Context, pgx.Tx) (tenant.Schema, error) {
	return func(ctx context.Context, tx pgx.Tx) (tenant.Schema, error) {
		schema := tenant.MustParseSchema("scratch")
		_, err := tx.Exec(ctx, "CREATE SCHEMA scratch; SET LOCAL search_path = "+searchpath.For(schema)+"; SET LOCAL timezone = 'Asia/Tokyo'; "+sql)
		return schema, err
	}
}

// these are schemas to compare. A name that is none is an error, as a row with it would be.
func these(names ...string) iter.Seq2[tenant.Schema, error] {
	return func(yield func(tenant.Schema, error) bool) {
		for _, name := range names {
			if !yield(tenant.ParseSchema(name)) {
				return
			}
		}
	}
}

// find compares the schemas with a fresh build of sql, or with what the options say.
func (d *database) find(tb testing.TB, sql string, options drift.Options, schemas ...string) *drift.Report {
	tb.Helper()
	report, err := drift.Find(tb.Context(), &drift.Config{Options: options, Build: scratch(sql), Pool: d.pool, Schemas: these(schemas...)})
	if err != nil {
		tb.Fatal(err)
	}
	return report
}

// describe is a report in lines.
func describe(r *drift.Report) string {
	var b strings.Builder
	for _, g := range r.Groups {
		for i, s := range g.Schemas {
			if i > 0 {
				b.WriteString(" ")
			}
			b.WriteString(s.String())
		}
		b.WriteString(":\n")
		if g.Err != nil {
			b.WriteString("  " + g.Err.Error() + "\n")
		}
		for _, d := range g.Differences {
			b.WriteString("  " + strings.ReplaceAll(d.String(), "\n", "\n  ") + "\n")
		}
	}
	return b.String()
}

// all are the options that compare everything.
func all() drift.Options { return drift.Options{Access: true, ColumnOrder: true, Comments: true} }

func schema(name string) tenant.Schema { return tenant.MustParseSchema(name) }
