package gorm_test

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

//go:embed apps
var apps embed.FS

// Author has many books.
type Author struct {
	ID    int64
	Name  string
	Books []Book
}

// Book belongs to an author.
type Book struct {
	ID       int64
	AuthorID int64
	Title    string
}

// Tag has no table in schema.sql.
type Tag struct {
	ID   int64
	Name string `gorm:"uniqueIndex"`
}

// Example keeps the libraries of two tenants.
func Example() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// tenant "acme" has [{ID:1 Name:Le Guin Books:[{ID:1 AuthorID:1 Title:Rocannon's World} {ID:2 AuthorID:1 Title:Planet of Exile}]}]
	// tenant "globex" has [{ID:1 Name:Lem Books:[{ID:1 AuthorID:1 Title:Solaris}]}]
	// nobody: no tenant in the context (use tenant.NewContext, or tenant.Public for the shared tables)
	// moved: record not found, and tenant "globex" still has 1 book of author 1
	// AutoMigrate for nobody: no tenant in the context (use tenant.NewContext, or tenant.Public for the shared tables)
	// AutoMigrate for tenant "acme": <nil>
	// tenant "acme" has the table of tags: true
	// tenant "globex" has the table of tags: false
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
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: tenancy.SQL()}), &gorm.Config{Logger: logger.Discard})
	if err != nil {
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
	err = errors.Join( // the books of an author are created with it
		db.WithContext(acme).Create(&Author{Name: "Le Guin", Books: []Book{{Title: "Rocannon's World"}, {Title: "Planet of Exile"}}}).Error,
		db.WithContext(globex).Create(&Author{Name: "Lem", Books: []Book{{Title: "Solaris"}}}).Error,
	)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		var authors []Author
		if err := db.WithContext(tenant.NewContext(ctx, t)).Preload("Books").Find(&authors).Error; err != nil {
			return err
		}
		fmt.Printf("%v has %+v\n", t, authors)
	}
	fmt.Println("nobody:", db.Find(&[]Author{}).Error)

	moved := move(db.WithContext(globex), 1, 9)
	books, err := gorm.G[Book](db).Where("author_id = ?", 1).Count(globex, "*") // the generic API takes the context at the end
	fmt.Printf("moved: %v, and %v still has %d book of author 1\n", moved, tenants[1], books)

	// What is that good for? See the package's comment.
	fmt.Println("AutoMigrate for nobody:", db.AutoMigrate(&Tag{}))
	fmt.Printf("AutoMigrate for %v: %v\n", tenants[0], db.WithContext(acme).AutoMigrate(&Tag{}))
	for _, t := range tenants {
		migrator := db.WithContext(tenant.NewContext(ctx, t)).Migrator()
		fmt.Printf("%v has the table of tags: %t\n", t, migrator.HasTable(&Tag{}))
	}
	return err
}

// move gives all books of an author to another, or none.
func move(db *gorm.DB, from, to int64) error {
	return db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Model(&Book{}).Where("author_id = ?", from).Update("title", gorm.Expr("title || ' (moved)'")).Error; err != nil {
			return err
		}
		if err := tx.First(&Author{}, to).Error; err != nil {
			return err // nothing is changed
		}
		return tx.Model(&Book{}).Where("author_id = ?", from).Update("author_id", to).Error
	})
}
