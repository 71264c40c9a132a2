package manage

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
)

const (
	// completionTimeout is how long a shell waits for names from the database.
	completionTimeout = 3 * time.Second
	// maxCompletions is how many names a shell is given.
	maxCompletions = 200
)

// completion is what a shell asks for when TAB is pressed.
type completion = func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective)

// completeSchemas completes the names of schemas, for a flag and for as many arguments as
// there are that name schemas. It is silent where the database does not answer.
func (p *program) completeSchemas(cmd *cobra.Command, f *databaseFlags, arguments int) {
	names := func(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), completionTimeout)
		defer cancel()
		return p.schemasWith(ctx, cmd, f, prefix), cobra.ShellCompDirectiveNoFileComp
	}
	for _, flag := range []string{"schema", "exclude"} {
		if cmd.Flags().Lookup(flag) != nil {
			_ = cmd.RegisterFlagCompletionFunc(flag, names) // it fails where there is one already
		}
	}
	if arguments > 0 {
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			if len(args) >= arguments {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return names(cmd, args, prefix)
		}
	}
}

// schemasWith returns schemas of tenants with a prefix.
func (p *program) schemasWith(ctx context.Context, cmd *cobra.Command, f *databaseFlags, prefix string) (names []string) {
	config, err := p.tenancyConfig(cmd, f)
	if err != nil {
		return nil
	}
	tenancy, err := cotenant.Open(ctx, config)
	if err != nil {
		return nil
	}
	defer tenancy.Close()
	for t, err := range tenancy.Registry().All(ctx) {
		if len(names) == maxCompletions || ctx.Err() != nil {
			break
		}
		if err == nil && strings.HasPrefix(t.Schema.String(), prefix) {
			names = append(names, t.Schema.String())
		}
	}
	return names
}

// completeMigrations completes the name of an app, and then that of one of its migrations.
func (p *program) completeMigrations(f *databaseFlags) completion {
	return func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		config, err := p.tenancyConfig(cmd, f)
		if err != nil || len(args) > 1 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		files, _ := migrate.ReadFiles(&migrate.Config{SharedApps: config.SharedApps, TenantApps: config.TenantApps})
		var names []string
		add := func(name string) {
			if strings.HasPrefix(name, prefix) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		for _, file := range files {
			switch {
			case len(args) == 0:
				add(file.App)
			case file.App == args[0] && file.Kind == migrate.KindUp:
				add(file.Name)
			}
		}
		if len(args) == 1 {
			add("zero")
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
