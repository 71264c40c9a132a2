package manage

import (
	"strconv"
	"strings"
	"unicode"
)

// printable is a name or a value as reports for people show it, on one line: what a terminal
// would obey, or not show, stands there as Go writes it, \x1b. A customer can have chosen it,
// or whoever may create tables. Programs read --json, which has all as it is.
func printable(text string) string { return withoutControls(text, "") }

// printableText is printable for a text of several lines, which stay lines.
func printableText(text string) string { return withoutControls(text, "\n\t") }

func withoutControls(text, keep string) string {
	hidden := func(c rune) bool { return !unicode.IsPrint(c) && !strings.ContainsRune(keep, c) }
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for _, c := range text {
		if hidden(c) {
			quoted := strconv.QuoteRune(c)
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// printables are names, each printable.
func printables(names []string) []string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = printable(name)
	}
	return shown
}
