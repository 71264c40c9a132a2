package manage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/auth"
	"github.com/cotenant/cotenant/tenant"
)

func (p *program) superuserCommand(use string) *cobra.Command {
	f := newUserFlags()
	var s superuserFlags
	name := p.config.name() + " " + use
	if use == "create-superuser" {
		name = p.config.name() + " user " + use
	}
	cmd := &cobra.Command{
		Use:   use,
		Short: "Create a user who may do everything at a tenant",
		Long: `Create-superuser makes a user of the tenant whose schema is given, active, staff and
superuser. At a terminal what was not given is asked for, the password twice. Elsewhere,
and with --noinput, the password comes from standard input or from the environment
variable COTENANT_SUPERUSER_PASSWORD; not from a flag, which others could read.`,
		Example: fmt.Sprintf(`  %[1]s --username='admin' --schema=customer1
  pass show customer1 | %[1]s --username=admin --schema=customer1 --email=admin@example.com --password-stdin
  %[1]s --username=root --schema=public   where the app auth is shared`, name),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withUsers(cmd, &f, func(ctx context.Context, users *auth.Auth) error {
				params, err := s.params(ctx, cmd, users, nameFree(users))
				if err != nil {
					return err
				}
				u, err := users.Create(ctx, params)
				if err != nil {
					return err
				}
				if f.json {
					return writeJSON(cmd.OutOrStdout(), newUserLine(u))
				}
				f.say(cmd, "superuser %q created in %q", u.Username, u.Schema)
				return nil
			})
		},
	}
	what := newGroup("The superuser")
	s.add(what, "", "")
	what.flags.BoolVar(&s.noinput, "noinput", false, "ask nothing")
	addGroups(cmd, "", what, f.one(), f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	p.completeSchemas(cmd, &f.databaseFlags, 0)
	return cmd
}

// nameFree returns what refuses a name that a user of the tenant in its context has. Public's
// users, who may be everybody's besides, do not matter to a tenant's.
func nameFree(users *auth.Auth) func(context.Context, string) error {
	return func(ctx context.Context, name string) error {
		t, err := tenant.FromContext(ctx)
		if err != nil {
			return err
		}
		switch u, err := users.ByUsername(ctx, name); {
		case err == nil && u.Schema == t.Schema:
			return fmt.Errorf("%w: %q (choose another)", auth.ErrUsernameTaken, u.Username)
		case err != nil && !errors.Is(err, auth.ErrUserNotFound):
			return err
		}
		return nil
	}
}

// superuserFlags describe a superuser.
type superuserFlags struct {
	passwordFlags
	email    string
	prefix   string // of the flags
	username string
}

// add adds the flags to a group; behind their usage stands when they count.
func (s *superuserFlags) add(g flagGroup, prefix, when string) {
	s.prefix, s.stdinFlag, s.variable = prefix, "--"+prefix+"password-stdin", "COTENANT_SUPERUSER_PASSWORD"
	g.flags.StringVar(&s.username, prefix+"username", "", "user `NAME`"+when)
	g.flags.StringVar(&s.email, prefix+"email", "", "email `ADDRESS`"+when)
	g.flags.BoolVar(&s.stdin, prefix+"password-stdin", false, "read the password from the first line of standard input (or COTENANT_SUPERUSER_PASSWORD)")
}

// params are what the flags say, and the answers. Everything is checked but that nobody has
// the name meanwhile; taken says so now.
func (s *superuserFlags) params(ctx context.Context, cmd *cobra.Command, users *auth.Auth, taken func(context.Context, string) error) (auth.CreateParams, error) {
	params := auth.CreateParams{Email: s.email, Staff: true, Superuser: true, Username: s.username}
	ask, err := s.source(cmd)
	if err != nil {
		return params, err
	}
	check := func(p auth.CreateParams) error {
		p.NoPassword = true // it comes last
		if err := users.Check(p); err != nil {
			return err
		}
		return taken(ctx, p.Username)
	}
	if err := s.complete(cmd, ask, &params, check); err != nil {
		return params, err
	}
	if err := check(params); err != nil {
		return params, s.blame(cmd, err)
	}
	params.Password, err = s.password(ask, func(password string) error {
		return users.CheckPassword(password, params.Username, params.Email)
	})
	return params, err
}

// blame names the flag that an error is of.
func (s *superuserFlags) blame(cmd *cobra.Command, err error) error {
	for flag, of := range map[string]error{"username": auth.ErrInvalidUsername, "email": auth.ErrInvalidEmail} {
		if errors.Is(err, of) && cmd.Flags().Changed(s.prefix+flag) {
			return usagef("--%s%s: %v", s.prefix, flag, err)
		}
	}
	return err
}

// complete asks for the name and the email if they were not given.
func (s *superuserFlags) complete(cmd *cobra.Command, ask *prompter, params *auth.CreateParams, check func(auth.CreateParams) error) error {
	given := func(name string) bool { return cmd.Flags().Changed(s.prefix + name) }
	if !given("username") {
		if ask == nil {
			return usagef("--%susername not given (a superuser needs a name)", s.prefix)
		}
		suggested, question := systemUser(), "Username: "
		if suggested != "" {
			question = fmt.Sprintf("Username [%s]: ", suggested)
		}
		answer, err := ask.until(question, func(answer string) error {
			return check(auth.CreateParams{Username: cmp.Or(answer, suggested)})
		})
		if err != nil {
			return err
		}
		params.Username = cmp.Or(answer, suggested)
	} else if err := check(*params); err != nil {
		return s.blame(cmd, err) // before more is asked
	}
	if given("email") || ask == nil {
		return nil
	}
	answer, err := ask.until("Email (empty for none): ", func(answer string) error {
		return check(auth.CreateParams{Username: params.Username, Email: answer})
	})
	params.Email = answer
	return err
}

// systemUser is the name of who runs the program, if it is one for a user here.
func systemUser() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	name := u.Username[strings.LastIndexByte(u.Username, '\\')+1:] // Windows has a domain in front
	name, err = auth.ParseUsername(name)
	if err != nil {
		return ""
	}
	return name
}
