package house_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The README's program, and its tables, are those that are compiled and linted.
func TestReadmeProgram(t *testing.T) {
	t.Parallel()

	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for kind, file := range map[string]string{"go": "main.go", "sql": "apps/notes/schema.sql"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "examples", "quickstart", file))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(readme), "```"+kind+"\n"+string(text)+"```") {
			t.Errorf("README.md does not show examples/quickstart/%s as it is (copy it into the %s block)", file, kind)
		}
	}
}
