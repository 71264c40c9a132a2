package report

import (
	"fmt"
	"slices"
	"strings"
)

// Table is what is printed.
type Table struct {
	Title  string
	Note   string
	Header []string
	Rows   [][]string
}

// String is the table in Markdown.
func (t *Table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n%s\n\n", t.Title, t.Note)
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.Header)
	line(append([]string{"---"}, slices.Repeat([]string{"---:"}, len(t.Header)-1)...))
	for _, row := range t.Rows {
		line(row)
	}
	return b.String()
}
