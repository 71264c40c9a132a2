package demo_test

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/cmd/cotenant/internal/demo"
	"github.com/cotenant/cotenant/manage"
)

// An address that cannot be one is wrong usage, told before anything is started.
func TestAddress(t *testing.T) {
	t.Parallel()

	for _, addr := range []string{"nonsense", "localhost:99999"} {
		root := manage.New(manage.Config{Args: []string{"demo", "--addr", addr}, Commands: []*cobra.Command{demo.Command()}, Stderr: io.Discard, Stdout: io.Discard})
		if err := root.ExecuteContext(t.Context()); manage.ExitStatus(err) != 2 || !strings.Contains(err.Error(), "--addr is") {
			t.Errorf("--addr %s: %v", addr, err)
		}
	}
}
