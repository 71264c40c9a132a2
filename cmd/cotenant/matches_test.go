//go:build unix

package main_test

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMatches(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		want, got string
		matches   bool
	}{
		{"", "", true},
		{"", "x\n", false},
		{"x\n", "", false},
		{"x\n", "x", true},
		{"x\n", "x \n\n", true},
		{"x\ny\n", "x\n", false},
		{"done (…)\n", "done (12ms)\n", true},
		{"done (…)\n", "done (12ms)\nmore\n", false},
		{"a  …       c\n", "a  long  c\n", true},
		{"a.c\n", "abc\n", false},
		{"a…c\n", "a\nc\n", false},
		{"a\n…\nz\n", "a\nz\n", true},
		{"a\n…\nz\n", "a\nb\nc\nz\n", true},
		{"a\n…\n", "a\nb\n", true},
		{"a\n…\nz\n", "a\nb\n", false},
	} {
		if got := matches(tt.want, tt.got); got != tt.matches {
			t.Errorf("%q and %q: %t", tt.want, tt.got, got)
		}
	}
}

// What a page has for the test is found, each at its line.
func TestPage(t *testing.T) {
	t.Parallel()

	file := filepath.Join(t.TempDir(), "page.md")
	text := "<!-- needs: pgbouncer -->\n\n# A page\n\n<!-- file: a/b.sql -->\n```sql\nSELECT 1;\n```\n\n<!-- no test: why -->\n```sh\nfalse\n```\n\n" +
		"```console\n$ echo a \\\n> b\na b\n$ true\n```\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := readPage(t, file)
	if len(p.needs) != 1 || p.needs[0] != "pgbouncer" || len(p.fences) != 3 {
		t.Fatalf("read %+v", p)
	}
	if f := p.fences[0]; f.file != "a/b.sql" || f.text != "SELECT 1;\n" || f.line != 7 {
		t.Errorf("the file: %+v", f)
	}
	if !p.fences[1].untested {
		t.Errorf("not to be run: %+v", p.fences[1])
	}
	commands := p.fences[2].commands(t, p)
	if len(commands) != 2 || commands[0].text != "echo a \\\nb\n" || commands[0].want != "a b\n" || commands[1].line != 19 || commands[1].want != "" {
		t.Errorf("commands: %+v", commands)
	}
	if text[commands[0].start:commands[0].end] != "a b\n" {
		t.Errorf("what it prints is at %d to %d", commands[0].start, commands[0].end)
	}
}
