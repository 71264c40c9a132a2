package manage

import (
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// knownCommand refuses a command that is not there, with the nearest one.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("there is no command %q%s", args[0], didYouMean("", args[0], func(yield func(string) bool) {
		for _, child := range cmd.Commands() {
			for _, name := range append([]string{child.Name()}, child.Aliases...) {
				if !yield(name) {
					return
				}
			}
		}
	}))
}

// noArgs refuses arguments.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("it takes no argument such as %q (leave it out)", args[0])
}

// flagError says in our words what pflag has against a flag.
func flagError(cmd *cobra.Command, err error) error {
	if missing, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := missing.GetSpecifiedName()
		if missing.GetSpecifiedShortnames() != "" {
			return usagef("there is no flag -%s", name)
		}
		return usagef("there is no flag --%s%s", name, didYouMean("--", name, func(yield func(string) bool) {
			more := true
			cmd.Flags().VisitAll(func(f *pflag.Flag) { more = more && yield(f.Name) })
		}))
	}
	if value, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		flag := value.GetFlag()
		wants := map[string]string{"bool": "true or false", "count": "a number", "duration": "a time such as 90s, 5m or 1h30m", "int": "a number"}[flag.Value.Type()]
		if wants != "" {
			return usagef("--%s is %s (give it %s)", flag.Name, strconv.Quote(value.GetValue()), wants)
		}
	}
	if without, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usagef("--%s needs a value (write --%[1]s=…)", without.GetFlag().Name)
	}
	return usagef("%v", err)
}

// reportUsage has cmd, and what is below it, return what cobra finds wrong with the
// arguments as a *UsageError.
func reportUsage(cmd *cobra.Command) {
	const done = "cotenant:usage" // a program's own commands come into several trees
	if cmd.Annotations[done] != "" {
		return
	}
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[done] = done
	args := cmd.Args
	if args == nil {
		args = cobra.ArbitraryArgs
	}
	cmd.Args = func(cmd *cobra.Command, given []string) error {
		for _, check := range []func() error{
			func() error { return args(cmd, given) }, cmd.ValidateRequiredFlags, cmd.ValidateFlagGroups,
		} {
			if err := check(); err != nil {
				return usagef("%v", err)
			}
		}
		return nil
	}
	for _, child := range cmd.Commands() {
		reportUsage(child)
	}
}

// withVerbosity joins a verbosity that stands beside its flag, as django-admin has it
// (--verbosity 2, -v 2, -v2): a flag that may stand without a value takes none from there.
func withVerbosity(args []string) []string {
	isLevel := func(text string) bool { return len(text) == 1 && text >= "0" && text <= "3" }
	joined := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		arg := args[i]
		level, short := strings.CutPrefix(arg, "-v")
		switch {
		case arg == "--":
			return append(joined, args[i:]...)
		case (arg == "-v" || arg == "--verbosity") && i+1 < len(args) && isLevel(args[i+1]):
			i++
			arg = "--verbosity=" + args[i]
		case short && isLevel(level):
			arg = "--verbosity=" + level
		}
		joined = append(joined, arg)
	}
	return joined
}

// refuseUnknown has help and completion, which are cobra's, end with an error where they are
// about nothing that there is; cobra says so, and ends as if all were well.
func refuseUnknown(cmd *cobra.Command) {
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, given []string) error {
		if len(given) > 0 {
			from := cmd.Root()
			if cmd.HasSubCommands() {
				from = cmd
			}
			if found, rest, err := from.Find(given); err != nil || found == from || len(rest) > 0 && found.HasSubCommands() {
				return knownCommand(from, given[:1])
			}
		}
		return args(cmd, given)
	}
	if cmd.HasSubCommands() && cmd.RunE == nil && cmd.Run == nil {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}
