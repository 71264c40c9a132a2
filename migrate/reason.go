package migrate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/tenant"
)

// Reason is why schemas failed that failed alike.
type Reason struct {
	// Count is how many schemas those are.
	Count int
	// Err is the error of the first of them.
	Err error
	// Schemas are up to a hundred of them, in the order in which they failed.
	Schemas []tenant.Schema

	kind string
}

// String is the error, with its schema's name. Of several schemas it is that without the
// name, and a last line that counts and names them:
//
//	shop/migrations/0002_more.sql:6: type "itn" does not exist (SQLSTATE 42704); nothing of the file was kept
//		ALTER TABLE orders ADD COLUMN n itn
//		500 schemas: a, b, c, d, e and 495 more
//
// What else the text has of a schema, such as its name in a statement, is the first one's.
func (r *Reason) String() string {
	if len(r.Schemas) == 0 {
		return r.Err.Error()
	}
	text, name := r.Err.Error(), "schema "+strconv.Quote(r.Schemas[0].String())+": "
	if r.Count == 1 {
		if !mentions(text, r.Schemas[0].String()) {
			text = name + text
		}
		return text
	}
	const most = 5
	var names []string
	for _, s := range r.Schemas[:min(most, len(r.Schemas))] {
		names = append(names, s.String())
	}
	text = fmt.Sprintf("%s\n\t%d schemas: %s", strings.Replace(text, name, "", 1), r.Count, strings.Join(names, ", "))
	if more := r.Count - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// count counts a failure by its kind. Of more kinds than a report names nothing is kept.
func (r *Report) count(failed Result, n int) {
	kind := failed.Kind()
	i := slices.IndexFunc(r.Reasons, func(other Reason) bool { return other.kind == kind })
	if i < 0 {
		if len(r.Reasons) == maxShown {
			return
		}
		i = len(r.Reasons)
		r.Reasons = append(r.Reasons, Reason{Err: failed.Err, kind: kind})
	}
	reason := &r.Reasons[i]
	reason.Count += n
	if len(reason.Schemas) < maxShown {
		reason.Schemas = append(reason.Schemas, failed.Schema)
	}
}

// Kind is the error without what differs from one schema to the next: its name, and the
// values, processes and times that the server names. Schemas that fail alike have it in
// common. It is empty where nothing failed.
func (r *Result) Kind() string {
	if r.Err == nil {
		return ""
	}
	text := r.Err.Error()
	if pgErr, ok := errors.AsType[*pgconn.PgError](r.Err); ok && pgErr.Detail != "" {
		text = strings.ReplaceAll(text, strings.Join(strings.Fields(pgErr.Detail), " "), "")
	}
	if held, ok := errors.AsType[*holderError](r.Err); ok {
		text = strings.ReplaceAll(text, held.text, "")
	}
	if refused, ok := errors.AsType[*StatementError](r.Err); ok && refused.holder != "" {
		text = strings.ReplaceAll(text, refused.holder, "")
	}
	return withoutName(text, r.Schema.String())
}

// mentions reports whether a text has a schema's name in it.
func mentions(text, name string) bool { return withoutName(text, name) != text }

// withoutName takes a schema's name out of a text, but not out of longer words.
func withoutName(text, name string) string {
	if name == "" {
		return text
	}
	var b strings.Builder
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			b.WriteString(text[at:])
			return b.String()
		}
		begin, end := at+i, at+i+len(name)
		last, _ := utf8.DecodeLastRuneInString(text[:begin])
		next, _ := utf8.DecodeRuneInString(text[end:])
		b.WriteString(text[at:begin])
		if inWord(last) || inWord(next) {
			b.WriteString(name)
		} else {
			b.WriteString("…")
		}
		at = end
	}
}

// inWord reports whether a rune goes on with a name; none does so at the end of a text.
func inWord(r rune) bool {
	return r == '_' || r == '$' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
