package manage

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/adopt"
)

// adoptFlags are the flags of adopt.
type adoptFlags struct {
	databaseFlags
	outputFlags
	differing string
	domains   string // the table
	options   adopt.Options
	tenants   string // the table
}

func (p *program) adoptCommand() *cobra.Command {
	name := p.config.name()
	var f adoptFlags
	cmd := &cobra.Command{
		Use:     "adopt",
		GroupID: schemasGroup,
		Short:   "Take over the tenants of django-tenants, or of another system, in the database",
		Long: `Adopt registers the schemas of another system as tenants: each gets its row, its id and
its domains in cotenant's own tables, and the migrations whose outcome it has are recorded
as faked. The migrator role may read the shared tables then, and refer to them, as after
"` + name + ` migrate". Nothing else is changed: no table of a tenant, no owner, and not the
other system, which can go on meanwhile. What is registered already is left as it is, so
the command can be run again when the other system has made new tenants.

Where the tenants are is found in public: the table with the columns schema_name and
domain_url (django-tenant-schemas), or schema_name and a table of domains that refers to it
(django-tenants). Flags name other tables, and where there is none, the schemas. Further
columns of that table are copied if cotenant.tenants has columns of the same names, which a
migration of a shared app adds. Every tenant becomes active, whatever the other system says
of it ("` + name + ` tenant update SCHEMA --status=suspended" is for afterwards). Domains lose their port and www.: neither matters where a
host is looked up.

What a schema has of an app is compared with each state that the app's files build, in a
scratch schema that is rolled back. The newest state that is the same is recorded, and
"` + name + ` migrate" does the rest. A schema in no state is left alone, unless
--differing=record records the nearest; what is different stays then, and
"` + name + ` drift" shows it. A migration that leaves nothing to compare, because it only
changes rows, counts as done with the one before it, and is named; of one that only grants,
revokes or creates an extension it is looked whether that is so. Owners and other privileges
do not matter. What a schema has beyond the apps is left alone. If public is in no state of the shared apps, nothing is registered;
neither where a schema claims a domain that another schema or tenant has, unless
--skip-claimed registers the others.

Run it as the login that will migrate, and first with --dry-run: that writes nothing.

The exit status is 0 if everything was registered, 1 if a schema was left or refused, or if
something failed, 2 for wrong usage.`,
		Example: fmt.Sprintf(`  %[1]s adopt --dry-run                   what would be done
  %[1]s adopt                             django-tenants, django-tenant-schemas
  %[1]s adopt --only='eu_*'               some of the tenants
  %[1]s adopt --differing=record          those that were changed by hand, too
  %[1]s adopt --tenants-table=accounts --schema-column=slug --domain-column=host
  %[1]s adopt --schemas='tenant_*' --domain='{schema}.example.com'   no table at all`, name),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.adopt(cmd, &f) },
	}
	addGroups(cmd, adoptLines, f.groups(p.config.Project)...)
	return cmd
}

// adoptLines are the lines of --json, at the end of the help.
const adoptLines = `
What --json prints (a key that would be empty is left out):
  {"type":"start","schemas":N}
  {"type":"schema","schema":"…","outcome":"adopted, there, left or refused","error":"…",
   "apps":[APP],"extra":["OBJECT"],"renumbered":{"from":ID,"to":ID},"contradiction":"…"}
  {"type":"public","apps":[APP],"differs":true}
  {"type":"adopt_summary","source":"…","dry_run":true,"adopted":N,"there":N,"left":N,
   "refused":N,"without_name":N,"kept_ids":N,"new_ids":N,"columns":["…"],
   "columns_left":["…"],"extra":{"OBJECT":N},"owners":{"ROLE":N},"rowless":N,
   "rowless_schemas":["…"],"ports":N,"www":N,"partial":"…","columns_own":["…"],
   "unseen":["APP/MIGRATION"],"advanced":["SEQUENCE"],"contradicted":N,"no_key":true,
   "claimed":N,"domains_left":["TABLE"],"domains_of_nobody":N,"seconds":S}
APP is {"app":"…","name":"…","newest":true,"recorded":true,"differences":[{"change":
"missing, extra or different","object":"…","parts":N,"reference":"…","schema":"…"}],
"more":N,"unseen":["…"],"ungranted":"…"}; without a name the schema has nothing of the app.
What is unseen leaves nothing that can be compared, and counts as done; what is ungranted
grants, revokes or installs what is not so, and is left to migrate.
Each schema has its line, as soon as it is known; the objects beyond the apps in the
summary are the first hundred that were met, with how many schemas have them.
`

func (f *adoptFlags) groups(project bool) []flagGroup {
	s := &f.options.Source
	from := newGroup("Where the tenants are (default what is found in public)")
	from.flags.StringVar(&f.tenants, "tenants-table", "", "the `table` that has a row for each tenant: [schema.]name")
	from.flags.StringVar(&s.SchemaColumn, "schema-column", "", "its `column` with the name of the schema (default schema_name)")
	from.flags.StringVar(&f.domains, "domains-table", "", "the `table` of domains, which refers to the other by a foreign key")
	from.flags.StringVar(&s.DomainColumn, "domain-column", "", "the `column` with the domain (default domain there, else domain_url)")
	from.flags.StringVar(&s.TenantColumn, "tenant-column", "", "the `column` of the domains' table that refers to the other (default tenant_id, if several do)")
	from.flags.StringVar(&s.PrimaryColumn, "primary-column", "", "the `column` that tells the primary domain (default is_primary)")
	from.flags.StringArrayVar(&s.Schemas, "schemas", nil, "no table: the schemas of this `name` or pattern, such as 'tenant_*' (repeatable)")
	from.flags.StringVar(&s.DomainPattern, "domain", "", "no domains: make them of this `pattern`, such as '{schema}.example.com'")
	how := newGroup("How")
	how.flags.BoolVar(&f.options.DryRun, "dry-run", false, "say what would be done, and write nothing")
	how.flags.StringVar(&f.differing, "differing", "leave", "schemas in no state of the apps: `leave` them alone, or record the state that is nearest")
	how.flags.StringArrayVar(&f.options.Only, "only", nil, "only the schemas of this `name` or pattern, beside public (repeatable)")
	how.flags.BoolVar(&f.options.SkipClaimed, "skip-claimed", false, "where schemas claim a domain that another has, register the others")
	how.flags.IntVar(&f.options.Jobs, "jobs", 0, "work on `N` schemas at a time (default 4)")
	output := f.outputFlags.group()
	output.flags.Lookup("verbosity").Usage = "0 prints errors only, 1 the outcome, 2 (-v) more names of schemas, 3 (-vv) the log, too"
	return []flagGroup{from, how, output, f.databaseFlags.group(project)}
}

// checkUsage refuses flags that cannot be meant, and completes the options.
func (f *adoptFlags) checkUsage(cmd *cobra.Command) error {
	if cmd.Flags().Changed("jobs") && f.options.Jobs < 1 {
		return usagef("--jobs is %d (give it 1 or more, or leave it out)", f.options.Jobs)
	}
	for _, flag := range []string{"tenants-table", "schema-column", "domains-table", "domain-column", "tenant-column", "primary-column", "domain", "differing"} {
		if value, _ := cmd.Flags().GetString(flag); value == "" && cmd.Flags().Changed(flag) {
			return usagef("--%s is empty (give it a value, or leave it out)", flag)
		}
	}
	f.options.Differing = adopt.Differing(f.differing)
	f.options.Only, f.options.Source.Schemas = splitted(f.options.Only), splitted(f.options.Source.Schemas)
	f.options.Source.TenantsTable, f.options.Source.DomainsTable = table(f.tenants), table(f.domains)
	return f.check(cmd)
}

// table is a table as a flag names it, in public unless it says otherwise.
func table(text string) pgx.Identifier {
	if text == "" {
		return nil
	}
	schema, name, ok := strings.Cut(text, ".")
	if !ok {
		schema, name = "public", text
	}
	return pgx.Identifier{schema, name}
}

// adopt takes over, and fails if something was left.
func (p *program) adopt(cmd *cobra.Command, f *adoptFlags) error {
	if err := f.checkUsage(cmd); err != nil {
		return err
	}
	show := newAdoptReporter(cmd, f)
	tenancy, err := p.connect(cmd.Context(), cmd, &runFlags{databaseFlags: f.databaseFlags, outputFlags: f.outputFlags}, "", show)
	if err != nil {
		return err
	}
	defer tenancy.Close()
	options := f.options
	options.OnStart, options.OnSchema = show.started, show.schema
	begun := time.Now()
	report, err := tenancy.Adopt(cmd.Context(), &options)
	show.end()
	if wrong, ok := errors.AsType[*adopt.OptionsError](err); ok {
		return &UsageError{wrong.Error()}
	}
	if err != nil {
		return show.unfinished(cmd, err)
	}
	if err := show.report(report, time.Since(begun)); err != nil {
		return err
	}
	return notAdopted(report)
}

// notAdopted says what was left, and what to do about it; nil if nothing was.
func notAdopted(r *adopt.Report) error {
	var parts []string
	if r.Claimed > 0 {
		verb := "claim domains that others have"
		if r.Claimed == 1 {
			verb = "claims a domain that another has"
		}
		parts = append(parts, fmt.Sprintf("%s %s, so that nothing was registered (correct that in the source; or register the others: --skip-claimed)", schemas(r.Claimed), verb))
	}
	switch {
	case r.PublicDiffers:
		parts = append(parts, "public differs from the shared apps, so that nothing was registered (mend what differs, there or in the files; or record it as it is: --differing=record)")
	case r.Left > 0 && r.Claimed == 0:
		verb := "differ"
		if r.Left == 1 {
			verb = "differs"
		}
		parts = append(parts, fmt.Sprintf("%s %s from all that the files build (mend what differs, there or in the files; or record it as it is: --differing=record)", schemas(r.Left), verb))
	}
	if r.Refused > 0 {
		parts = append(parts, fmt.Sprintf("%s refused (see above)", schemas(r.Refused)))
	}
	if r.NoName > 0 {
		parts = append(parts, fmt.Sprintf("%s without the name of a schema", plural(r.NoName, "row")))
	}
	if r.NoMatch {
		parts = append(parts, "no schema is named as --only says")
	}
	if len(parts) == 0 {
		return nil
	}
	return errors.New(strings.Join(parts, "; "))
}
