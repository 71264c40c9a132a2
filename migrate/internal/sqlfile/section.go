package sqlfile

import (
	"strings"
)

// piece is a part of a source. No statement goes on from one into the next.
type piece struct {
	start, end int
	// whole has the annotation behind it stand between statements: the last one of
	// the piece must have its semicolon.
	whole bool
}

// sections are the parts of a source by what they are for.
type sections struct {
	head []piece // before the first section, without statements
	up   []piece
	down []piece

	hasUp, hasDown  bool
	upAlone         bool // outside of a transaction
	downAlone       bool
	emptyUp         bool // may be
	checksumOfWhole bool
}

// direction is the section that a reader of sections is in.
type direction int

const (
	inHead direction = iota
	inUp
	inDown
)

// add puts a piece into a section.
func (s *sections) add(d direction, p piece) {
	switch d {
	case inHead:
		s.head = append(s.head, p)
	case inUp:
		s.up = append(s.up, p)
	case inDown:
		s.down = append(s.down, p)
	}
}

// parse makes a migration of a source that has both ways in it, or the way up.
func (r *Reader) parse(src source, name string, f form) (Migration, error) {
	m := Migration{Name: name, Checksum: src.sum}
	s, err := f.cut(src)
	if err != nil {
		return m, err
	}
	head, err := src.statements(s.head)
	if err != nil {
		return m, err
	}
	if len(head.stmts) > 0 {
		return m, src.errorfLine(head.stmts[0].Line, "a statement stands before the first section of %s (move it behind %s)", f, f.begin())
	}
	up, err := r.script(src, s.up, head.alone || s.upAlone)
	if err != nil {
		return m, err
	}
	m.Up = up.Script
	m.Up.Allows.add(head.allows)
	m.Requires = append(head.requires, up.requires...)
	m.Replaces = append(head.replaces, up.replaces...)
	if len(m.Up.Statements) == 0 && !s.emptyUp {
		return m, src.empty()
	}
	if !s.checksumOfWhole {
		m.Checksum = src.sumOf(s.up)
	}
	if !s.hasDown {
		return m, nil
	}
	down, err := r.down(src, s.down, head.alone || s.downAlone)
	m.Down = down
	return m, err
}

// down makes the script of a way back.
func (r *Reader) down(src source, pieces []piece, alone bool) (*Script, error) {
	s, err := r.script(src, pieces, alone)
	if err != nil {
		return nil, err
	}
	if d := s.wayUp; d.name != "" {
		return nil, src.errorfLine(d.line, "-- cotenant:%s stands in the way back (move it to the way up)", d.name)
	}
	return &s.Script, nil
}

// sumOf is the checksum of a section: whoever mends the way back does not change what
// ran.
func (s source) sumOf(pieces []piece) string {
	var text strings.Builder
	for _, p := range pieces {
		text.WriteString(s.text[p.start:p.end])
	}
	return checksum(strings.TrimRight(text.String(), " \t\r\n\f\v"))
}
