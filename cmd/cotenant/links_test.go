package main_test

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// root is the folder of the repository.
const root = "../.."

// Every link of the documentation leads somewhere: to a file, and to a heading in it. What
// is elsewhere is looked at for its form alone.
func TestLinks(t *testing.T) {
	t.Parallel()

	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"README.md", "CONTRIBUTING.md", "bench/README.md"}
	for _, doc := range docs {
		files = append(files, "docs/"+filepath.Base(doc))
	}
	all := map[string]*linked{}
	for _, file := range files {
		all[file] = readLinked(t, file)
	}
	for _, file := range files {
		for _, link := range all[file].links {
			if wrong := follow(t, all, file, link); wrong != "" {
				t.Errorf("%s: the link %s: %s", file, link, wrong)
			}
		}
		if strings.HasPrefix(file, "docs/") && file != "docs/README.md" && !slices.Contains(all["docs/README.md"].links, path.Base(file)) {
			t.Errorf("docs/README.md, the table of contents, has no link to %s", path.Base(file))
		}
	}
}

// linked is a file with its links and what links can lead to.
type linked struct {
	links   []string
	anchors []string
}

func readLinked(t *testing.T, file string) *linked {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	l := &linked{}
	times := map[string]int{}
	parser := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()
	err = ast.Walk(parser.Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			a := anchor(plain(n, source))
			if times[a]++; times[a] > 1 {
				a += "-" + strconv.Itoa(times[a]-1)
			}
			l.anchors = append(l.anchors, a)
		case *ast.Link:
			l.links = append(l.links, string(n.Destination))
		case *ast.Image:
			l.links = append(l.links, string(n.Destination))
		case *ast.AutoLink:
			l.links = append(l.links, string(n.URL(source)))
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// plain is the text of a heading.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		switch c := child.(type) {
		case *ast.Text:
			b.Write(c.Value(source))
		case *ast.String:
			b.Write(c.Value)
		default:
			b.WriteString(plain(c, source))
		}
	}
	return b.String()
}

// anchor is what GitHub calls a heading: in lower case, with hyphens for blanks, without
// punctuation (docs.github.com, "Basic writing and formatting syntax", "Section links").
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(heading))
}

// follow says what is wrong with a link of a file.
func follow(t *testing.T, all map[string]*linked, file, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		return err.Error()
	}
	if u.Scheme != "" || u.Host != "" {
		if u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return "neither a file nor an address"
		}
		return ""
	}
	target := file
	if u.Path != "" {
		target = path.Join(path.Dir(file), u.Path)
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
		return "there is no such file"
	}
	if u.Fragment == "" {
		return ""
	}
	if all[target] == nil {
		all[target] = readLinked(t, target)
	}
	if !slices.Contains(all[target].anchors, u.Fragment) {
		return "no heading has this anchor; there are " + strings.Join(all[target].anchors, ", ")
	}
	return ""
}

// As GitHub has them.
func TestAnchor(t *testing.T) {
	t.Parallel()

	for heading, want := range map[string]string{
		"What it costs":          "what-it-costs",
		"1. Before: check it":    "1-before-check-it",
		"tenant_command":         "tenant_command",
		"Über `cotenant.toml`":   "über-cotenanttoml",
		"a  b, c-d & e (really)": "a--b-c-d--e-really",
	} {
		if got := anchor(strings.ReplaceAll(heading, "`", "")); got != want {
			t.Errorf("%s: %s, want %s", heading, got, want)
		}
	}
}
