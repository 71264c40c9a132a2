package manage

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/auth"
)

// userLine is a user in JSON.
type userLine struct {
	ID          int64      `json:"id"`
	Schema      string     `json:"schema"`
	Username    string     `json:"username"`
	Email       string     `json:"email"`
	FirstName   string     `json:"first_name"`
	LastName    string     `json:"last_name"`
	IsActive    bool       `json:"is_active"`
	IsStaff     bool       `json:"is_staff"`
	IsSuperuser bool       `json:"is_superuser"`
	DateJoined  time.Time  `json:"date_joined"`
	LastLogin   *time.Time `json:"last_login"`
}

func newUserLine(u *auth.User) userLine {
	line := userLine{u.ID, u.Schema.String(), u.Username, u.Email, u.FirstName, u.LastName, u.IsActive, u.IsStaff, u.IsSuperuser, u.DateJoined, nil}
	if !u.LastLogin.IsZero() {
		line.LastLogin = &u.LastLogin
	}
	return line
}

func (p *program) listUsersCommand(use string) *cobra.Command {
	f := newUserFlags()
	cmd := &cobra.Command{
		Use:   use,
		Short: "List the users of a tenant",
		Long: `List prints the users of a tenant in the order in which they were created. With --json there
is a line for each,
  {"id":N,"schema":"…","username":"…","email":"…","first_name":"…","last_name":"…",
   "is_active":true,"is_staff":true,"is_superuser":true,"date_joined":"…","last_login":"…"}`,
		Example: fmt.Sprintf("  %[1]s user list --schema=customer1\n  %[1]s user list --schema=customer1 --json | jq -r 'select(.is_superuser) | .username'", p.config.name()),
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withUsers(cmd, &f, func(ctx context.Context, users *auth.Auth) error { return f.listUsers(ctx, cmd, users) })
		},
	}
	addGroups(cmd, "", f.one(), f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	p.completeSchemas(cmd, &f.databaseFlags, 0)
	return cmd
}

// listUsers prints all users. Columns are as wide as a page needs them.
func (f *userFlags) listUsers(ctx context.Context, cmd *cobra.Command, users *auth.Auth) error {
	const page = 500
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	n := 0
	for u, err := range users.All(ctx) {
		if err != nil {
			return err
		}
		n++
		if f.json {
			if err := writeJSON(cmd.OutOrStdout(), newUserLine(u)); err != nil {
				return err
			}
			continue
		}
		if n == 1 {
			fmt.Fprintln(table, "USERNAME\tEMAIL\tFLAGS\tLAST LOGIN")
		}
		last := "never"
		if !u.LastLogin.IsZero() {
			last = u.LastLogin.Local().Format(time.DateTime)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", printable(u.Username), printable(u.Email), flagsText(u), last)
		if n%page == 0 {
			if err := table.Flush(); err != nil {
				return err
			}
		}
	}
	if n == 0 {
		f.say(cmd, "there are no users (make one with %s user create-superuser)", cmd.Root().Name())
	}
	return table.Flush()
}

func flagsText(u *auth.User) string {
	var flags []string
	for _, flag := range []struct {
		name string
		set  bool
	}{{"inactive", !u.IsActive}, {"staff", u.IsStaff}, {"superuser", u.IsSuperuser}} {
		if flag.set {
			flags = append(flags, flag.name)
		}
	}
	return strings.Join(flags, ",")
}
