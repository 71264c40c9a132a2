package ent_test

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/examples/libraries/ent"
	"github.com/cotenant/cotenant/examples/libraries/ent/author"
	"github.com/cotenant/cotenant/examples/libraries/ent/book"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

//go:embed apps
var apps embed.FS

// Example keeps the libraries of two tenants.
func Example() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// tenant "acme": Le Guin wrote Rocannon's World
	// tenant "acme": Le Guin wrote Planet of Exile
	// tenant "acme": book 1 is by Le Guin
	// tenant "globex": Lem wrote Solaris
	// tenant "globex": book 1 is by Lem
	// nobody: no tenant in the context (use tenant.NewContext, or tenant.Public for the shared tables)
}

// add adds an author with books, all or nothing.
func add(ctx context.Context, client *ent.Client, name string, titles ...string) error {
	tx, err := client.Tx(ctx)
	if err != nil {
		return err
	}
	writer, err := tx.Author.Create().SetName(name).Save(ctx)
	if err == nil {
		_, err = tx.Book.MapCreateBulk(titles, func(create *ent.BookCreate, i int) {
			create.SetTitle(titles[i]).SetAuthor(writer)
		}).Save(ctx)
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func run(ctx context.Context) error {
	tenancy, err := cotenant.Open(ctx, &cotenant.Config{
		DatabaseURL: os.Getenv("DATABASE_URL"),
		TenantApps:  migrate.Dirs(apps, "apps/library"),
	})
	if err != nil {
		return err
	}
	defer tenancy.Close()
	if err := tenancy.Migrate(ctx); err != nil {
		return err
	}
	var tenants []*tenant.Tenant
	for _, name := range []string{"acme", "globex"} {
		created, err := tenancy.Registry().Create(ctx, registry.CreateParams{Schema: tenant.MustParseSchema(name)})
		if err != nil {
			return err
		}
		tenants = append(tenants, created)
	}
	acme := tenant.NewContext(ctx, tenants[0]) // what the middleware does for a request
	globex := tenant.NewContext(ctx, tenants[1])

	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, tenancy.SQL())))
	err = errors.Join(
		add(acme, client, "Le Guin", "Rocannon's World", "Planet of Exile"),
		add(globex, client, "Lem", "Solaris"),
	)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		ctx := tenant.NewContext(ctx, t)
		authors, err := client.Author.Query().WithBooks().Order(author.ByName()).All(ctx)
		if err != nil {
			return err
		}
		for _, author := range authors {
			for _, book := range author.Edges.Books {
				fmt.Printf("%v: %s wrote %s\n", t, author.Name, book.Title)
			}
		}
		writer, err := client.Book.Query().Where(book.ID(1)).QueryAuthor().Only(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("%v: book 1 is by %s\n", t, writer.Name)
	}
	_, err = client.Author.Query().All(ctx)
	fmt.Println("nobody:", err)
	return nil
}
