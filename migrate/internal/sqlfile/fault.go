package sqlfile

import "fmt"

// FaultError is what is wrong with a file, at a place in it.
type FaultError struct {
	File string // as in Script
	Line int    // from 1; 0 where it is the file as a whole
	Text string // fact and cure
}

// Error has it in one line: shop/migrations/0001_initial.sql:7: BEGIN: ….
func (e *FaultError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
}

// errorf is an error about the place at offset.
func (s source) errorf(offset int, format string, args ...any) error {
	return s.errorfLine(LineAt(s.text, offset), format, args...)
}

func (s source) errorfLine(line int, format string, args ...any) error {
	return &FaultError{s.file, line, fmt.Sprintf(format, args...)}
}

// empty is the error about a source that does nothing.
func (s source) empty() error {
	return &FaultError{s.file, 0, "it has no statements (write some, or remove it)"}
}

// Refuse returns err, which is about one file or one statement. Where the reader tells
// others of it, it goes on instead.
func (r *Reader) Refuse(err error) error {
	if r.OnFault == nil {
		return err
	}
	r.OnFault(err)
	return nil
}
