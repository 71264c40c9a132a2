package sqlfile

import (
	"cmp"
	"fmt"
	"slices"
)

// Rows reads a file that puts rows into the tables of a schema, and is no migration. Its
// statements are held to what those of migrations are, and run in one transaction.
func (r *Reader) Rows(file, text string) (Script, error) {
	src, err := newSource(file, text)
	if err != nil {
		return Script{}, err
	}
	if f, err := src.form(); err != nil || f != plain {
		return Script{}, cmp.Or(err, fmt.Errorf("%s: it has annotations of %v, and it is no migration (leave them out, and the way back)", file, f))
	}
	s, err := r.script(src, []piece{{end: len(src.text)}}, false)
	switch {
	case err != nil:
		return Script{}, err
	case len(s.Statements) == 0:
		return Script{}, src.empty()
	case s.NoTransaction:
		line := 1
		if i := slices.IndexFunc(s.Statements, func(s Statement) bool { return s.Alone }); i >= 0 {
			line = s.Statements[i].Line
		}
		return Script{}, src.errorfLine(line, "rows are loaded in one transaction (leave out what cannot run in one)")
	}
	return s.Script, nil
}
