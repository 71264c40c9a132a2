package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/manage"
)

// reference is made of the help of the commands:
//
//	UPDATE_REFERENCE=1 go test ./cmd/cotenant
const reference = "../../docs/commands.md"

func TestReference(t *testing.T) {
	t.Parallel()

	var b strings.Builder
	b.WriteString("# The commands\n\nMade from their help: `UPDATE_REFERENCE=1 go test ./cmd/cotenant`. Flags can be written with underscores, too.\n")
	describe(&b, manage.New(config()))
	if os.Getenv("UPDATE_REFERENCE") != "" {
		if err := os.WriteFile(reference, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(reference)
	if err != nil || string(kept) != b.String() {
		t.Errorf("%s is not what the help says (%v): UPDATE_REFERENCE=1 go test ./cmd/cotenant", reference, err)
	}
}

// describe writes the help of a command, and of those below it.
func describe(b *strings.Builder, cmd *cobra.Command) {
	if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" {
		return
	}
	var usage bytes.Buffer
	cmd.SetOut(&usage)
	_ = cmd.Usage()
	fmt.Fprintf(b, "\n%s %s\n", strings.Repeat("#", strings.Count(cmd.CommandPath(), " ")+2), cmd.CommandPath())
	for _, text := range []string{cmd.Long, usage.String()} {
		if text == "" {
			text = cmd.Short
		}
		fmt.Fprintf(b, "\n```text\n%s\n```\n", strings.Trim(text, "\n"))
	}
	for _, child := range cmd.Commands() {
		describe(b, child)
	}
}
