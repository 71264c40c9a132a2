//go:build unix

package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// page is a page of the documentation.
type page struct {
	file   string // its path from here
	source []byte
	fences []fence
	needs  []string // programs besides those of every page
	edits  []edit
}

// fence is a block of code.
type fence struct {
	language string
	text     string
	line     int // of the page, of its first line
	start    int // in the source, of its first line
	file     string
	untested bool
}

// command is one of a console, with what it is said to print.
type command struct {
	text, want string
	line       int
	start, end int // in the source, of what it prints
}

// edit is a piece of the source and what takes its place.
type edit struct {
	start, end int
	text       string
}

func updating() bool { return os.Getenv("UPDATE_DOCS") != "" }

// readPage reads a page. A comment before a fence that is none of ours is an error: it
// might be one of ours, misspelt.
func readPage(t *testing.T, file string) *page {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &page{file: file, source: source}
	err = ast.Walk(goldmark.DefaultParser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.HTMLBlock:
			if key, value := p.comment(n); key == "needs" {
				p.needs = append(p.needs, strings.Fields(value)...)
			}
		case *ast.FencedCodeBlock:
			p.add(t, n)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *page) add(t *testing.T, n *ast.FencedCodeBlock) {
	t.Helper()
	if n.Lines().Len() == 0 {
		return
	}
	start := n.Lines().At(0).Start
	f := fence{
		language: string(n.Language(p.source)),
		line:     bytes.Count(p.source[:start], []byte("\n")) + 1,
		start:    start,
		text:     string(n.Lines().Value(p.source)),
	}
	if before, ok := n.PreviousSibling().(*ast.HTMLBlock); ok {
		switch key, value := p.comment(before); {
		case key == "file" && filepath.IsLocal(value):
			f.file = value
		case key == "no test" && value != "":
			f.untested = true
		case key != "needs":
			t.Fatalf("%s:%d: the comment before this block is none that this test knows", p.file, f.line)
		}
	}
	if slices.Contains([]string{"bash", "shell", "zsh"}, f.language) {
		t.Fatalf("%s:%d: a block in %q (call it sh, which is run, or console)", p.file, f.line, f.language)
	}
	if (f.language == "sh" || f.language == "console") && !bytes.HasPrefix(p.source[start:], []byte(f.text)) {
		t.Fatalf("%s:%d: a block that is run stands at the margin", p.file, f.line)
	}
	p.fences = append(p.fences, f)
}

// comment takes a comment of the form "key: value" apart.
func (p *page) comment(n *ast.HTMLBlock) (key, value string) {
	inner := string(n.Lines().Value(p.source))
	if n.HasClosure() && !strings.Contains(inner, "-->") {
		inner += string(n.ClosureLine.Value(p.source))
	}
	inner = strings.TrimSpace(inner)
	inner, ok := strings.CutPrefix(inner, "<!--")
	inner, closed := strings.CutSuffix(inner, "-->")
	if !ok || !closed {
		return "", ""
	}
	key, value, _ = strings.Cut(inner, ":")
	return strings.TrimSpace(key), strings.TrimSpace(value)
}

// runs says whether there is anything to run.
func (p *page) runs() bool {
	return slices.ContainsFunc(p.fences, func(f fence) bool {
		return !f.untested && (f.language == "sh" || f.language == "console")
	})
}

// commands takes a console apart.
func (f fence) commands(t *testing.T, p *page) []command {
	t.Helper()
	var all []command
	at, line, typing := f.start, f.line, false
	for text := range strings.Lines(f.text) {
		at += len(text)
		typed, begins := strings.CutPrefix(text, "$ ")
		more, continues := strings.CutPrefix(text, "> ")
		switch {
		case begins:
			all = append(all, command{text: typed, line: line, start: at, end: at})
		case len(all) == 0:
			t.Fatalf(`%s:%d: a console begins with a command, after "$ "`, p.file, line)
		case typing && continues:
			last := &all[len(all)-1]
			last.text += more
			last.start, last.end = at, at
		default:
			last := &all[len(all)-1]
			last.want += text
			last.end = at
		}
		typing = begins || typing && continues
		line++
	}
	return all
}

// matches says whether a command printed what a page says. Blanks at the ends of lines,
// which psql writes and editors remove, do not count.
func matches(want, got string) bool {
	var pattern strings.Builder
	for line := range strings.Lines(tidy(want)) {
		if line == "…\n" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		parts := strings.Split(line, "…")
		for i, part := range parts {
			if i > 0 {
				part = strings.TrimLeft(part, " ") // a table's columns stay in line
			}
			parts[i] = regexp.QuoteMeta(part)
		}
		pattern.WriteString(strings.Join(parts, ".*"))
	}
	return regexp.MustCompile("^(?:" + pattern.String() + ")$").MatchString(tidy(got))
}

// tidy takes away the blanks at the ends of lines, and empty lines at the end.
func tidy(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(line, " \t\r\n") + "\n")
	}
	if trimmed := strings.TrimRight(b.String(), "\n"); trimmed != "" {
		return trimmed + "\n"
	}
	return ""
}

// passing is what is another each time: how long something took, and when it was.
var passing = regexp.MustCompile(`\b\d+(\.\d+)?m?s\b|\b(20\d\d-\d\d-\d\d[ T])?\d\d:\d\d:\d\d[.\d]*Z?`)

// steady takes it out. A time in a table keeps its place.
func steady(text string) string {
	return tidy(passing.ReplaceAllStringFunc(text, func(found string) string {
		if _, _, table := strings.Cut(found, " "); table {
			return "…" + strings.Repeat(" ", len(found)-1)
		}
		return "…"
	}))
}

// update writes what the commands have printed.
func (p *page) update(t *testing.T) {
	t.Helper()
	if len(p.edits) == 0 {
		return
	}
	source := p.source
	for _, e := range slices.Backward(p.edits) {
		source = slices.Concat(source[:e.start], []byte(steady(e.text)), source[e.end:])
	}
	if err := os.WriteFile(p.file, source, 0o600); err != nil {
		t.Fatal(err)
	}
}
