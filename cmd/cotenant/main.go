// Command cotenant operates schema-per-tenant PostgreSQL. For now it has one
// command, demo; the management commands come with later releases.
package main

import (
	"os"

	"github.com/cotenant/cotenant/cmd/cotenant/internal/demo"
)

func main() {
	os.Exit(demo.Main(os.Args[1:], os.Stdout, os.Stderr))
}
