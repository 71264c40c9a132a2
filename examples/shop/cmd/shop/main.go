// Command shop serves the shop from the database that DATABASE_URL names. Make its
// tenants with cotenant's registry, as "cotenant demo" does.
package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/cotenant/cotenant/examples/shop"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, logger); err != nil {
		logger.Error("shop", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, logger *slog.Logger) error {
	tenancy, err := shop.Open(ctx, os.Getenv("DATABASE_URL"), logger)
	if err != nil {
		return err
	}
	defer tenancy.Close()

	server := &http.Server{Addr: "localhost:8080", Handler: shop.Handler(tenancy, logger), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Shutdown(context.Background()) })
	logger.Info("serving", "address", server.Addr)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}
