package sqlfile

import (
	"regexp"
	"strings"
)

var dbmateLine = regexp.MustCompile(`^--\s*migrate:(up|down)(\s.*)?$`)

// cutDbmate cuts a file of dbmate, as its parser does: -- migrate:up begins the way up
// at the beginning of a line, with options behind it; both sections can come several
// times, in turn.
func cutDbmate(src source) (sections, error) {
	s := sections{emptyUp: true}
	in, start := inHead, 0
	for at, line := range src.lines {
		if !dbmateMark.MatchString(line) {
			continue
		}
		m := dbmateLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			return s, src.errorf(at, "%s: dbmate does not see it so (write -- migrate:up or -- migrate:down in lower case at the beginning of the line)", strings.TrimSpace(line))
		}
		alone := false
		for _, option := range strings.Fields(m[2]) {
			switch option {
			case "transaction:false":
				alone = true
			case "transaction:true":
			default:
				return s, src.errorf(at, "the option %q is not known (transaction:false is)", option)
			}
		}
		if m[1] == "down" && in != inUp {
			return s, src.errorf(at, "-- migrate:down without a way up before it (begin that with -- migrate:up)")
		}
		s.add(in, piece{start: start, end: at})
		if start = at + len(line); m[1] == "up" {
			in, s.hasUp, s.upAlone = inUp, true, s.upAlone || alone
		} else {
			in, s.hasDown, s.downAlone = inDown, true, s.downAlone || alone
		}
	}
	s.add(in, piece{start: start, end: len(src.text)})
	return s, nil
}
