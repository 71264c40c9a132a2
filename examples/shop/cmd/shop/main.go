// Command shop serves the shop from the database that DATABASE_URL names. Its
// tenants are made as cotenant demo makes them, with the registry.
package main

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/cotenant/cotenant/examples/shop"
)

func main() {
	tenancy, err := shop.Open(context.Background(), os.Getenv("DATABASE_URL"), slog.Default())
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{Addr: "localhost:8080", Handler: shop.Handler(tenancy, slog.Default()), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
