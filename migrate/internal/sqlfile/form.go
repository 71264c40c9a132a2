package sqlfile

import "regexp"

// form is how a file says what is the way up and what the way back.
type form int

const (
	plain      form = iota // the file is the way up
	goose                  // -- +goose Up
	sqlMigrate             // -- +migrate Up
	dbmate                 // -- migrate:up
	tern                   // ---- create above / drop below ----
	pair                   // golang-migrate: a file for each way, told by its name
)

// String is what the form is called in messages.
func (f form) String() string {
	return [...]string{"a plain file", "goose", "sql-migrate", "dbmate", "tern", "golang-migrate"}[f]
}

// begin is what the way up begins with in a file.
func (f form) begin() string {
	return [...]string{"", gooseUp, sqlMigrateUp, "-- migrate:up", "", ""}[f]
}

// The marks are what files of a form have, and what they would have but for a slip: a
// file that is taken for a plain one by mistake would run its way back as well.
var (
	gooseMark      = regexp.MustCompile(`(?mi)^[ \t]*--[- \t]*\+goose\b`)
	sqlMigrateMark = regexp.MustCompile(`(?mi)^[ \t]*--[- \t]*\+migrate\b`)
	dbmateMark     = regexp.MustCompile(`(?mi)^[ \t]*--[ \t]*migrate:(up|down)\b`)
	ternLikeMark   = regexp.MustCompile(`(?mi)^[ \t]*--[- \t]*(create above[ \t]*/|tern:[ \t]*disable-tx)`)
)

// form tells the form of a source by its annotations.
func (s source) form() (form, error) {
	found, at := plain, 0
	for _, m := range []struct {
		form form
		mark *regexp.Regexp
	}{{goose, gooseMark}, {sqlMigrate, sqlMigrateMark}, {dbmate, dbmateMark}, {tern, ternLikeMark}} {
		i := m.mark.FindStringIndex(s.text)
		switch {
		case i == nil:
		case found == plain:
			found, at = m.form, i[0]
		default:
			return found, s.errorf(max(at, i[0]), "it has annotations of %s and of %s (keep those of one)", found, m.form)
		}
	}
	return found, nil
}

// cut finds the sections of a source.
func (f form) cut(src source) (sections, error) {
	switch f {
	case goose:
		return cutGoose(src)
	case sqlMigrate:
		return cutSQLMigrate(src)
	case dbmate:
		return cutDbmate(src)
	case tern:
		return cutTern(src)
	default:
		return sections{
			up: []piece{{end: len(src.text)}}, hasUp: true,
			emptyUp: f == pair, checksumOfWhole: true,
		}, nil
	}
}
