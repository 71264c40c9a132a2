package ent_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the scratch database

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/examples/libraries/ent"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// open returns a client, and the contexts of n tenants with the apps.
func open(t *testing.T, n int, apps ...migrate.App) (*ent.Client, []context.Context) {
	t.Helper()
	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{DatabaseURL: testdb.New(t), TenantApps: apps})
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
	return ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, tenancy.SQL()))), ctxs
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()

	client, ctxs := open(t, 3, migrate.Dirs(apps, "apps/library")...)
	const rounds = 10
	var wg sync.WaitGroup
	for i, ctx := range ctxs {
		for g := range 4 {
			wg.Go(func() {
				for r := range rounds {
					name := fmt.Sprintf("%d by %d, %d", i, g, r)
					if err := add(ctx, client, name, name); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
	for i, ctx := range ctxs {
		books, err := client.Book.Query().WithAuthor().All(ctx)
		if err != nil || len(books) != 4*rounds {
			t.Errorf("tenant %d: %d books, %v; want %d", i, len(books), err, 4*rounds)
		}
		for _, book := range books {
			if book.Title != book.Edges.Author.Name || book.Title[0] != byte('0'+i) {
				t.Errorf("tenant %d: %v by %v", i, book, book.Edges.Author)
			}
		}
	}
}

// A part of Schema.Create has no context, so it is refused whoever asks.
func TestSchemaCreate(t *testing.T) {
	t.Parallel()

	client, ctxs := open(t, 1)
	for _, ctx := range []context.Context{t.Context(), ctxs[0]} {
		if err := client.Schema.Create(ctx); !errors.Is(err, tenant.ErrNoTenant) {
			t.Errorf("%v; want %v", err, tenant.ErrNoTenant)
		}
	}
	if n, err := client.Author.Query().Count(ctxs[0]); err == nil {
		t.Errorf("a table was made, with %d authors", n)
	}
}

// What ent thinks the tables are is what schema.sql makes of them: worth a test in
// each application, on a database without tenants.
func TestSchemaAgrees(t *testing.T) {
	t.Parallel()

	scratch, err := sql.Open("pgx", testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	tables, err := apps.ReadFile("apps/library/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scratch.ExecContext(t.Context(), string(tables)); err != nil {
		t.Fatal(err)
	}
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, scratch)))
	for _, change := range []string{"", "ALTER TABLE books ALTER title TYPE varchar"} {
		if _, err := scratch.ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		var missing strings.Builder
		if err := client.Schema.WriteTo(t.Context(), &missing); err != nil || (missing.Len() > 0) != (change != "") {
			t.Errorf("after %q: %v, ent would run %q", change, err, &missing)
		}
	}
}

// A transaction refuses another tenant's context.
func TestTransaction(t *testing.T) {
	t.Parallel()

	client, ctxs := open(t, 2, migrate.Dirs(apps, "apps/library")...)
	tx, err := client.Tx(ctxs[0])
	if err != nil {
		t.Fatal(err)
	}
	_, err = tx.Author.Create().SetName("Lem").Save(ctxs[1])
	if !errors.Is(err, tenant.ErrOtherTenant) {
		t.Errorf("%v; want %v", err, tenant.ErrOtherTenant)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
}

// An entity has an id and no tenant: what is asked of it is asked for the ctx.
func TestEntity(t *testing.T) {
	t.Parallel()

	client, ctxs := open(t, 2, migrate.Dirs(apps, "apps/library")...)
	if err := errors.Join(add(ctxs[0], client, "Le Guin", "Rocannon's World"), add(ctxs[1], client, "Lem", "Solaris")); err != nil {
		t.Fatal(err)
	}
	author, err := client.Author.Query().Only(ctxs[0])
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"Rocannon's World", "Solaris"} {
		if book, err := author.QueryBooks().Only(ctxs[i]); err != nil || book.Title != want {
			t.Errorf("%v, %v; want %s", book, err, want)
		}
	}
}
