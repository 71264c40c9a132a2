package manage_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/manage"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// shopctl is a program that has its apps in itself, and a command of its own.
func shopctl() manage.Config {
	apps := fstest.MapFS{
		"prices/migrations/0001_initial.sql": {Data: []byte("CREATE TABLE prices (id int PRIMARY KEY)")},
		"shop/schema.sql":                    {Data: []byte("CREATE TABLE orders (id int PRIMARY KEY)")},
	}
	return manage.Config{
		Commands: []*cobra.Command{{
			Use:         "greet NAME",
			Short:       "Greet somebody",
			Annotations: map[string]string{manage.WholeDatabase: ""},
			Args:        cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				cmd.Println("hello", args[0])
				return nil
			},
		}, {
			Use:   "whose",
			Short: "Say whose the context is",
			RunE: func(cmd *cobra.Command, _ []string) error {
				t, err := tenant.FromContext(cmd.Context())
				cmd.Println(t)
				return err
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
		TenantCommands: []manage.TenantCommand{{
			Args:  "[NUMBER…]",
			Flags: func(flags *pflag.FlagSet) { flags.Bool("twice", false, "write two lines") },
			Name:  "order",
			Run: func(ctx context.Context, call *manage.TenantCall) error {
				for _, number := range call.Args {
					if _, err := call.Tenancy.DB().Exec(ctx, "INSERT INTO orders VALUES ($1)", number); err != nil {
						return err
					}
				}
				var n int
				err := call.Tenancy.DB().QueryRow(ctx, "SELECT count(*) FROM orders").Scan(&n)
				if call.JSON {
					fmt.Fprintf(call.Stdout, "{\"schema\":%q,\"orders\":%d}\n", call.Tenant.Schema, n)
					return err
				}
				fmt.Fprintf(call.Stdout, "%s has %d\norders", call.Tenant.Schema, n)
				return err
			},
			Short: "Take orders",
		}, {
			Name:  "panic",
			Run:   func(context.Context, *manage.TenantCall) error { panic("now") },
			Short: "Panic",
		}},
		Tenancy: cotenant.Config{
			SharedApps: migrate.Dirs(apps, "prices"),
			TenantApps: migrate.Dirs(apps, "shop"),
		},
	}
}

// The commands can stand beside a program's own, under its root.
func TestAdd(t *testing.T) {
	t.Parallel()

	run := func(args ...string) (string, error) {
		var out strings.Builder
		root := &cobra.Command{Use: "app", SilenceErrors: true, SilenceUsage: true}
		root.AddCommand(&cobra.Command{Use: "own", RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintln(cmd.OutOrStdout(), "mine")
			return nil
		}})
		manage.Add(root, manage.Config{})
		root.SetOut(&out)
		root.SetErr(&out)
		root.SetArgs(args)
		err := root.ExecuteContext(t.Context())
		return out.String(), err
	}
	if out, err := run("--help"); err != nil || !strings.Contains(out, "Schemas:\n") || !strings.Contains(out, "own") {
		t.Errorf("%s, %v", out, err)
	}
	if out, err := run("own"); err != nil || out != "mine\n" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := run("migrate", "--skip_publik"); manage.ExitStatus(err) != 2 || !strings.Contains(err.Error(), "did you mean --skip-public?") {
		t.Errorf("%v", err)
	}
	if out, err := run("tenant", "create", "--help"); err != nil || !strings.Contains(out, "app tenant create") {
		t.Errorf("%s, %v", out, err)
	}
}
