package manage_test

import (
	"context"
	"fmt"
	"os"
	"testing/fstest"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/manage"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// A program of one's own has the commands of cotenant for its apps, and commands beside
// them. Its main is
//
//	func main() { os.Exit(manage.Main(shopctl(os.Getenv("DATABASE_URL")))) }
func ExampleMain() {
	apps := fstest.MapFS{ // in a program: an embed.FS
		"customers/migrations/0001_initial.sql": {Data: []byte("CREATE TABLE plans (name text PRIMARY KEY, price int NOT NULL)")},
		"shop/migrations/0001_initial.sql":      {Data: []byte("CREATE TABLE orders (id int PRIMARY KEY)")},
	}
	url, done := testdb.Example()
	defer done()
	tenancy := cotenant.Config{DatabaseURL: url, SharedApps: migrate.Dirs(apps, "customers"), TenantApps: migrate.Dirs(apps, "shop")}
	addPlan := &cobra.Command{
		Use:   "add-plan NAME PRICE",
		Short: "Add a plan that customers can choose",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := cotenant.Open(cmd.Context(), &tenancy)
			if err != nil {
				return err
			}
			defer t.Close()
			_, err = t.DB().Exec(tenant.Public(cmd.Context()), "INSERT INTO plans VALUES ($1, $2)", args[0], args[1])
			if err == nil {
				cmd.Println("added", args[0])
			}
			return err
		},
	}
	run := func(args ...string) { // manage.Main, with other arguments than the process's
		root := manage.New(manage.Config{Args: args, Commands: []*cobra.Command{addPlan}, Name: "shopctl", Stderr: os.Stdout, Stdout: os.Stdout, Tenancy: tenancy})
		if err := root.ExecuteContext(context.Background()); err != nil {
			fmt.Println("shopctl:", err, "- status", manage.ExitStatus(err))
		}
	}
	run("migrate", "--quiet")
	run("migrate", "--list", "--shared", "customers")
	run("add-plan", "free", "0")
	run("add-plan", "free")
	// Output:
	// public
	//   customers
	//     [X] 0001_initial
	// added free
	// shopctl: accepts 2 arg(s), received 1 - status 2
}
