package manage

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
)

func (p *program) missingSchemasCommand(use string) *cobra.Command {
	var f tenantFlags
	cmd := &cobra.Command{
		Use:   use,
		Short: "Create the schemas that tenants lack",
		Long: `Create-missing makes the schema of every tenant that has none, with the tables of all tenant
apps: those whose rows were made by hand, or whose schemas were dropped. Schemas that are
there are left as they are.`,
		Example: fmt.Sprintf("  %s tenant create-missing", p.config.name()),
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenancy(cmd, &f, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
				var failed []error
				created, failures := 0, 0
				for t, err := range tenancy.Registry().WithoutSchema(ctx) {
					if err == nil {
						err = tenancy.Registry().CreateSchema(ctx, t)
					}
					if err != nil {
						if failures++; len(failed) < most {
							failed = append(failed, err)
						}
						continue
					}
					created++
					if err := f.told(cmd, tenancy, t, "has its schema"); err != nil {
						return err
					}
				}
				f.say(cmd, "%s: %d created, %d failed", cmd.Name(), created, failures)
				return errors.Join(failed...)
			})
		},
	}
	addGroups(cmd, "", f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	return cmd
}
