package sqlfile

import "strings"

const (
	sqlMigratePrefix = "-- +migrate "
	sqlMigrateUp     = "-- +migrate Up"
)

// cutSQLMigrate cuts a file of sql-migrate, as its parser does: an annotation is a line
// that begins with the prefix, and sections can come several times.
func cutSQLMigrate(src source) (sections, error) {
	s := sections{emptyUp: true}
	in, start, block := inHead, 0, -1
	for at, raw := range src.lines {
		line := strings.TrimRight(raw, "\r\n")
		if !sqlMigrateMark.MatchString(line) {
			continue
		}
		command, option, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, sqlMigratePrefix)), " ")
		option = strings.TrimSpace(option)
		p := piece{start: start, end: at, whole: command == "StatementBegin"}
		switch {
		case !strings.HasPrefix(line, sqlMigratePrefix):
			return s, src.errorf(at, "%s: sql-migrate does not see it so (write %q at the beginning of the line)", strings.TrimSpace(line), sqlMigrateUp)
		case option != "" && option != "notransaction" || option != "" && command != "Up" && command != "Down":
			return s, src.errorf(at, "%s: the option %q is not known (notransaction is, behind Up and Down)", line, option)
		case (command == "Up" || command == "Down" || command == "StatementBegin") && block >= 0:
			return s, src.errorf(block, "-- +migrate StatementBegin is not closed (add -- +migrate StatementEnd)")
		case command == "Up":
			s.add(in, p)
			in, s.hasUp, s.upAlone = inUp, true, s.upAlone || option != ""
		case command == "Down":
			s.add(in, p)
			in, s.hasDown, s.downAlone = inDown, true, s.downAlone || option != ""
		case command == "StatementBegin" && in != inHead:
			s.add(in, p)
			block = at
		case command == "StatementEnd" && block >= 0:
			s.add(in, p)
			block = -1
		case command == "StatementBegin" || command == "StatementEnd":
			return s, src.errorf(at, "%s has no section or no beginning (move it, or remove it)", line)
		default:
			return s, src.errorf(at, "%s is not an annotation of sql-migrate (Up, Down, StatementBegin, StatementEnd, in this spelling)", line)
		}
		start = at + len(raw)
	}
	s.add(in, piece{start: start, end: len(src.text)})
	switch {
	case block >= 0:
		return s, src.errorf(block, "-- +migrate StatementBegin is not closed (add -- +migrate StatementEnd)")
	case !s.hasUp:
		return s, src.errorf(0, "no way up (begin it with %s)", sqlMigrateUp)
	}
	return s, nil
}
