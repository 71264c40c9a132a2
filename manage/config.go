package manage

import (
	"cmp"
	"io"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/auth"
)

// WholeDatabase is the key of an annotation, of any value, by which one of Config.Commands says
// that it is not about one tenant, so that run and tenant_command refuse it:
//
//	Annotations: map[string]string{manage.WholeDatabase: ""}
const WholeDatabase = "cotenant_whole_database"

// Config says what a command tree is for. The zero value is the commands of a program
// without apps.
type Config struct {
	// Args are the arguments of the command line, without the program's name. Defaults to
	// those of the process.
	Args []string
	// Auth has the settings of the program's users: rules about passwords, where they are.
	// Defaults to auth's defaults.
	Auth *auth.Config
	// Commands are the program's own, beside those of cotenant. Their context ends at
	// the first SIGINT or SIGTERM. run and tenant_command put a tenant into it, but for
	// one that has the annotation WholeDatabase. Defaults to none.
	Commands []*cobra.Command
	// Name of the program, in help and errors. Defaults to cotenant.
	Name string
	// Project has the apps and the settings that Tenancy leaves out read from
	// cotenant.toml, in the working directory or above it. Defaults to no file.
	Project bool
	// Stderr is where errors and progress go. Defaults to that of the process.
	Stderr io.Writer
	// Stdout is where results go. Defaults to that of the process.
	Stdout io.Writer
	// Tenancy is what the commands open. The environment and cotenant.toml fill in what
	// it leaves out; flags come before it. Its Logger defaults to one that writes
	// errors to Stderr, and more with -vv.
	Tenancy cotenant.Config
	// TenantCommands are the program's own that run for every tenant. Defaults to none.
	TenantCommands []TenantCommand
}

func (c Config) name() string { return cmp.Or(c.Name, "cotenant") }
