package bun_test

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

//go:embed apps
var apps embed.FS

// Author has many books.
type Author struct {
	ID    int64 `bun:",pk,autoincrement"`
	Name  string
	Books []*Book `bun:"rel:has-many,join:id=author_id"`
}

// Book belongs to an author.
type Book struct {
	ID       int64 `bun:",pk,autoincrement"`
	AuthorID int64
	Title    string
	Author   *Author `bun:"rel:belongs-to,join:author_id=id"`
}

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
func add(ctx context.Context, db *bun.DB, name string, titles ...string) error {
	return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		author := &Author{Name: name}
		if _, err := tx.NewInsert().Model(author).Exec(ctx); err != nil {
			return err
		}
		var books []*Book
		for _, title := range titles {
			books = append(books, &Book{AuthorID: author.ID, Title: title})
		}
		_, err := tx.NewInsert().Model(&books).Exec(ctx)
		return err
	})
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

	db := bun.NewDB(tenancy.SQL(), pgdialect.New())
	err = errors.Join(
		add(acme, db, "Le Guin", "Rocannon's World", "Planet of Exile"),
		add(globex, db, "Lem", "Solaris"),
	)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		ctx := tenant.NewContext(ctx, t)
		var authors []*Author
		if err := db.NewSelect().Model(&authors).Relation("Books").Scan(ctx); err != nil { // two statements
			return err
		}
		for _, author := range authors {
			for _, book := range author.Books {
				fmt.Printf("%v: %s wrote %s\n", t, author.Name, book.Title)
			}
		}
		var book Book
		if err := db.NewSelect().Model(&book).Relation("Author").Where("book.id = ?", 1).Scan(ctx); err != nil { // one, a join
			return err
		}
		fmt.Printf("%v: book %d is by %s\n", t, book.ID, book.Author.Name)
	}
	_, err = db.NewSelect().Model((*Author)(nil)).Count(ctx)
	fmt.Println("nobody:", err)
	return nil
}
