package sqlfile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// A comment that silences checks belongs to the statement that it stands at.
func TestAllows(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ name, text, want string }{
		{"before a statement", "SELECT 1;\n\n-- cotenant:allow a: why\n\nSELECT 2", "SELECT 2[3 a: why]"},
		{"at the first statement", "-- cotenant:allow a\n-- a table\nSELECT 1", "SELECT 1[1 a]"},
		{"above it", "-- cotenant:allow a\n\nSELECT 1", "file[1 a]"},
		{"above it, behind other comments", "-- ours\r\n-- cotenant:allow a\r\n \r\n-- more\r\nSELECT 1", "file[2 a]"},
		{"above it and at it", "-- cotenant:allow a\n\n-- cotenant:allow b\nSELECT 1", "file[1 a] SELECT 1[3 b]"},
		{"at the end of a line", "SELECT 1; -- cotenant:allow a\nSELECT 2; SELECT 3; -- cotenant:allow b", "SELECT 1[1 a] SELECT 3[2 b]"},
		{"at the end without a semicolon", "SELECT 1 -- cotenant:allow a", "SELECT 1 -- cotenant:allow a[1 a]"},
		{"within", "SELECT 1,\n-- cotenant:allow a\n2 -- cotenant:allow b\n", "SELECT 1,\n-- cotenant:allow a\n2 -- cotenant:allow b[2 a, 3 b]"},
		{"behind everything", "SELECT 1;\n-- cotenant:allow a\n", "nothing[2 a]"},
		{"goose", "-- cotenant:allow a\n-- +goose Up\n-- cotenant:allow b\n\n-- cotenant:allow c\n-- +goose StatementBegin\nSELECT 1;\n-- +goose StatementEnd\n-- +goose Down\nSELECT 2;", "file[3 b, 1 a] SELECT 1[5 c]"},
		{"at a BEGIN that is taken off", "-- cotenant:allow a\nBEGIN;\nSELECT 1;\nCOMMIT;", "file[1 a]"},
		{"in a block comment or a string", "/* -- cotenant:allow a */ SELECT '-- cotenant:allow b'", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			m, err := (&sqlfile.Reader{App: "a"}).Parse("1", tt.text)
			if err != nil {
				t.Fatal(err)
			}
			show := func(what string, allows []sqlfile.Allow) string {
				var texts []string
				for _, a := range allows {
					texts = append(texts, fmt.Sprintf("%d %s", a.Line, a.Text))
				}
				if texts == nil {
					return ""
				}
				return what + "[" + strings.Join(texts, ", ") + "] "
			}
			got := show("file", m.Up.Allows.OfFile)
			for _, s := range m.Up.Statements {
				got += show(s.Text, s.Allows)
			}
			got += show("nothing", m.Up.Allows.OfNothing)
			if got = strings.TrimSpace(got); got != tt.want {
				t.Errorf("%q:\n got %q\nwant %q", tt.text, got, tt.want)
			}
		})
	}
}

// A file that ran stays the one that ran when it is silenced.
func TestAllowsAreNotInTheChecksum(t *testing.T) {
	t.Parallel()

	sum := func(text string) string {
		m, err := (&sqlfile.Reader{App: "a"}).Parse("1", text)
		if err != nil {
			t.Fatal(err)
		}
		return m.Checksum
	}
	for was, texts := range map[string][]string{
		"SELECT 1;\nSELECT 2;\n": {
			"-- cotenant:allow a\nSELECT 1;\nSELECT 2;\n", "-- cotenant:allow a\n\nSELECT 1;\nSELECT 2;\n", "SELECT 1;\n  -- cotenant:allow a: why\nSELECT 2;\n",
			"SELECT 1; -- cotenant:allow a\nSELECT 2;\n", "SELECT 1;\r\nSELECT 2; -- cotenant:allow a\r\n", "SELECT 1;\nSELECT 2;\n--Cotenant:allow a",
		},
		"-- ours\n\nSELECT 1;":                            {"-- ours\n-- cotenant:allow a\n\nSELECT 1;", "-- cotenant:allow b\n\n-- ours\n\nSELECT 1; -- cotenant:allow a"},
		"-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT": {"-- +goose Up\n-- cotenant:allow a\n\nSELECT 1;\n-- +goose Down\nSELECT", "-- cotenant:allow a\n-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT"},
	} {
		for _, text := range texts {
			if sum(text) != sum(was) {
				t.Errorf("%q has another checksum than %q", text, was)
			}
		}
	}
	if sum("SELECT 1; -- cotenant:allow a\nSELECT 2") == sum("SELECT 1; SELECT 2") || sum("SELECT 1 -- cotenantallow") == sum("SELECT 1") {
		t.Error("other texts have the same checksum")
	}
}
