package sqltenant_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/lib/pq"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/sqltenant"
	"github.com/cotenant/cotenant/tenant"
)

// Every way to write reaches the schema of the tenant in the context, and says in the
// same words that it is gone.
func TestCalls(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			for _, limit := range []bool{false, true} {
				db := b.open(t, &sqltenant.Config{LimitSetCalls: limit})
				n := b.count(t, "SELECT count(*) FROM a.things")
				for name, call := range testdb.SQLCalls(as(t, 3, "gone"), db) {
					if err := call(); !errors.Is(err, tenant.ErrSchemaNotFound) || !strings.Contains(err.Error(), `schema "gone"`) {
						t.Errorf("%s: %v", name, err)
					}
				}
				for name, call := range testdb.SQLCalls(t.Context(), db) {
					if sent := b.during(t, func() error {
						if err := call(); !errors.Is(err, tenant.ErrNoTenant) {
							t.Errorf("%s: %v", name, err)
						}
						return nil
					}); sent != 0 {
						t.Errorf("%s without a tenant: %d writes", name, sent)
					}
				}
				for range 2 {
					for name := range testdb.SQLCalls(t.Context(), nil) {
						for _, ctx := range []context.Context{asA(t), asB(t)} {
							if err := testdb.SQLCalls(ctx, db)[name](); err != nil {
								t.Errorf("%s: %v", name, err)
							}
						}
						n++
					}
				}
				for table, want := range map[string]int{"public.things": 0, "a.things": n, "b.things": n} {
					if got := b.count(t, "SELECT count(*) FROM "+table); got != want {
						t.Errorf("%s has %d rows; want %d", table, got, want)
					}
				}
				if stats := db.Stats(); stats.OpenConnections != 1 {
					t.Errorf("%+v", stats)
				}
			}
		})
	}
}

// Whose tables are seen depends on more than the tenant.
func TestPaths(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants+"CREATE TABLE public.shared (); CREATE SCHEMA extra; CREATE TABLE extra.more ()")
			db := b.open(t, &sqltenant.Config{ExtraSchemas: []tenant.Schema{tenant.MustParseSchema("extra")}})
			for range 2 {
				for _, test := range []struct {
					ctx          context.Context
					things       string
					shared, more bool
				}{
					{asA(t), "a", true, true},
					{tenant.WithoutPublic(asA(t)), "a", false, false},
					{tenant.Public(t.Context()), "public", true, true},
					{asB(t), "b", true, true},
				} {
					in(test.ctx, t, db, test.things)
					var shared, more bool
					err := db.QueryRowContext(test.ctx, "SELECT to_regclass('shared') IS NOT NULL, to_regclass('more') IS NOT NULL").Scan(&shared, &more)
					if err != nil || shared != test.shared || more != test.more {
						t.Errorf("%s: %t, %t, %v", test.things, shared, more, err)
					}
				}
			}
		})
	}
}

// A tenant of another database, or one that is being created, is refused.
func TestRefusedTenants(t *testing.T) {
	t.Parallel()

	b := newBase(t, newPQ, twoTenants)
	db := b.open(t, &sqltenant.Config{Database: "here"})
	elsewhere := tenant.NewContext(t.Context(), &tenant.Tenant{ID: 1, Schema: tenant.MustParseSchema("a"), Database: "there"})
	pending, _ := tenant.NewPending(t.Context(), &tenant.Tenant{ID: 1, Schema: tenant.MustParseSchema("a")})
	for want, ctx := range map[error]context.Context{tenant.ErrOtherDatabase: elsewhere, tenant.ErrUncommitted: pending} {
		if _, err := db.ExecContext(ctx, "SELECT 1"); !errors.Is(err, want) {
			t.Errorf("%v; want %v", err, want)
		}
		if err := db.PingContext(ctx); !errors.Is(err, want) {
			t.Errorf("Ping: %v; want %v", err, want)
		}
	}
}

// Ping needs no tenant, and leaves none behind.
func TestPing(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db := b.open(t, nil)
			if err := db.PingContext(t.Context()); err != nil {
				t.Error(err)
			}
			if err := db.PingContext(asA(t)); err != nil {
				t.Error(err)
			}
			if err := db.PingContext(as(t, 3, "gone")); !errors.Is(err, tenant.ErrSchemaNotFound) {
				t.Errorf("%v", err)
			}
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.PingContext(t.Context()); err != nil {
				t.Error(err)
			}
			in(asA(t), t, conn, "a")
			if err := conn.PingContext(asB(t)); !errors.Is(err, tenant.ErrOtherTenant) {
				t.Errorf("%v", err)
			}
			if err := conn.PingContext(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// Connections that database/sql opens in the background have no context of a call.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db := b.open(t, nil)
			db.SetMaxOpenConns(3)
			db.SetMaxIdleConns(1)
			var wg sync.WaitGroup
			for i := range 200 {
				ctx, want := asA(t), "a"
				if i%2 == 1 {
					ctx, want = asB(t), "b"
				}
				wg.Go(func() {
					if got, err := where(ctx, db); err != nil || got != want {
						t.Errorf("%q, %v; want %q", got, err, want)
					}
				})
			}
			wg.Wait()
		})
	}
}

// Setting the path costs a round trip whenever a connection is taken from the pool,
// and with LimitSetCalls only when it is another's.
func TestRoundTrips(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			for limit, want := range map[bool]int64{false: 2, true: 1} {
				db := b.open(t, &sqltenant.Config{LimitSetCalls: limit})
				// Without arguments a statement takes one round trip, with any driver.
				statement := func(ctx context.Context, q querier) func() error {
					return func() error { _, err := q.ExecContext(ctx, "INSERT INTO things VALUES ('x')"); return err }
				}
				b.during(t, statement(asA(t), db))
				for range 3 {
					if n := b.during(t, statement(asA(t), db)); n != want {
						t.Errorf("limit %t: the same tenant: %d round trips; want %d", limit, n, want)
					}
				}
				for range 3 {
					for _, ctx := range []context.Context{asB(t), asA(t)} {
						if n := b.during(t, statement(ctx, db)); n != 2 {
							t.Errorf("limit %t: another tenant: %d round trips; want 2", limit, n)
						}
					}
				}
				n := b.during(t, func() error {
					tx, err := db.BeginTx(asA(t), nil)
					if err != nil {
						return err
					}
					for range 5 {
						err = errors.Join(err, statement(asA(t), tx)())
					}
					return errors.Join(err, tx.Commit())
				})
				if n != 6+want { // BEGIN, five statements, COMMIT
					t.Errorf("limit %t: a transaction: %d round trips; want %d", limit, n, 6+want)
				}
			}
		})
	}
}

// Values and what is told of columns are the driver's own.
func TestValues(t *testing.T) {
	t.Parallel()

	for name, newConnector := range makers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBase(t, newConnector, twoTenants)
			db, plain := b.open(t, nil), opened(t, b.make(t, b.url, nil))
			if err := plain.PingContext(t.Context()); err != nil {
				t.Fatal(err)
			}
			const query = "SELECT $1::text[], 1.5::numeric(5, 2), 'x'::varchar(7), now(), NULL::int8, '{1,2}'::int[]"
			var got []string
			row := db.QueryRowContext(asA(t), "SELECT $1::text[]", pq.Array([]string{"a", `b"c`}))
			if err := row.Scan(pq.Array(&got)); err != nil || !slices.Equal(got, []string{"a", `b"c`}) {
				t.Errorf("%q, %v", got, err)
			}
			told := func(db *sql.DB) string {
				rows, err := db.QueryContext(asA(t), query, pq.Array([]string{"a"}))
				if err != nil {
					t.Fatal(err)
				}
				defer rows.Close()
				columns, err := rows.ColumnTypes()
				if err != nil {
					t.Fatal(err)
				}
				var s strings.Builder
				for _, c := range columns {
					length, hasLength := c.Length()
					precision, scale, ok := c.DecimalSize()
					s.WriteString(strings.Join([]string{c.Name(), c.DatabaseTypeName(), c.ScanType().String()}, " "))
					s.WriteString(strings.Repeat("-", int(length%100)) + strings.Repeat("+", int(precision)) + strings.Repeat("*", int(scale)))
					if hasLength || ok {
						s.WriteString("!")
					}
				}
				if err := rows.Err(); err != nil {
					t.Error(err)
				}
				return s.String()
			}
			if got, want := told(db), told(plain); got != want {
				t.Errorf("columns: %s\nwant: %s", got, want)
			}
			if name == "pgx" {
				var rewritten string
				if err := db.QueryRowContext(asA(t), "SELECT @x::text", pgx.NamedArgs{"x": "y"}).Scan(&rewritten); err != nil || rewritten != "y" {
					t.Errorf("%q, %v", rewritten, err)
				}
			}
			// A driver without a checker of its own takes what database/sql does.
			_, want := plain.ExecContext(t.Context(), "SELECT $1::text", struct{ x int }{1})
			_, err := db.ExecContext(asA(t), "SELECT $1::text", struct{ x int }{1})
			if (err == nil) != (want == nil) || err != nil && err.Error() != want.Error() {
				t.Errorf("%v; want %v", err, want)
			}
		})
	}
}
