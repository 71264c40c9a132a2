package sqlfile

import (
	"regexp"
	"strings"
)

const ternMark = "---- create above / drop below ----"

var ternAlone = regexp.MustCompile(`(?m)^---- tern: disable-tx ----\r?$`)

// cutTern cuts a file of tern: what is above the mark is the way up, and what is below
// it the way back, if it is anything. Its templates are not read.
func cutTern(src source) (sections, error) {
	s := sections{hasUp: true, emptyUp: true}
	if i := strings.Index(src.text, "{{"); i >= 0 {
		return s, src.errorf(i, "templates of tern are not read (write what comes of it into the file)")
	}
	mark := strings.Index(src.text, ternMark)
	if mark < 0 {
		if i := ternLikeMark.FindStringIndex(src.text); !ternAlone.MatchString(src.text) {
			return s, src.errorf(i[0], "tern does not see the line so (write %s)", ternMark)
		}
		mark = len(src.text)
	}
	up, down := src.text[:mark], strings.TrimPrefix(src.text[mark:], ternMark)
	s.up = []piece{{end: mark}}
	s.upAlone, s.downAlone = ternAlone.MatchString(up), ternAlone.MatchString(down)
	if strings.TrimSpace(down) != "" {
		s.hasDown = true
		s.down = []piece{{start: len(src.text) - len(down), end: len(src.text)}}
	}
	return s, nil
}
