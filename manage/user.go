package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/auth"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

func (p *program) userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "user",
		GroupID: tenantsGroup,
		Short:   "Create superusers, list users, set passwords",
		Long: `The commands about users, who are in the tables of the app auth. Those who come from
django-tenant-schemas, django-tenants or Django find them under the names that they know:
create_tenant_superuser, createsuperuser, changepassword.`,
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.superuserCommand("create-superuser"), p.listUsersCommand("list"), p.passwordCommand("password [USERNAME]"))
	return cmd
}

// seedUserCommands are the commands about users under the names that Django and its
// libraries give them.
func (p *program) seedUserCommands() []*cobra.Command {
	superuser := p.superuserCommand("create_tenant_superuser")
	superuser.Aliases = []string{"create-tenant-superuser"}
	commands := []*cobra.Command{superuser, p.superuserCommand("createsuperuser"), p.passwordCommand("changepassword [USERNAME]")}
	for _, cmd := range commands {
		cmd.Hidden = true // they are in the help under their own names
	}
	return commands
}

// userFlags are those of the commands about the users of a tenant.
type userFlags struct{ fanFlags }

func newUserFlags() userFlags { return userFlags{fanFlags{jobs: 1}} }

// withUsers calls do with the users of the tenant that is chosen, who is in its context.
func (p *program) withUsers(cmd *cobra.Command, f *userFlags, do func(ctx context.Context, users *auth.Auth) error) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	config, err := p.tenancyConfig(cmd, &f.databaseFlags)
	if err != nil {
		return err
	}
	shared, own := hasAuth(config.SharedApps), hasAuth(config.TenantApps)
	switch {
	case !shared && !own:
		return p.noAuth()
	case !own && len(f.selection.Schemas) == 0: // there is one place for users
		f.selection.Schemas = []string{tenant.PublicSchema().String()}
	}
	return p.withTenancy(cmd, &f.tenantFlags, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
		t, err := f.chosen(ctx, cmd, tenancy)
		if err != nil {
			return err
		}
		if err := p.checkPlace(config, t.Schema); err != nil {
			return err
		}
		users, err := p.users(cmd, &f.databaseFlags, tenancy)
		if err != nil {
			return err
		}
		return p.notMigrated(t.Schema, do(contextOf(ctx, t), users))
	})
}

// users returns the users of a tenancy, with the rules that the program or the project has.
func (p *program) users(cmd *cobra.Command, f *databaseFlags, tenancy *cotenant.Tenancy) (*auth.Auth, error) {
	var config auth.Config
	if p.config.Auth != nil {
		config = *p.config.Auth
	}
	s, err := p.settings(cmd, f)
	if err != nil {
		return nil, err
	}
	if config.MinPasswordLength == 0 {
		config.MinPasswordLength = s.MinPasswordLength
	}
	return auth.New(tenancy.DB(), &config)
}

// A project asks for 8 characters at least, as NIST SP 800-63B-4 does of passwords beside a
// second factor and Django by default, and for no more than people type.
const (
	leastPassword = 8
	mostPassword  = 64
)

func hasAuth(apps []migrate.App) bool {
	return slices.ContainsFunc(apps, func(app migrate.App) bool { return app.Name == auth.AppName })
}

// noAuth says that there are no users, and how there would be.
func (p *program) noAuth() error {
	if p.config.Project {
		return fmt.Errorf("the project does not have the app auth, so there are no users (add \"auth\" to tenant_apps in %s, and run %s migrate)", fileName, p.config.name())
	}
	return errors.New("the program does not have the app auth, so there are no users (add auth.App() to TenantApps, and migrate)")
}

// checkPlace refuses a schema in which the tables of users are not, or are not looked at.
func (p *program) checkPlace(config *cotenant.Config, schema tenant.Schema) error {
	shared, own := hasAuth(config.SharedApps), hasAuth(config.TenantApps)
	switch {
	case !shared && !own:
		return p.noAuth()
	case schema.IsPublic() && !shared:
		return errors.New(`the app auth is among the tenant apps only, so public has no users (give --schema=NAME of a tenant, or add "auth" to the shared apps)`)
	case schema.IsPublic():
		return nil
	case !own, p.config.Auth != nil && p.config.Auth.Where == auth.Shared:
		return fmt.Errorf(`schema %q has no users of its own: the app auth is shared, and all users are in public (give --schema=public, or add "auth" to the tenant apps)`, schema)
	}
	return nil
}

// notMigrated says of err, if it is about tables that are not there, that the app is to be
// migrated: it is on the list.
func (p *program) notMigrated(schema tenant.Schema, err error) error {
	if !errors.Is(err, auth.ErrNotInstalled) {
		return err
	}
	return fmt.Errorf("schema %q has no tables of the app auth yet (run %s migrate --schema=%s)", schema, p.config.name(), schema)
}
