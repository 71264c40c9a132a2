package manage

import (
	"os"
	"strings"

	"github.com/mitchellh/colorstring"
	"golang.org/x/term"

	"github.com/cotenant/cotenant/doctor"
)

// paint colours words, where people look at them: at a terminal that can, unless NO_COLOR
// is set (https://no-color.org).
type paint struct{ colorstring.Colorize }

func newPaint(stream any) paint {
	plain := !isTerminal(stream) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
	return paint{colorstring.Colorize{Colors: colorstring.DefaultColors, Disable: plain}}
}

// in returns text in a colour of colorstring.
func (p paint) in(colour, text string) string {
	return p.Color("["+colour+"]") + text + p.Color("[reset]")
}

// severity returns text in the colour of what is so bad.
func (p paint) severity(s, text string) string {
	switch s {
	case string(doctor.Error):
		return p.in("red", text)
	case string(doctor.Warning):
		return p.in("yellow", text)
	}
	return p.in("cyan", text)
}

// patch returns the lines of a difference, with what is missing and what is there in
// addition in the colours of a patch.
func (p paint) patch(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		mark, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if colour := map[string]string{"-": "red", "+": "green", "~": "yellow"}[mark]; colour != "" {
			lines[i] = p.in(colour, line)
		}
	}
	return strings.Join(lines, "\n")
}

// isTerminal reports whether it is a terminal that a stream leads to.
func isTerminal(stream any) bool {
	file, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}
