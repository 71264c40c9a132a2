// Command cotenant operates schema-per-tenant PostgreSQL: the schemas of a project whose
// apps are folders of SQL files beside a cotenant.toml. Programs with migrations in Go
// embed the same commands; see package manage.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/cmd/cotenant/internal/demo"
	"github.com/cotenant/cotenant/manage"
)

func main() { os.Exit(manage.Main(config())) }

func config() manage.Config {
	return manage.Config{
		Commands: []*cobra.Command{demo.Command()},
		Project:  true,
	}
}
