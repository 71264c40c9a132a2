// Package demo is the command line of cotenant demo: a shop with two tenants, each
// at its own host name with its own rows, from nothing, in one command.
package demo

import (
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/manage"
)

// Command returns the command demo. It ends cleanly when its context does.
func Command() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:         "demo",
		Annotations: map[string]string{manage.WholeDatabase: ""},
		Short:       "Serve two tenants at their own host names from a real PostgreSQL",
		Long: `Demo finds a PostgreSQL, or starts one, makes a shop with the public tenant and
two tenants in it, shows what each of their hosts answers, and serves them until
interrupted.

The server is, in this order: the one that DATABASE_URL names; one started from
binaries on PATH or where Debian, Red Hat, Homebrew and Postgres.app put them;
one downloaded. One that was started ends with the demo; with --keep its data is
there again next time, in a directory that the demo names. With DATABASE_URL the
demo's tables stay in that database, so give it one of its own: it refuses one
with the tenants or the apps of a project.`,
		Example: `  cotenant demo                        serve at http://localhost:8080 until Ctrl-C
  cotenant demo --once                 show the transcript and stop
  cotenant demo --keep                 find the data of the last --keep again
  cotenant demo --addr localhost:9000  serve elsewhere`,
		Args: func(cmd *cobra.Command, args []string) error { // an error of it is wrong usage
			if _, port, err := net.SplitHostPort(o.addr); err != nil {
				return fmt.Errorf("--addr is %q (give it a host and a port: localhost:8080)", o.addr)
			} else if _, err := net.DefaultResolver.LookupPort(cmd.Context(), "tcp", port); err != nil {
				return fmt.Errorf("--addr is %q: there is no port %q (give it a number up to 65535)", o.addr, port)
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.addrGiven = cmd.Flags().Changed("addr")
			return run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), o)
		},
	}
	cmd.Flags().StringVar(&o.addr, "addr", "localhost:8080", "address to serve at")
	cmd.Flags().BoolVar(&o.keep, "keep", false, "keep the data of the server that is started for the next demo --keep")
	cmd.Flags().BoolVar(&o.once, "once", false, "stop after the transcript")
	return cmd
}
