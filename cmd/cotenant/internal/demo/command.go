// Package demo is the command line of cotenant demo: a shop with two tenants, each
// at its own host name with its own rows, from nothing, in one command.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Main runs the command line args and returns the exit status: 0 on success, 1 on
// failure, 2 for wrong usage. It ends cleanly when the user interrupts.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{
		Use:           "cotenant",
		Short:         "Schema-per-tenant PostgreSQL: one database, one schema for each customer",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.DisableDefaultCmd = true // for one command it is not worth a line of the help
	root.AddCommand(command())
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	// Whatever fails before a command runs is wrong usage.
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case !started:
		fmt.Fprintf(stderr, "cotenant: %s (see cotenant --help)\n", oneLine(err))
		return 2
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(stderr, "cotenant: interrupted")
		return 1
	}
	fmt.Fprintf(stderr, "cotenant: %s\n", strings.TrimPrefix(err.Error(), "cotenant: "))
	return 1
}

// oneLine is the first line of err: cobra adds suggestions below it.
func oneLine(err error) string {
	line, rest, _ := strings.Cut(err.Error(), "\n")
	if _, suggestion, ok := strings.Cut(rest, "Did you mean this?"); ok {
		line += ", did you mean " + strings.Join(strings.Fields(suggestion), " or ") + "?"
	}
	return line
}

func command() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve two tenants at their own host names from a real PostgreSQL",
		Long: `Demo finds a PostgreSQL, or starts one, makes a shop with the public tenant and
two tenants in it, shows what each of their hosts answers, and serves them until
interrupted.

The server is, in this order: the one that DATABASE_URL names; one started from
binaries on PATH or where Debian, Red Hat, Homebrew and Postgres.app put them;
one downloaded. One that was started ends with the demo; with --keep its data is
there again next time, in a directory that the demo names. With DATABASE_URL the
demo's tables stay in that database, so give it one of its own.`,
		Example: `  cotenant demo                        serve at http://localhost:8080 until Ctrl-C
  cotenant demo --once                 show the transcript and stop
  cotenant demo --keep                 find the data of the last --keep again
  cotenant demo --addr localhost:9000  serve elsewhere`,
		Args: cobra.NoArgs,
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
