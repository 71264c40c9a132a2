package sqlx_test

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"

	"github.com/jmoiron/sqlx"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

//go:embed apps
var apps embed.FS

// Author is a row of authors.
type Author struct {
	ID   int64
	Name string
}

// Book is a row of books with its author.
type Book struct {
	ID       int64
	AuthorID int64 `db:"author_id"`
	Title    string
	Author   Author
}

// Example keeps the libraries of two tenants.
func Example() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// tenant "acme" has 2 books
	// tenant "acme" has {ID:1 AuthorID:1 Title:Rocannon's World Author:{ID:1 Name:Le Guin}}
	// tenant "acme" has {ID:2 AuthorID:1 Title:Planet of Exile Author:{ID:1 Name:Le Guin}}
	// tenant "globex" has 1 books
	// tenant "globex" has {ID:1 AuthorID:1 Title:Solaris Author:{ID:1 Name:Lem}}
	// nobody: no tenant in the context (use tenant.NewContext, or tenant.Public for the shared tables)
}

// add adds an author with books, all or nothing.
func add(ctx context.Context, db *sqlx.DB, name string, titles ...string) error {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	var id int64
	if err := tx.GetContext(ctx, &id, "INSERT INTO authors (name) VALUES ($1) RETURNING id", name); err != nil {
		return err
	}
	var books []Book
	for _, title := range titles {
		books = append(books, Book{AuthorID: id, Title: title})
	}
	if _, err := tx.NamedExecContext(ctx, "INSERT INTO books (author_id, title) VALUES (:author_id, :title)", books); err != nil {
		return err
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

	db := sqlx.NewDb(tenancy.SQL(), "pgx")
	err = errors.Join(
		add(acme, db, "Le Guin", "Rocannon's World", "Planet of Exile"),
		add(globex, db, "Lem", "Solaris"),
	)
	if err != nil {
		return err
	}

	// A statement is nobody's: it runs in the schema of whoever calls it.
	count, err := db.PrepareNamedContext(acme, "SELECT count(*) FROM books WHERE author_id = :id")
	if err != nil {
		return err
	}
	defer count.Close()
	for _, t := range tenants {
		ctx := tenant.NewContext(ctx, t)
		var n int
		if err := count.GetContext(ctx, &n, Author{ID: 1}); err != nil {
			return err
		}
		fmt.Println(t, "has", n, "books")

		var books []Book
		err := db.SelectContext(ctx, &books, `SELECT books.*, authors.id AS "author.id", authors.name AS "author.name"
			FROM books JOIN authors ON authors.id = author_id ORDER BY books.id`)
		if err != nil {
			return err
		}
		for _, book := range books {
			fmt.Printf("%v has %+v\n", t, book)
		}
	}

	err = db.Select(&[]Author{}, "SELECT * FROM authors") // without a context, so without a tenant
	fmt.Println("nobody:", err)
	return nil
}
