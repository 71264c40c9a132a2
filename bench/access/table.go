package main

import (
	"fmt"
	"slices"
	"strings"
)

// table is what is printed.
type table struct {
	title  string
	note   string
	header []string
	rows   [][]string
}

// String is the table in Markdown.
func (t *table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n%s\n\n", t.title, t.note)
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.header)
	line(append([]string{"---"}, slices.Repeat([]string{"---:"}, len(t.header)-1)...))
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}
