package manage_test

import (
	"fmt"
	"testing/fstest"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/manage"
	"github.com/cotenant/cotenant/migrate"
)

// shopctl is a program that has its apps in itself, and a command of its own.
func shopctl() manage.Config {
	apps := fstest.MapFS{
		"prices/migrations/0001_initial.sql": {Data: []byte("CREATE TABLE prices (id int PRIMARY KEY)")},
		"shop/schema.sql":                    {Data: []byte("CREATE TABLE orders (id int PRIMARY KEY)")},
	}
	return manage.Config{
		Commands: []*cobra.Command{{
			Use:   "greet NAME",
			Short: "Greet somebody",
			Args:  cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				cmd.Println("hello", args[0])
				return nil
			},
		}, {
			Use:   "wait",
			Short: "Wait until it is interrupted",
			RunE: func(cmd *cobra.Command, _ []string) error {
				fmt.Fprintln(cmd.OutOrStdout(), "waiting")
				<-cmd.Context().Done()
				return cmd.Context().Err()
			},
		}},
		Name: "shopctl",
		Tenancy: cotenant.Config{
			SharedApps: migrate.Dirs(apps, "prices"),
			TenantApps: migrate.Dirs(apps, "shop"),
		},
	}
}
