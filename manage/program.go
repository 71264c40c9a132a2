package manage

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
)

// external is a program that runs for a tenant.
type external struct {
	config *cotenant.Config
	path   string
	argv   []string
}

// newExternal finds the program.
func newExternal(config *cotenant.Config, argv []string) (*external, error) {
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return nil, fmt.Errorf("there is no program %s on the PATH (install it, or give its path)", argv[0])
	}
	if dumpsAll(argv) {
		return nil, usagef("pg_dump pays no regard to the search path, and would dump every tenant (name it as the program itself, which gets -n; or give it -n \"\\\"$COTENANT_SCHEMA\\\"\" in a script)")
	}
	return &external{config, path, argv}, nil
}

// dumpsAll reports whether another program starts pg_dump, and nothing says of which schema:
// as far as the command line shows it.
func dumpsAll(argv []string) bool {
	words := strings.FieldsFunc(strings.Join(argv, " "), func(c rune) bool { return strings.ContainsRune(" \t\n;|&()<>'\"`", c) })
	first := true
	for _, word := range words {
		switch name := strings.TrimSuffix(filepath.Base(word), ".exe"); {
		case name == "pg_dumpall", name == "pg_dump" && !first:
			return !slices.ContainsFunc(words, func(w string) bool {
				return strings.HasPrefix(w, "-n") || strings.HasPrefix(w, "--schema=") || w == "--schema"
			})
		}
		first = false
	}
	return false
}

// run runs it in the schema of the call's tenant. Alone it has standard input and the terminal,
// else it is apart. The error is that of the program.
func (e *external) run(ctx context.Context, cmd *cobra.Command, call *TenantCall, alone bool) error {
	env, err := newEnvironment(e.config, call.Tenant.Schema)
	if err != nil {
		return err
	}
	if err := env.prove(ctx); err != nil {
		return err
	}
	program := exec.CommandContext(ctx, e.path, e.arguments(env)...)
	program.Env = env.variables(call.Tenant)
	program.Stdout, program.Stderr = call.Stdout, call.Stderr
	program.WaitDelay = programGrace
	if alone {
		program.Stdin = cmd.InOrStdin()
		program.Cancel = func() error { return program.Process.Signal(syscall.SIGTERM) } // it has had Ctrl-C itself
	} else {
		defer apart(program)()
	}
	if err := program.Run(); err != nil && (program.ProcessState == nil || !program.ProcessState.Success()) {
		return &programError{e.argv[0], err}
	}
	return nil
}

// programGrace is how long a program has to end when it is told to.
const programGrace = 10 * time.Second

// arguments are those of the program. pg_dump pays no regard to the path, so it is told the
// schema, as a pattern in which nothing has a meaning.
func (e *external) arguments(env *environment) []string {
	if name := strings.TrimSuffix(filepath.Base(e.path), ".exe"); name == "pg_dump" {
		return slices.Insert(slices.Clone(e.argv[1:]), 0, "-n", quoted(env.schema))
	}
	return e.argv[1:]
}

// programError is a program that failed.
type programError struct {
	name string
	err  error
}

// Error says with which status it ended.
func (e *programError) Error() string {
	if exit, ok := errors.AsType[*exec.ExitError](e.err); ok && exit.Exited() {
		return fmt.Sprintf("%s ended with status %d", e.name, exit.ExitCode())
	}
	return fmt.Sprintf("%s: %v", e.name, e.err)
}

// Unwrap returns the cause.
func (e *programError) Unwrap() error { return e.err }
