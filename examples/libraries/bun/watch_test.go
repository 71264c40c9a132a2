package bun_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// open returns bun's database, whose statements are sent in the mode, and the
// contexts of two tenants.
func open(t *testing.T, mode pgx.QueryExecMode) (*bun.DB, []context.Context) {
	t.Helper()
	pool, err := pgxpool.ParseConfig(testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	pool.ConnConfig.DefaultQueryExecMode = mode
	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{Pool: pool, TenantApps: migrate.Dirs(apps, "apps/library")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenancy.Close)
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var ctxs []context.Context
	for i := range 2 {
		created, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema(fmt.Sprintf("t%d", i))})
		if err != nil {
			t.Fatal(err)
		}
		ctxs = append(ctxs, tenant.NewContext(t.Context(), created))
	}
	return bun.NewDB(tenancy.SQL(), pgdialect.New()), ctxs
}

// Event has what bun writes in ways of its own.
type Event struct {
	ID     int64 `bun:",pk,autoincrement"`
	At     time.Time
	Labels []string `bun:",array"`
	Data   map[string]string
	Note   *string
}

// bun writes all values into the text, which PostgreSQL may or may not be asked to
// describe first. Both give the same.
func TestModes(t *testing.T) {
	t.Parallel()

	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			db, ctxs := open(t, mode)
			var wg sync.WaitGroup
			for i, ctx := range ctxs {
				if _, err := db.NewCreateTable().Model((*Event)(nil)).Exec(ctx); err != nil {
					t.Fatal(err)
				}
				for g := range 4 {
					wg.Go(func() {
						for r := range 10 {
							want := Event{
								At:     time.Date(2024, 2, 29, r, 0, 0, 0, time.UTC),
								Labels: []string{`it's "quoted"`, `back\slash`, "{a,b}"},
								Data:   map[string]string{"tenant": fmt.Sprint(i), "?": "/*"},
							}
							if r%2 == 0 {
								want.Note = new(fmt.Sprintf("%d by %d -- '", i, g))
							}
							if _, err := db.NewInsert().Model(&want).Exec(ctx); err != nil {
								t.Error(err)
								return
							}
							var got Event
							err := db.NewSelect().Model(&got).Where("id = ?", want.ID).Where("labels @> ?", pgdialect.Array(want.Labels)).Scan(ctx)
							got.At = got.At.UTC()
							if err != nil || !reflect.DeepEqual(got, want) {
								t.Errorf("%+v, %v; want %+v", got, err, want)
							}
						}
					})
				}
			}
			wg.Wait()
			for i, ctx := range ctxs {
				all, err := db.NewSelect().Model((*Event)(nil)).Count(ctx)
				own, err2 := db.NewSelect().Model((*Event)(nil)).Where("data ->> 'tenant' = ?", fmt.Sprint(i)).Count(ctx)
				if err := errors.Join(err, err2); err != nil || all != 40 || own != 40 {
					t.Errorf("tenant %d: %d events, %d its own, %v; want 40", i, all, own, err)
				}
			}
		})
	}
}

// A table is made in the tenant's schema, or not at all; a transaction is its
// tenant's.
func TestScope(t *testing.T) {
	t.Parallel()

	db, ctxs := open(t, pgx.QueryExecModeCacheStatement)
	if _, err := db.NewCreateTable().Model((*Event)(nil)).Exec(t.Context()); !errors.Is(err, tenant.ErrNoTenant) {
		t.Errorf("a table without a tenant: %v; want %v", err, tenant.ErrNoTenant)
	}
	if _, err := db.NewCreateTable().Model((*Event)(nil)).Exec(ctxs[0]); err != nil {
		t.Error(err)
	}
	for i, want := range []bool{true, false} {
		_, err := db.NewSelect().Model((*Event)(nil)).Count(ctxs[i])
		if (err == nil) != want {
			t.Errorf("tenant %d has the table: %v; want %t", i, err, want)
		}
	}
	err := db.RunInTx(ctxs[0], nil, func(ctx context.Context, tx bun.Tx) error {
		if err := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { // a savepoint
			_, err := tx.NewInsert().Model(&Author{Name: "Le Guin"}).Exec(ctx)
			return err
		}); err != nil {
			t.Error(err)
		}
		_, err := tx.NewInsert().Model(&Author{Name: "Lem"}).Exec(ctxs[1])
		return err
	})
	if !errors.Is(err, tenant.ErrOtherTenant) {
		t.Errorf("another tenant's context in a transaction: %v; want %v", err, tenant.ErrOtherTenant)
	}
	if n, err := db.NewSelect().Model((*Author)(nil)).Count(ctxs[0]); n != 0 || err != nil {
		t.Errorf("%d authors are left, %v; want none", n, err)
	}
}
