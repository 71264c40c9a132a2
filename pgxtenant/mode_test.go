package pgxtenant_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/pgxtenant"
)

// In each mode every way to write reaches the tenant's schema, a warm statement
// costs one write, and in the mode Transaction nothing is prepared.
func TestModes(t *testing.T) {
	t.Parallel()

	for _, mode := range []pgxtenant.Mode{pgxtenant.ModeAuto, pgxtenant.OnChange, pgxtenant.EveryAcquire, pgxtenant.Transaction} {
		w := &writes{}
		db := newDBWith(t, &pgxtenant.Config{Mode: mode, Types: []string{"mood"}}, twoTenants, func(c *pgxpool.Config) { one(c); w.count(c) })
		a, b := as(t, 1, "a"), as(t, 2, "b")
		n := 0
		for range 3 {
			for way, s := range map[string]statements{"DB": db, "Pool": db.Pool()} {
				for name := range calls(a, s) {
					n++
					for _, ctx := range []context.Context{a, b} {
						if err := calls(ctx, s)[name](); err != nil {
							t.Errorf("%v: %s of %s: %v", mode, name, way, err)
						}
					}
				}
			}
		}
		var public, inA, inB, prepared int
		err := db.QueryRow(a, `SELECT (SELECT count(*) FROM public.things), (SELECT count(*) FROM a.things), (SELECT count(*) FROM b.things),
			(SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'stmt%')`).Scan(&public, &inA, &inB, &prepared)
		if err != nil || public != 0 || inA != n || inB != n {
			t.Errorf("%v: rows in public, a, b: %d, %d, %d, %v; want 0, %d, %[6]d", mode, public, inA, inB, err, n)
		}
		if (prepared == 0) != (mode == pgxtenant.Transaction) {
			t.Errorf("%v: %d statements are prepared", mode, prepared)
		}
		for _, ctx := range []context.Context{a, b, a} {
			if n := w.during(t, func() error { return calls(ctx, db)["QueryRow"]() }); n != 1 {
				t.Errorf("%v: %d writes for a warm statement", mode, n)
			}
		}
		err = db.QueryRow(a, "SELECT $1::int", pgx.QueryExecModeDescribeExec, 1).Scan(nil)
		if (err != nil) != (mode == pgxtenant.Transaction) {
			t.Errorf("%v: QueryExecModeDescribeExec: %v", mode, err)
		}
	}
}
