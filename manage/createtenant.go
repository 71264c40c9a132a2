package manage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/auth"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// createFlags are the flags of tenant create.
type createFlags struct {
	tenantFlags
	columnFlags
	domains []string
	noinput bool
	reuse   bool
	schema  string

	place           func(tenant.Schema) error // refuses one where the superuser cannot be
	superuser       bool
	superuserFlags  superuserFlags
	superuserParams auth.CreateParams
	users           *auth.Auth
}

func (p *program) createCommand(use string) *cobra.Command {
	var f createFlags
	what := newGroup("The tenant")
	what.flags.StringVar(&f.schema, "schema-name", "", "`NAME` of its schema; public makes the tenant of the shared apps")
	what.flags.StringArrayVar(&f.domains, "domain-url", nil, "a `HOST` that leads to it, without port and www (repeatable; the first is the primary one)")
	f.addSet(what)
	what.flags.BoolVar(&f.reuse, "reuse-name", false, "take the name of a schema also if another tenant had it until lately")
	what.flags.BoolVar(&f.noinput, "noinput", false, "ask nothing")
	whom := newGroup("Its superuser")
	whom.flags.BoolVarP(&f.superuser, "superuser", "s", false, "make a superuser with it, or neither of them; see user create-superuser")
	f.superuserFlags.add(whom, "superuser-", ", with -s")
	f.created = f.createSuperuser
	groups := []flagGroup{what, whom, f.outputFlags.group(), f.databaseFlags.group(p.config.Project)}
	cmd := &cobra.Command{
		Use:                use,
		Short:              "Create a tenant: its row, its schema and the tables of the tenant apps",
		DisableFlagParsing: true, // there is a flag for each column
	}
	cmd.Long = `Create makes a tenant whole or not at all: its row, its domains, its schema, and the tables
of all tenant apps.

There is a flag for each column that was added to cotenant.tenants, which PostgreSQL
checks. At a terminal what was not given is asked for; an empty answer is the default that
is shown, or NULL. Elsewhere, and with --noinput, what is required must be given.`
	name := p.config.name() + " " + strings.Fields(use)[0]
	if strings.HasPrefix(use, "create ") {
		name = p.config.name() + " tenant create"
	}
	cmd.Example = fmt.Sprintf(`  %[1]s --schema_name=new_tenant --domain_url=newtenant.net --name="New tenant"
  %[1]s acme -s --superuser-username=admin   asks for the password of its superuser
  %[1]s acme --domain_url=acme.example.com --domain_url=acme.org
  %[1]s                          asks for everything
  %[1]s --schema-name=public --domain-url=example.com --noinput`, name)
	addGroups(cmd, "", groups...)
	p.completeColumns(cmd, &f.databaseFlags, 0)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.withColumns(cmd, args, groups, &f.tenantFlags, &f.columnFlags, func(tenancy *cotenant.Tenancy, rest []string) error {
			return p.createTenant(cmd, &f, tenancy, rest)
		})
	}
	return cmd
}

// createTenant creates the tenant that the flags and the answers describe.
func (p *program) createTenant(cmd *cobra.Command, f *createFlags, tenancy *cotenant.Tenancy, args []string) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	switch {
	case len(args) > 1:
		return usagef("there are %d arguments (give it one schema, or none)", len(args))
	case len(args) == 1 && f.schema != "":
		return usagef("the schema is named twice, as %q and with --schema-name (leave one out)", args[0])
	case len(args) == 1:
		f.schema = args[0]
	}
	if err := p.findPlace(cmd, f); err != nil {
		return err
	}
	t, domains, err := p.makeTenant(cmd, f, tenancy)
	for err != nil && f.mayAsk(cmd) && f.forget(err) { // what cannot be is asked for anew, the rest is kept
		newPrompter(cmd).say("  %v", f.asUsage(err))
		t, domains, err = p.makeTenant(cmd, f, tenancy)
	}
	if err != nil {
		return f.asUsage(err)
	}
	if f.json {
		return writeJSON(cmd.OutOrStdout(), newTenantLine(t, domains))
	}
	f.say(cmd, "tenant %q created%s", t.Schema, hosts(domains))
	if f.superuser {
		f.say(cmd, "superuser %q created in %q", f.superuserParams.Username, t.Schema)
	}
	return nil
}

// makeTenant asks for what is missing, and creates the tenant. Who is asked about its
// superuser, once, knows that its names are free.
func (p *program) makeTenant(cmd *cobra.Command, f *createFlags, tenancy *cotenant.Tenancy) (*tenant.Tenant, []tenant.Domain, error) {
	ctx, r := cmd.Context(), tenancy.Registry()
	if err := p.completeTenant(ctx, cmd, f, r); err != nil {
		return nil, nil, err
	}
	params, err := f.params(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if f.users == nil {
		if f.superuser {
			if err := f.vacant(ctx, r, params.Schema); err != nil {
				return nil, nil, err
			}
			for _, domain := range params.Domains {
				if err := freeDomain(ctx, r, domain); err != nil {
					return nil, nil, err
				}
			}
		}
		if err := p.describeSuperuser(cmd, f, tenancy, params.Schema); err != nil {
			return nil, nil, err
		}
	}
	t, err := r.Create(ctx, *params)
	return t, params.Domains, err
}

// mayAsk reports whether there is somebody to ask.
func (f *createFlags) mayAsk(cmd *cobra.Command) bool {
	return !f.noinput && !f.json && newPrompter(cmd) != nil
}

// forget forgets the answer that an error is about, so that it is asked for again. It
// reports whether there is one.
func (f *createFlags) forget(err error) bool {
	switch {
	case errors.Is(err, tenant.ErrSchemaTaken):
		f.schema = ""
	case errors.Is(err, tenant.ErrDomainTaken):
		f.domains = nil
	default:
		columns := f.refused(err)
		for _, column := range columns {
			f.values[column].given = nil
		}
		return len(columns) > 0
	}
	return true
}

// describeSuperuser learns who the superuser of the new tenant is to be, if there is to be
// one. All that can be wrong with it is told before anything is made.
func (p *program) describeSuperuser(cmd *cobra.Command, f *createFlags, tenancy *cotenant.Tenancy, schema tenant.Schema) error {
	s := &f.superuserFlags
	if !f.superuser {
		for _, flag := range []string{"superuser-username", "superuser-email", "superuser-password-stdin"} {
			if cmd.Flags().Changed(flag) {
				return usagef("--%s is given, and no superuser is to be made (add -s)", flag)
			}
		}
		return nil
	}
	var err error
	if f.users, err = p.users(cmd, &f.databaseFlags, tenancy); err != nil {
		return err
	}
	s.noinput = f.noinput || f.json
	free := func(context.Context, string) error { return nil } // nobody is there yet
	if schema.IsPublic() {
		free = nameFree(f.users)
	}
	f.superuserParams, err = s.params(tenant.Public(cmd.Context()), cmd, f.users, free)
	return p.notMigrated(schema, err)
}

// createSuperuser makes the superuser in the transaction that makes the tenant.
func (f *createFlags) createSuperuser(ctx context.Context, tx pgx.Tx, _ *tenant.Tenant) error {
	if !f.superuser {
		return nil
	}
	_, err := f.users.With(tx).Create(ctx, f.superuserParams)
	return err
}

// completeTenant asks for what was not given, or says what is missing.
func (p *program) completeTenant(ctx context.Context, cmd *cobra.Command, f *createFlags, r *registry.Registry) error {
	ask := newPrompter(cmd)
	if !f.mayAsk(cmd) {
		missing := f.missing()
		if f.schema == "" {
			missing = append([]string{"--schema-name"}, missing...)
		}
		if len(missing) > 0 {
			return usagef("%s not given (a new tenant needs it)", strings.Join(missing, " and "))
		}
		return nil
	}
	if f.schema == "" {
		answer, err := ask.until("schema_name: ", func(answer string) error {
			schema, err := tenant.ParseSchema(answer)
			if err != nil {
				return err
			}
			return p.notMigrated(schema, f.vacant(ctx, r, schema))
		})
		if err != nil {
			return err
		}
		f.schema = answer
	}
	if len(f.domains) == 0 {
		answer, err := ask.until("domain_url (empty for none): ", func(answer string) error {
			if answer == "" {
				return nil
			}
			domain, err := tenant.ParseDomain(answer)
			if err != nil {
				return err
			}
			return freeDomain(ctx, r, domain)
		})
		if err != nil {
			return err
		}
		if answer != "" {
			f.domains = []string{answer}
		}
	}
	return f.ask(ctx, ask, r)
}

// findPlace learns where the superuser of a new tenant can be, if there is to be one, and
// refuses when that is nowhere.
func (p *program) findPlace(cmd *cobra.Command, f *createFlags) error {
	f.place = func(tenant.Schema) error { return nil }
	if !f.superuser {
		return nil
	}
	config, err := p.tenancyConfig(cmd, &f.databaseFlags)
	if err != nil {
		return err
	}
	if !hasAuth(config.SharedApps) && !hasAuth(config.TenantApps) {
		return p.noAuth()
	}
	f.place = func(schema tenant.Schema) error { return p.checkPlace(config, schema) }
	return nil
}

// vacant reports why a schema cannot be that of the new tenant, with its superuser. Public may
// have one of that name already.
func (f *createFlags) vacant(ctx context.Context, r *registry.Registry, schema tenant.Schema) error {
	if err := free(ctx, r, schema); err != nil {
		return err
	}
	if err := f.place(schema); err != nil {
		return err
	}
	if f.users == nil || !schema.IsPublic() { // who it is, is asked later
		return nil
	}
	return nameFree(f.users)(tenant.Public(ctx), f.superuserParams.Username)
}

// free reports why a schema cannot be that of a new tenant.
func free(ctx context.Context, r *registry.Registry, schema tenant.Schema) error {
	switch t, err := r.BySchema(ctx, schema); {
	case err == nil:
		return fmt.Errorf("%w by %v (choose another)", tenant.ErrSchemaTaken, t)
	case !errors.Is(err, tenant.ErrTenantNotFound):
		return err
	}
	return nil
}

// freeDomain reports why a domain cannot be that of a new tenant.
func freeDomain(ctx context.Context, r *registry.Registry, domain tenant.Domain) error {
	switch t, err := r.ByDomain(ctx, domain); {
	case err == nil:
		return fmt.Errorf("%w by %v (choose another)", tenant.ErrDomainTaken, t)
	case !errors.Is(err, tenant.ErrTenantNotFound):
		return err
	}
	return nil
}

// params are what the flags say.
func (f *createFlags) params(ctx context.Context, r *registry.Registry) (params *registry.CreateParams, err error) {
	params = &registry.CreateParams{ReuseName: f.reuse}
	if params.Schema, err = tenant.ParseSchema(f.schema); err != nil {
		return nil, usagef("--schema-name: %v", err)
	}
	for _, text := range f.domains {
		domain, err := tenant.ParseDomain(text)
		if err != nil {
			return nil, usagef("--domain-url: %v", err)
		}
		params.Domains = append(params.Domains, domain)
	}
	params.Fields, err = f.fields(ctx, r)
	return params, err
}

// hosts names the domains of a tenant, in an outcome.
func hosts(domains []tenant.Domain) string {
	if len(domains) == 0 {
		return ""
	}
	texts := make([]string, len(domains))
	for i, d := range domains {
		texts[i] = d.String()
	}
	return ": " + strings.Join(texts, ", ")
}
