// Command quickstart keeps notes for many customers, each at a host name of its own.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

//go:embed apps
var apps embed.FS

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	tenancy, err := cotenant.Open(ctx, &cotenant.Config{
		DatabaseURL: os.Getenv("DATABASE_URL"),
		TenantApps:  migrate.Dirs(apps, "apps/notes"),
	})
	if err != nil {
		return err
	}
	defer tenancy.Close()
	if err := tenancy.Migrate(ctx); err != nil {
		return err
	}
	for _, name := range []string{"acme", "globex"} {
		_, err := tenancy.Registry().Create(ctx, registry.CreateParams{
			Domains: []tenant.Domain{tenant.MustParseDomain(name + ".localhost")},
			Schema:  tenant.MustParseSchema(name),
		})
		if err != nil && !errors.Is(err, tenant.ErrSchemaTaken) { // taken: made by an earlier run
			return err
		}
	}

	notes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var count int // r.Context() carries the tenant, so these are its own notes
		err := tenancy.DB().QueryRow(r.Context(),
			"WITH added AS (INSERT INTO notes (text) VALUES ($1)) SELECT count(*) + 1 FROM notes", r.URL.Path).Scan(&count)
		if err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, count, "notes")
	})
	server := http.Server{Addr: "localhost:8080", Handler: tenancy.Middleware(nil)(notes), ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}
