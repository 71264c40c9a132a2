package manage

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	names := p.schemaNames(f)
	for _, flag := range []string{"schema", "exclude", "like", "rename-from"} {
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

// schemaNames completes the names of schemas.
func (p *program) schemaNames(f *databaseFlags) completion {
	return p.fromDatabase(f, func(ctx context.Context, tenancy *cotenant.Tenancy, prefix string) (names []string) {
		for t, err := range tenancy.Registry().All(ctx) {
			if len(names) == maxCompletions || ctx.Err() != nil {
				break
			}
			if err == nil && strings.HasPrefix(t.Schema.String(), prefix) {
				names = append(names, t.Schema.String())
			}
		}
		return names
	})
}

// completeDomains completes the domains of tenants, for the argument and its flag.
func (p *program) completeDomains(cmd *cobra.Command, f *databaseFlags) {
	cmd.ValidArgsFunction = p.fromDatabase(f, func(ctx context.Context, tenancy *cotenant.Tenancy, prefix string) (names []string) {
		for t, err := range tenancy.Registry().All(ctx) {
			if len(names) >= maxCompletions || ctx.Err() != nil {
				break
			}
			if err != nil {
				continue
			}
			domains, _ := tenancy.Registry().Domains(ctx, t)
			for _, d := range domains {
				if strings.HasPrefix(d.String(), prefix) {
					names = append(names, d.String())
				}
			}
		}
		return names
	})
	_ = cmd.RegisterFlagCompletionFunc("domain-domain", cmd.ValidArgsFunction) // it fails where there is no such flag
}

// fromDatabase completes with what the database says, in a few seconds or not at all.
func (p *program) fromDatabase(f *databaseFlags, ask func(ctx context.Context, tenancy *cotenant.Tenancy, prefix string) []string) completion {
	return func(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), completionTimeout)
		defer cancel()
		config, err := p.tenancyConfig(cmd, f)
		if err != nil {
			return nil, none
		}
		tenancy, err := cotenant.Open(ctx, config)
		if err != nil {
			return nil, none
		}
		defer tenancy.Close()
		return ask(ctx, tenancy, prefix), none
	}
}

// completeColumns completes for a command that has a flag for each column: the flags, their
// values, and as many arguments as there are that name schemas.
func (p *program) completeColumns(cmd *cobra.Command, f *databaseFlags, arguments int) {
	p.completeUnparsed(cmd, f, func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= arguments {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return p.schemaNames(f)(cmd, args, prefix)
	}, func(cmd *cobra.Command) {
		p.fromDatabase(f, func(ctx context.Context, tenancy *cotenant.Tenancy, _ string) []string {
			columns, _ := tenancy.Registry().Columns(ctx)
			added := new(columnFlags).add(cmd, columns)
			cmd.Flags().AddFlagSet(added.flags)
			return nil
		})(cmd, nil, "")
	})
}

// completeUnparsed completes for a command that takes its flags from its arguments itself,
// so that the shell knows nothing of them. Words completes what is no flag; more adds flags.
func (p *program) completeUnparsed(cmd *cobra.Command, f *databaseFlags, words completion, more func(*cobra.Command)) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		if slices.Contains(args, "--") { // the rest is a program's
			return nil, cobra.ShellCompDirectiveDefault
		}
		_, _ = parseKnown(cmd, args)
		known := flagNames(cmd, prefix) // cobra gives the shell these
		if more != nil {
			more(cmd)
		}
		rest := make([]string, 0, len(args))
		name, front := "", ""
		for i := 0; i < len(args); i++ {
			flag, valued := flagOf(cmd.Flags(), args[i])
			switch {
			case flag == nil:
				rest = append(rest, args[i])
			case valued || flag.NoOptDefVal != "":
			case i+1 < len(args):
				i++
			default:
				name = flag.Name
			}
		}
		if name == "" && strings.HasPrefix(prefix, "--") {
			flag, valued := flagOf(cmd.Flags(), prefix)
			if !valued {
				added := slices.DeleteFunc(flagNames(cmd, prefix), func(name string) bool { return slices.Contains(known, name) })
				return added, cobra.ShellCompDirectiveNoFileComp
			}
			if flag == nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			name, front = flag.Name, prefix[:strings.Index(prefix, "=")+1]
		}
		if name == "" {
			return words(cmd, rest, prefix)
		}
		values, directive := p.flagValues(cmd, f, name, strings.TrimPrefix(prefix, front))
		for i := range values {
			values[i] = front + values[i]
		}
		return values, directive
	}
}

// flagNames are the flags of cmd with a prefix.
func flagNames(cmd *cobra.Command, prefix string) (names []string) {
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if name := "--" + flag.Name; !flag.Hidden && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	})
	return names
}

// flagValues completes the value of a flag.
func (p *program) flagValues(cmd *cobra.Command, f *databaseFlags, name, prefix string) ([]string, cobra.ShellCompDirective) {
	if name == "schema" || name == "exclude" {
		return p.schemaNames(f)(cmd, nil, prefix)
	}
	column, ok := cmd.Flags().Lookup(name).Value.(*columnValue)
	if !ok {
		return nil, cobra.ShellCompDirectiveDefault
	}
	labels := slices.DeleteFunc(slices.Clone(column.column.Labels), func(label string) bool { return !strings.HasPrefix(label, prefix) })
	return labels, cobra.ShellCompDirectiveNoFileComp
}

// completeCommands completes the commands that run and tenant_command can wrap.
func (p *program) completeCommands(cmd *cobra.Command, f *databaseFlags) {
	p.completeUnparsed(cmd, f, func(cmd *cobra.Command, args []string, prefix string) (names []string, _ cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		for _, c := range cmd.Root().Commands() {
			if !c.Hidden && p.wraps(c) && strings.HasPrefix(c.Name(), prefix) {
				names = append(names, c.Name())
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}, nil)
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
		var migrated bool
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
				migrated = true
				add(file.Name)
			}
		}
		if migrated { // else there is no way back
			add("zero")
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFixtures completes the name of a fixture of the apps, or of a file.
func (p *program) completeFixtures(f *loadFlags) completion {
	return func(cmd *cobra.Command, _ []string, prefix string) (names []string, _ cobra.ShellCompDirective) {
		config, err := p.tenancyConfig(cmd, &f.databaseFlags)
		if err != nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		known, _ := appFixtures(config, f.apps)
		for _, a := range known {
			if strings.HasPrefix(a.name, prefix) {
				names = append(names, a.name)
			}
		}
		return names, cobra.ShellCompDirectiveDefault
	}
}
