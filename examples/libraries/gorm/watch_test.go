package gorm_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// open returns a tenancy, and the contexts of n tenants of it.
func open(t *testing.T, n int) (*cotenant.Tenancy, []context.Context) {
	t.Helper()
	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{DatabaseURL: testdb.New(t), TenantApps: migrate.Dirs(apps, "apps/library")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenancy.Close)
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var ctxs []context.Context
	for i := range n {
		created, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema(fmt.Sprintf("t%d", i))})
		if err != nil {
			t.Fatal(err)
		}
		ctxs = append(ctxs, tenant.NewContext(t.Context(), created))
	}
	return tenancy, ctxs
}

func openGORM(t *testing.T, tenancy *cotenant.Tenancy, config gorm.Config) *gorm.DB {
	t.Helper()
	config.Logger = logger.Discard
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: tenancy.SQL()}), &config)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// Many goroutines and few tenants, with and without statements that gorm prepares.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()

	for _, config := range []gorm.Config{{}, {PrepareStmt: true}, {PrepareStmt: true, SkipDefaultTransaction: true}} {
		t.Run(fmt.Sprintf("PrepareStmt=%t,SkipDefaultTransaction=%t", config.PrepareStmt, config.SkipDefaultTransaction), func(t *testing.T) {
			t.Parallel()
			tenancy, ctxs := open(t, 3)
			db := openGORM(t, tenancy, config)
			const rounds = 20
			var wg sync.WaitGroup
			for i, ctx := range ctxs {
				for g := range 4 {
					wg.Go(func() {
						for r := range rounds {
							name := fmt.Sprintf("%d by %d, %d", i, g, r)
							author := Author{Name: name, Books: []Book{{Title: name}}}
							if err := db.WithContext(ctx).Create(&author).Error; err != nil {
								t.Error(err)
								return
							}
							var found Author
							err := db.WithContext(ctx).Preload("Books").First(&found, author.ID).Error
							if err != nil || found.Name != name || len(found.Books) != 1 || found.Books[0].Title != name {
								t.Errorf("%+v, %v; want %s", found, err, name)
							}
						}
					})
				}
			}
			wg.Wait()
			for i, ctx := range ctxs {
				var all, own int64
				err := errors.Join(
					db.WithContext(ctx).Model(&Book{}).Count(&all).Error,
					db.WithContext(ctx).Model(&Book{}).Where("title LIKE ?", fmt.Sprintf("%d by %%", i)).Count(&own).Error)
				if err != nil || all != 4*rounds || own != all {
					t.Errorf("tenant %d: %d books, %d its own, %v; want %d", i, all, own, err, 4*rounds)
				}
			}
		})
	}
}

// AutoMigrate makes the tenant's tables what the models say, not what schema.sql says,
// and has its own copy of a shared one.
func TestAutoMigrate(t *testing.T) {
	t.Parallel()

	tenancy, ctxs := open(t, 2)
	db := openGORM(t, tenancy, gorm.Config{TranslateError: true})
	if err := db.AutoMigrate(&Tag{}); !errors.Is(err, tenant.ErrNoTenant) {
		t.Errorf("without a tenant: %v; want %v", err, tenant.ErrNoTenant)
	}
	for range 2 { // the second time there is nothing to do
		if err := db.WithContext(tenant.Public(t.Context())).AutoMigrate(&Tag{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.WithContext(ctxs[0]).AutoMigrate(&Tag{}); err != nil {
		t.Fatal(err)
	}
	// Both see a table of tags: the one its own, the other the shared one.
	for i, want := range []int64{0, 1} {
		shared := db.WithContext(tenant.Public(t.Context()))
		var got int64
		err := errors.Join(shared.Create(&Tag{Name: fmt.Sprint(i)}).Error, db.WithContext(ctxs[i]).Model(&Tag{}).Where("name = ?", fmt.Sprint(i)).Count(&got).Error)
		if err != nil || got != want {
			t.Errorf("tenant %d sees %d, %v; want %d", i, got, err, want)
		}
	}
	duplicate := db.WithContext(ctxs[1]).Create(&Tag{Name: "1"}).Error
	if !errors.Is(duplicate, gorm.ErrDuplicatedKey) {
		t.Errorf("%v; want %v", duplicate, gorm.ErrDuplicatedKey)
	}

	// In schema.sql the name of an author is NOT NULL and UNIQUE. The model does not say so.
	nullable := func(ctx context.Context) (is string) {
		err := tenancy.SQL().QueryRowContext(ctx, `SELECT is_nullable FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name = 'authors' AND column_name = 'name'`).Scan(&is)
		if err != nil {
			t.Error(err)
		}
		return is
	}
	err := db.WithContext(ctxs[0]).AutoMigrate(&Author{})
	if got := nullable(ctxs[0]) + nullable(ctxs[1]); got != "YESNO" {
		t.Errorf("after AutoMigrate (%v): names nullable: %s; want YES and NO", err, got)
	}
}

// A transaction refuses another tenant's context.
func TestTransaction(t *testing.T) {
	t.Parallel()

	tenancy, ctxs := open(t, 2)
	db := openGORM(t, tenancy, gorm.Config{})
	err := db.WithContext(ctxs[0]).Transaction(func(tx *gorm.DB) error {
		if err := tx.Create(&Author{Name: "Le Guin"}).Error; err != nil {
			return err
		}
		return tx.WithContext(ctxs[1]).Create(&Author{Name: "Lem"}).Error
	})
	if !errors.Is(err, tenant.ErrOtherTenant) {
		t.Errorf("%v; want %v", err, tenant.ErrOtherTenant)
	}
	for i, ctx := range ctxs {
		if n, err := gorm.G[Author](db).Count(ctx, "*"); n != 0 || err != nil {
			t.Errorf("tenant %d: %d authors, %v; want none", i, n, err)
		}
	}
}
