package manage

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/registry"
)

func (p *program) deleteCommand(use string) *cobra.Command {
	f := tenantFlags{databaseFlags: databaseFlags{noApps: true}}
	var keep, yes bool
	schema := &operand{what: "the schema of one tenant", flag: "schema"}
	about := operands{schema}
	cmd := &cobra.Command{
		Use:   use,
		Short: "Delete a tenant with all that it has",
		Long: `Delete deletes a tenant: its row, its domains, and its schema with every table. Nothing
brings that back but a backup.

A migration that is running in the schema is waited for, a minute at most; then nothing is
deleted. From the first transaction on there is no such tenant. Its tables are dropped after
that, as many at a time as the server has locks for; what a deletion that was cut short has
left is dropped by the next one.`,
		Example: fmt.Sprintf("  %[1]s tenant delete acme                 asks first\n  %[1]s tenant delete acme --yes           for scripts\n  %[1]s tenant delete acme --keep-schema   its tables stay, and belong to nobody", p.config.name()),
		Args:    about.take,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenancy(cmd, &f, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
				t, err := tenantOf(ctx, tenancy, schema.value)
				if err != nil {
					return err
				}
				what := fmt.Sprintf("%v and its schema with every table will be deleted", t)
				if keep || t.IsPublic() {
					what = fmt.Sprintf("%v will be deleted; its schema stays, and belongs to nobody", t)
				}
				if err := confirm(cmd, yes, what, t.Schema.String()); err != nil {
					return err
				}
				if err := tenancy.Registry().Delete(ctx, t, &registry.DeleteParams{DropSchema: !keep, KeepSchema: keep}); err != nil {
					return err
				}
				if _, err := tenancy.Registry().DropDeleted(ctx); err != nil {
					return fmt.Errorf("%v is deleted; of others that were deleted before: %w", t, err)
				}
				if f.json {
					return writeJSON(cmd.OutOrStdout(), newTenantLine(t, nil))
				}
				f.say(cmd, "%v deleted", t)
				return nil
			})
		},
	}
	what := newGroup("What is done")
	what.flags.BoolVar(&keep, "keep-schema", false, "leave the schema with its tables where it is")
	what.flags.BoolVarP(&yes, "yes", "y", false, "do not ask")
	what.flags.BoolVar(&yes, "noinput", false, "the same")
	about.add(what)
	addGroups(cmd, "", what, f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	p.completeSchemas(cmd, &f.databaseFlags, 1)
	return cmd
}

func (p *program) renameCommand(use string) *cobra.Command {
	f := tenantFlags{databaseFlags: databaseFlags{noApps: true}}
	from, to := &operand{what: "the schema of a tenant", flag: "rename-from"}, &operand{what: "its new name", flag: "rename-to"}
	about := operands{from, to}
	cmd := &cobra.Command{
		Use:   use,
		Short: "Give a tenant's schema another name",
		Long: `Rename renames the schema of a tenant, in one transaction with its row. The tenant keeps its
id, its domains and its tables; running programs follow at once. A migration that is
running in the schema is waited for, a minute at most; then nothing is renamed.`,
		Example: fmt.Sprintf("  %s tenant rename acme acme_corp", p.config.name()),
		Args:    about.take,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenancy(cmd, &f, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
				schema, err := parseSchema(to.value)
				if err != nil {
					return err
				}
				t, err := tenantOf(ctx, tenancy, from.value)
				if err != nil {
					return err
				}
				if t.Schema == schema {
					return f.told(cmd, tenancy, t, "has that name already")
				}
				renamed, err := tenancy.Registry().Rename(ctx, t, schema)
				if err != nil {
					return err
				}
				return f.told(cmd, tenancy, renamed, fmt.Sprintf("had schema %q before", t.Schema))
			})
		},
	}
	what := newGroup("What is done")
	about.add(what)
	addGroups(cmd, "", what, f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	p.completeSchemas(cmd, &f.databaseFlags, 1)
	return cmd
}
