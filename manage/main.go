package manage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/migrate"
)

// Main runs the command line and returns the exit status: 0 on success, 1 on failure, 2
// for wrong usage. It is the body of a main:
//
//	os.Exit(manage.Main(manage.Config{…}))
//
// At the first SIGINT or SIGTERM, sync and migrate finish the schemas in flight and
// report; at the second they interrupt those as well. Other commands are interrupted at
// the first.
func Main(config Config) int {
	ctx, signals := withInterrupts(context.Background()) //nolint:forbidigo // it stands for main
	defer signals.end()
	root := New(config)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	name := config.name()
	stderr := root.ErrOrStderr()
	fmt.Fprintf(stderr, "%s %s\n", newPaint(stderr).in("red", name+":"), printableText(describe(cmd, strings.TrimPrefix(err.Error(), name+": "), err)))
	return ExitStatus(err)
}

// describe says of which command an error is, and where wrong usage is put right.
func describe(cmd *cobra.Command, text string, err error) string {
	name := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
	if cmd.HasParent() && !strings.HasPrefix(text, name+": ") {
		text = name + ": " + text
	}
	if _, wrong := errors.AsType[*UsageError](err); wrong {
		text += fmt.Sprintf("; see %q", cmd.CommandPath()+" --help")
	}
	return text
}

// ExitStatus returns the status that a program ends with after a command of New returned
// err: 0 for nil, 2 for a *UsageError, else 1.
func ExitStatus(err error) int {
	if err == nil {
		return 0
	}
	if _, wrong := errors.AsType[*UsageError](err); wrong {
		return 2
	}
	return 1
}

// UsageError is a command line that cannot be meant: nothing was touched.
type UsageError struct{ text string }

// Error says what is wrong, and the cure.
func (e *UsageError) Error() string { return e.text }

// asUsage makes a *UsageError of options that migrate refuses.
func asUsage(err error) error {
	if wrong, ok := errors.AsType[*migrate.OptionsError](err); ok {
		return &UsageError{wrong.Error()}
	}
	return err
}

func usagef(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}
