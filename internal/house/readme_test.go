package house_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The README's program is the one that is compiled and linted.
func TestReadmeProgram(t *testing.T) {
	t.Parallel()

	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(filepath.Join("..", "..", "examples", "quickstart", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```go\n"+string(program)+"```") {
		t.Error("README.md does not show examples/quickstart/main.go as it is (copy it into the go block)")
	}
}
