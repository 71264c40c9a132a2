//go:build unix

package main_test

import (
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"
)

// pages is where the documentation is.
const pages = "../../docs"

// The pages of docs are run as their readers would run them: each in a folder and with a
// database of its own, at DATABASE_URL. Fences of a page run in their order:
//
//	```sh         runs by bash -e, and must succeed
//	```console    lines that begin with "$ " run one by one, those below "> " with them; the
//	              others are what they print, errors too. In them … is any text, and a line of
//	              … alone any lines. One that is said to print nothing must succeed.
//
// Others are not run, but written to a file, if the line before the fence says so:
//
//	<!-- file: apps/shop/schema.sql -->
//
// The fences share their folder and exported variables, as those of one terminal do. Where
// one ends in &, the next waits until the program serves at port 8080, if the page speaks
// of that; the program ends with the page. The port is another one when the page runs.
// CHECKOUT is the path of this module. A page that has the line
//
//	<!-- needs: pgbouncer -->
//
// finds a pooler of transactions at POOLER_URL. A fence below
//
//	<!-- no test: it takes an hour -->
//
// is not run. UPDATE_DOCS=1 has what the commands print written to the pages, where it
// differs.
func TestDocs(t *testing.T) {
	t.Parallel()

	if testing.Short() {
		t.Skip("builds programs, of which the race detector sees nothing")
	}
	files, err := filepath.Glob(filepath.Join(pages, "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	bin := programs(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			t.Parallel()
			p := readPage(t, file)
			p.run(t, bin)
			p.update(t)
		})
	}
}

// programs returns a folder with cotenant, which this binary is.
func programs(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "cotenant")); err != nil {
		t.Fatal(err)
	}
	return bin
}

// run does what the page says, up to what fails.
func (p *page) run(t *testing.T, bin string) {
	t.Helper()
	if !p.runs() {
		return
	}
	s := newSession(t, p, bin)
	for _, f := range p.fences {
		switch {
		case f.untested:
		case f.file != "":
			if formatted, err := format.Source([]byte(f.text)); strings.HasSuffix(f.file, ".go") && (err != nil || string(formatted) != f.text) {
				t.Errorf("%s:%d: %s is not as gofmt has it: %v\n%s", p.file, f.line, f.file, err, udiff.Unified("page", "gofmt", f.text, string(formatted)))
			}
			s.write(f.file, f.text)
		case f.language == "sh":
			if out, err := s.do(f.text); err != nil {
				t.Fatalf("%s:%d: %v\n%s\n-- it printed\n%s%s", p.file, f.line+s.failedLine()-1, err, f.text, out, s.background())
			}
		case f.language == "console":
			for _, c := range f.commands(t, p) {
				out, err := s.do(c.text)
				if err != nil && c.want == "" || !matches(c.want, out) {
					p.differ(t, c, out, err, s.background())
				}
			}
		}
	}
}

// differ takes note of another output than the page has.
func (p *page) differ(t *testing.T, c command, out string, err error, background string) {
	t.Helper()
	if updating() {
		p.edits = append(p.edits, edit{c.start, c.end, out})
		return
	}
	t.Fatalf("%s:%d: $ %s\nprints something else (%v): UPDATE_DOCS=1 go test -run TestDocs ./cmd/cotenant\n%s%s",
		p.file, c.line, c.text, err, udiff.Unified("page", "printed", c.want, tidy(out)), background)
}
