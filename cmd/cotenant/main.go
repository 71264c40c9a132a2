// Command cotenant operates schema-per-tenant PostgreSQL. For now it has one
// command, demo; the management commands come with later releases.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/cotenant/cotenant/cmd/cotenant/internal/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := demo.Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
