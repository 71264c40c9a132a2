package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/manage"
)

// The table of docs/configuration.md has every key of cotenant.toml, and no others: those
// that the message about an unknown one lists.
func TestSettings(t *testing.T) {
	t.Parallel()

	file := filepath.Join(t.TempDir(), "cotenant.toml")
	if err := os.WriteFile(file, []byte("zzz = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	manage.Main(manage.Config{Args: []string{"migrate", "--config=" + file}, Project: true, Stderr: &stderr})
	_, list, _ := strings.Cut(stderr.String(), "(there are ")
	list, _, ok := strings.Cut(list, ")")
	if !ok {
		t.Fatalf("no list of keys: %s", &stderr)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n## Keys\n")
	table, _, _ = strings.Cut(table, "\n## ")
	table, _, _ = strings.Cut(table, "Besides the keys")
	var described []string
	for line := range strings.Lines(table) {
		if key, ok := strings.CutPrefix(line, "| `"); ok {
			key, _, _ = strings.Cut(key, "`")
			described = append(described, key)
		}
	}
	if got := strings.Join(described, ", "); got != list {
		t.Errorf("docs/configuration.md describes\n\t%s\nand there are\n\t%s", got, list)
	}
}
