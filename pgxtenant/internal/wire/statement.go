package wire

import (
	"encoding/binary"
	"strings"
)

// Path is a search_path.
type Path struct {
	// SearchPath is the value of the setting: schema names, quoted, with commas.
	SearchPath string
	// Schema is the one of them that must exist, quoted.
	Schema string
}

// statementName is our prepared statement on the server. It is prepared with the
// first group that needs it.
const statementName = "cotenant_path"

// pathSQL sets the path and proves that the schema exists: set_config alone
// accepts one that does not, and names would then be found in public. Where the
// cast fails, the whole statement does, and what set_config did is undone.
const pathSQL = "SELECT pg_catalog.set_config('search_path', $1, false), $2::pg_catalog.regnamespace"

// The answers of the server to our statement, by message type.
const (
	answersToParse = "1"
	answersToBind  = "2DC"
	answersToQuery = "TDC"
)

// appendParse appends the message that prepares our statement.
func appendParse(dst []byte) []byte {
	dst, at := begin(dst, 'P')
	dst = appendString(dst, statementName)
	dst = appendString(dst, pathSQL)
	dst = binary.BigEndian.AppendUint16(dst, 0) // parameter types: as inferred
	return finish(dst, at)
}

// appendExecute appends the messages that run our statement.
func (p Path) appendExecute(dst []byte) []byte {
	dst, at := begin(dst, 'B')
	dst = appendString(dst, "") // portal
	dst = appendString(dst, statementName)
	dst = binary.BigEndian.AppendUint16(dst, 0) // parameter formats: text
	dst = binary.BigEndian.AppendUint16(dst, 2)
	for _, value := range []string{p.SearchPath, p.Schema} {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(value))) //nolint:gosec // a list of names is short
		dst = append(dst, value...)
	}
	dst = binary.BigEndian.AppendUint16(dst, 0) // result formats: text
	dst = finish(dst, at)
	dst, at = begin(dst, 'E')
	dst = appendString(dst, "")                 // portal
	dst = binary.BigEndian.AppendUint32(dst, 0) // all rows
	return finish(dst, at)
}

// appendSync appends the message that ends a group.
func appendSync(dst []byte) []byte {
	dst, at := begin(dst, 'S')
	return finish(dst, at)
}

// query is our statement as the beginning of a simple Query's text.
func (p Path) query() string {
	sql := strings.Replace(pathSQL, "$1", literal(p.SearchPath), 1)
	return strings.Replace(sql, "$2", literal(p.Schema), 1) + "; "
}

// appendQuery appends a simple Query message.
func appendQuery(dst []byte, sql string) []byte {
	dst, at := begin(dst, 'Q')
	dst = appendString(dst, sql)
	return finish(dst, at)
}

// literal quotes s for SQL. E” means the same whatever
// standard_conforming_strings says.
func literal(s string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// begin appends the type of a message and leaves room for its length; finish
// fills that in.
func begin(dst []byte, kind byte) (started []byte, at int) {
	return append(dst, kind, 0, 0, 0, 0), len(dst) + 1
}

func finish(dst []byte, at int) []byte {
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at)) //nolint:gosec // pgx's own messages are no longer
	return dst
}

func appendString(dst []byte, s string) []byte {
	return append(append(dst, s...), 0)
}
