package manage

import (
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// New returns the command tree, to run or to put into another one below its own name:
//
//	root.AddCommand(manage.New(config))  // app cotenant migrate
//	manage.Add(root, config)             // app migrate
//
// Its commands return errors, of which ExitStatus makes a status; Main does that too.
func New(config Config) *cobra.Command {
	p := &program{config: config}
	root := &cobra.Command{
		Use:           config.name(),
		Short:         "Schema-per-tenant PostgreSQL: one database, one schema for each customer",
		Long:          p.about(),
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(config.Stdout)
	root.SetErr(config.Stderr)
	args := config.Args
	if args == nil {
		args = os.Args[1:]
	}
	root.SetArgs(withVerbosity(args))
	root.SetFlagErrorFunc(flagError)
	if info, ok := debug.ReadBuildInfo(); ok {
		root.Version = info.Main.Version
	}
	p.add(root)
	root.AddCommand(config.Commands...)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		p.finish(cmd)
		if cmd.Name() == "help" || cmd.Name() == "completion" {
			refuseUnknown(cmd)
		}
	}
	return root
}

// Add gives root the commands of the tree, beside those that it has. Of config, Args,
// Commands, Stderr and Stdout are not looked at: they are root's.
func Add(root *cobra.Command, config Config) {
	config.Name = root.Name()
	p := &program{config: config}
	before := root.Commands()
	p.add(root)
	for _, cmd := range root.Commands() {
		if !slices.Contains(before, cmd) {
			p.finish(cmd)
		}
	}
}

// finish has a command, and what is below it, speak of its flags and arguments as all do.
func (p *program) finish(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(flagError)
	cmd.SetGlobalNormalizationFunc(hyphenated)
	reportUsage(cmd)
}

// add adds the commands and the headings that they stand under.
func (p *program) add(root *cobra.Command) {
	config := &p.config
	root.AddGroup(&cobra.Group{ID: schemasGroup, Title: "Schemas:"}, &cobra.Group{ID: tenantsGroup, Title: "Tenants:"})
	if len(config.TenantCommands) > 0 {
		root.AddGroup(&cobra.Group{ID: ownGroup, Title: "For every tenant:"})
	}
	root.AddCommand(p.adoptCommand(), p.checkCommand(), p.doctorCommand(), p.driftCommand(), p.migrateCommand(), p.statusCommand(), p.syncCommand())
	root.AddCommand(p.tenantCommand(), p.domainCommand(), p.dumpDataCommand(), p.loadDataCommand(), p.runCommand(), p.shellCommand(), p.tenantCommandCommand(), p.userCommand())
	root.AddCommand(p.seedCommands()...)
	root.AddCommand(p.seedUserCommands()...)
	if config.Project {
		root.AddCommand(p.initCommand())
	}
	for i := range config.TenantCommands {
		root.AddCommand(config.TenantCommands[i].command(p))
	}
}

// about is the long text of the help.
func (p *program) about() string {
	text := `One PostgreSQL database for many customers: every tenant has a schema of its own with the
tables of the tenant apps, and all share the tables of the shared apps, in public. These
commands create the tables, and keep them up to date in all schemas at once.

The database is the one that DATABASE_URL names, or --database-url.`
	if p.config.Project {
		text += ` The apps are folders,
listed in cotenant.toml, here or above:

  tenant_apps = ["shop"]      the tables are in apps/shop/schema.sql,
                              their changes in apps/shop/migrations/0001_….sql`
	}
	return text
}

// program is what the commands of a tree share.
type program struct{ config Config }

// schemasGroup is the heading of the help that migrate, status and sync stand under.
const schemasGroup = "schemas"

// ownGroup is that of the program's own commands for every tenant.
const ownGroup = "own"

// hyphenated lets flags be written as django-tenant-schemas and its peers write some of
// theirs: --skip_public is --skip-public.
func hyphenated(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
}
