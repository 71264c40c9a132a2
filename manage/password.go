package manage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/auth"
	"github.com/cotenant/cotenant/tenant"
)

// passwordFlags say where a new password comes from.
type passwordFlags struct {
	given     string // what was read or set
	noinput   bool
	stdin     bool
	stdinFlag string // as it is written
	variable  string // of the environment, empty if none counts
}

// source returns whom to ask, nil for nobody, and refuses flags that contradict each other.
func (f *passwordFlags) source(cmd *cobra.Command) (*prompter, error) {
	if f.variable != "" {
		f.given = os.Getenv(f.variable)
	}
	set := f.given != ""
	switch {
	case f.stdin && set:
		return nil, usagef("the password is given twice, with %s and %s (leave one out)", f.stdinFlag, f.variable)
	case f.stdin:
		line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), maxPasswordLine)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		if line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"); line == "" {
			return nil, usagef("%s: there is no password on standard input (write it there, in a line)", f.stdinFlag)
		}
		f.given = line
		return nil, nil
	}
	var ask *prompter
	if !f.noinput {
		ask = newPrompter(cmd)
	}
	if ask == nil && !set {
		cure := "give " + f.stdinFlag
		if f.variable != "" {
			cure += ", or set " + f.variable
		}
		return nil, usagef("there is no password, and nobody can be asked for it (%s)", cure)
	}
	return ask, nil
}

// maxPasswordLine is more than any password.
const maxPasswordLine = 1 << 16

// password returns the new password: what was given, or what is answered twice alike. It is
// asked for until check takes it.
func (f *passwordFlags) password(ask *prompter, check func(password string) error) (string, error) {
	if f.given != "" {
		return f.given, check(f.given)
	}
	for {
		password, err := ask.secret("Password: ")
		if err != nil {
			return "", err
		}
		if err := check(password); err != nil {
			ask.say("  %v", err)
			continue
		}
		again, err := ask.secret("Password (again): ")
		if err != nil {
			return "", err
		}
		if again == password {
			return password, nil
		}
		ask.say("  the two are not the same")
	}
}

func (p *program) passwordCommand(use string) *cobra.Command {
	f := newUserFlags()
	s := passwordFlags{stdinFlag: "--password-stdin"}
	name := p.config.name() + " " + strings.Fields(use)[0]
	if strings.HasPrefix(use, "password") {
		name = p.config.name() + " user password"
	}
	cmd := &cobra.Command{
		Use:     use,
		Short:   "Give a user of a tenant a new password",
		Long:    "Password gives a user a new password, which is asked for twice or read from standard input,\nand ends all sessions of that user. Without USERNAME it is who runs the program.",
		Example: fmt.Sprintf("  %[1]s admin --schema=customer1\n  pass show customer1 | %[1]s admin --schema=customer1 --password-stdin", name),
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			username := systemUser()
			if len(args) > 0 {
				username = args[0]
			}
			return p.withUsers(cmd, &f, func(ctx context.Context, users *auth.Auth) error {
				u, err := p.ownUser(ctx, users, username)
				if err != nil {
					return err
				}
				ask, err := s.source(cmd)
				if err != nil {
					return err
				}
				password, err := s.password(ask, func(password string) error { return users.CheckPassword(password, u.Username, u.Email) })
				if err != nil {
					return err
				}
				if err := users.SetPassword(ctx, u, password); err != nil {
					return err
				}
				f.say(cmd, "user %q of %q has a new password", u.Username, u.Schema)
				return nil
			})
		},
	}
	what := newGroup("The password")
	what.flags.BoolVar(&s.stdin, "password-stdin", false, "read it from the first line of standard input")
	what.flags.BoolVar(&s.noinput, "noinput", false, "ask nothing")
	addGroups(cmd, "", what, f.one(), f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	p.completeSchemas(cmd, &f.databaseFlags, 0)
	return cmd
}

// ownUser returns the user of that name whom the tenant in ctx may change.
func (p *program) ownUser(ctx context.Context, users *auth.Auth, username string) (*auth.User, error) {
	t, err := tenant.FromContext(ctx)
	if err != nil {
		return nil, err
	}
	u, err := users.ByUsername(ctx, username)
	switch {
	case errors.Is(err, auth.ErrUserNotFound):
		return nil, fmt.Errorf("%w (%s user list --schema=%s shows who is there)", err, p.config.name(), t.Schema)
	case err == nil && u.Schema != t.Schema:
		return nil, fmt.Errorf("user %q is not of %q but of %q, for all tenants (give --schema=%s)", u.Username, t.Schema, u.Schema, u.Schema)
	}
	return u, err
}
