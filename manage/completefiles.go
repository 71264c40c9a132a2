package manage

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// completeWords completes the value of a flag from words that are known, the last one where
// the flag takes a list.
func completeWords(cmd *cobra.Command, flag string, words []string) {
	list := strings.HasSuffix(cmd.Flags().Lookup(flag).Value.Type(), "Slice")
	_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, prefix string) (found []string, _ cobra.ShellCompDirective) {
		front := ""
		if list {
			front = prefix[:strings.LastIndex(prefix, ",")+1]
		}
		for _, word := range words {
			if strings.HasPrefix(front+word, prefix) {
				found = append(found, front+word)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}) // it fails where there is one already
}

// completeFiles completes APP, and APP/FILE when the slash is there. It asks no database.
func (p *program) completeFiles(f *databaseFlags) completion {
	return func(cmd *cobra.Command, args []string, prefix string) (names []string, _ cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		config, err := p.appsConfig(cmd, f)
		if err != nil {
			return nil, none
		}
		known := appNames(config)
		if strings.Contains(prefix, "/") {
			known = nil
			files, _ := migrate.ReadFiles(&migrate.Config{SharedApps: config.SharedApps, TenantApps: config.TenantApps})
			for _, file := range files {
				known = append(known, file.App+"/"+file.Name)
			}
		}
		for _, name := range known {
			if strings.HasPrefix(name, prefix) && !slices.Contains(args, name) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return names, none
	}
}

// appsConfig has the apps alone.
func (p *program) appsConfig(cmd *cobra.Command, f *databaseFlags) (*cotenant.Config, error) {
	s, err := p.settings(cmd, f)
	if err != nil {
		return nil, err
	}
	config := p.config.Tenancy
	return &config, p.fillApps(s)(&config)
}

// completeTables completes the names of apps, and of the tables of the schema that --schema
// names, or of the first tenant's.
func (p *program) completeTables(cmd *cobra.Command, f *dumpFlags) {
	tables := p.fromDatabase(&f.databaseFlags, func(ctx context.Context, tenancy *cotenant.Tenancy, prefix string) []string {
		schema := ""
		if len(f.selection.Schemas) > 0 {
			schema = f.selection.Schemas[0]
		}
		for t, err := range tenancy.Registry().All(ctx) {
			if schema != "" {
				break
			}
			if err == nil && !t.IsPublic() {
				schema = t.Schema.String()
			}
		}
		rows, err := tenancy.DB().Query(tenant.Public(ctx), `SELECT c.relname::text FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
			WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND pg_catalog.starts_with(c.relname::text, $2)
				AND c.relname !~ '^cotenant' ORDER BY 1 LIMIT $3`, schema, prefix, maxCompletions)
		if err != nil {
			return nil
		}
		names, _ := pgx.CollectRows(rows, pgx.RowTo[string])
		return names
	})
	for _, flag := range []string{"table", "exclude-table"} {
		_ = cmd.RegisterFlagCompletionFunc(flag, tables) // it fails where there is one already
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		names, directive := tables(cmd, args, prefix)
		if config, err := p.appsConfig(cmd, &f.databaseFlags); err == nil {
			for _, app := range appNames(config) {
				if strings.HasPrefix(app, prefix) && !slices.Contains(names, app) {
					names = append(names, app)
				}
			}
		}
		return names, directive
	}
}
