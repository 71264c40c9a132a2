package sqlfile

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// A name begins with a number of any length that fits 20 digits, which no letter or
// digit need follow: 0001_initial, 20240102150405-things, 0001.
var migrationName = regexp.MustCompile(`^[0-9]{1,20}($|[^0-9/\\\pC][^/\\\pC]*$)`)

// CheckName says what is wrong with the name of a migration, as it stands in the
// history; the error is fact and cure.
func CheckName(name string) error {
	switch {
	case migrationName.MatchString(name) && strings.TrimSpace(name) == name:
		return nil
	case flyway.MatchString(name):
		m := flyway.FindStringSubmatch(name)
		digits := strings.Repeat("0", max(0, 4-len(m[1]))) + m[1]
		if m[1] == "" {
			digits = "0001"
		}
		return fmt.Errorf("a name as Flyway has them, whose files are not read (rename it to a number and a name: %s_%s)", digits, m[2])
	default:
		return fmt.Errorf("not a name for a migration (use a number and a name, such as 0001_initial)")
	}
}

// flyway is V2__name, V1.2__name, R__name and the like.
var flyway = regexp.MustCompile(`^(?:V([0-9]+)[._]+|[VUBR][0-9._]*__)(.+)$`)

// CompareNames orders migrations by the number that their names begin with, which can
// be a date, and a number of the day: 2024-01-31.2-name. It is 0 for two of the same
// number, whatever follows.
func CompareNames(a, b string) int {
	a, dayA := number(a)
	b, dayB := number(b)
	return cmp.Or(compareDigits(a, b), compareDigits(dayA, dayB))
}

func compareDigits(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) }

var date = regexp.MustCompile(`^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[-._T]([0-9]+))?(?:$|[^0-9])`)

// number is the digits that a migration's name begins with, without zeros in
// front, and for a date what numbers its migrations. It can be a time stamp of any
// length, so it stays text.
func number(name string) (main, ofDay string) {
	if d := date.FindStringSubmatch(name); d != nil {
		return d[1] + d[2] + d[3], strings.TrimLeft(d[4], "0")
	}
	rest := strings.TrimLeft(name, "0123456789")
	return strings.TrimLeft(name[:len(name)-len(rest)], "0"), ""
}

// cutPair takes a file's name apart if it is one of golang-migrate's:
// 0001_initial.up.sql. The name is without the ending .sql already.
func cutPair(base string) (name, way string, err error) {
	for _, way := range []string{"up", "down"} {
		name, ok := strings.CutSuffix(base, "."+way)
		if ok {
			return name, way, nil
		}
		if strings.HasSuffix(strings.ToLower(base), "."+way) {
			return "", "", fmt.Errorf("it has not quite a name of golang-migrate (end it in .%s.sql, in lower case)", way)
		}
	}
	return base, "", nil
}
