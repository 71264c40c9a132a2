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

// Our prepared statements on the server. The proof is prepared with the first group
// that needs it. Behind a pooler the unnamed statement takes their place.
const (
	pathName  = "cotenant_path"
	proofName = "cotenant_proof"
)

// localPathSQL sets the path for the transaction. Its second parameter is a proof; see
// proofSQL.
const localPathSQL = "SELECT pg_catalog.set_config('search_path', $1, true) WHERE $2 IS NOT NULL"

// proofSQL is a statement with a parameter of type regnamespace and nothing else. It
// is bound, and never executed: a value is looked up when it is bound, and that fails
// where no schema has the name. SET alone accepts one that does not exist.
const proofSQL = ""

// Types of our parameters (pg_type.dat).
const (
	textOID         = 25
	regnamespaceOID = 4089
)

// proofColumn is the name of the column by which the proof behind a simple Query is
// known in the server's answer.
const proofColumn = "cotenant_proof"

// The server's final answers to our messages: ParseComplete and so on.
const (
	parsed   = '1'
	bound    = '2'
	closed   = '3'
	executed = 'C'
	rowShape = 'T'
)

// appendParse appends the message that prepares one of our statements.
func appendParse(dst []byte, name, sql string, types ...uint32) []byte {
	dst, at := begin(dst, 'P')
	dst = appendString(dst, name)
	dst = appendString(dst, sql)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(types))) //nolint:gosec // two at most
	for _, oid := range types {
		dst = binary.BigEndian.AppendUint32(dst, oid)
	}
	return finish(dst, at)
}

// appendClose appends the message that forgets a prepared statement, if there is one.
func appendClose(dst []byte, name string) []byte {
	dst, at := begin(dst, 'C')
	return finish(appendString(append(dst, 'S'), name), at)
}

// appendBind appends the message that binds one of our statements, with texts for
// parameters.
func appendBind(dst []byte, name string, values ...string) []byte {
	dst, at := begin(dst, 'B')
	dst = appendString(dst, "") // portal
	dst = appendString(dst, name)
	dst = binary.BigEndian.AppendUint16(dst, 0)                   // parameter formats: text
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(values))) //nolint:gosec // two at most
	for _, value := range values {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(value))) //nolint:gosec // a list of names is short
		dst = append(dst, value...)
	}
	dst = binary.BigEndian.AppendUint16(dst, 0) // result formats: text
	return finish(dst, at)
}

// appendExecute appends the message that executes what was bound.
func appendExecute(dst []byte) []byte {
	dst, at := begin(dst, 'E')
	dst = appendString(dst, "")                 // portal
	dst = binary.BigEndian.AppendUint32(dst, 0) // all rows
	return finish(dst, at)
}

// setQuery proves the schema and sets the path as the beginning of a simple Query's
// text.
func (p Path) setQuery() string {
	return "SELECT " + literal(p.Schema) + "::pg_catalog.regnamespace; SET search_path TO " + p.SearchPath + "; "
}

// localSetQuery does so for the transaction of that text.
func (p Path) localSetQuery() string {
	return "SELECT pg_catalog.set_config('search_path', " + literal(p.SearchPath) + ", true) WHERE " + literal(p.Schema) + "::pg_catalog.regnamespace IS NOT NULL; "
}

// tailQuery proves the schema as the end of a simple Query's text, whatever that
// ends with.
func (p Path) tailQuery() string {
	return "\n;SELECT " + literal(p.Schema) + "::pg_catalog.regnamespace AS " + proofColumn
}

// literal quotes s for SQL. E” means the same whatever standard_conforming_strings
// says.
func literal(s string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// equalPaths reports whether two values of search_path have the same names: the server
// reports them with quotes only where they are needed.
func equalPaths(a, b string) bool {
	if a == b {
		return true
	}
	for a != "" && b != "" {
		var x, y string
		x, a = nextName(a)
		y, b = nextName(b)
		if x != y {
			return false
		}
	}
	return a == b
}

// nextName returns the first name of a list and the rest of that, as
// SplitIdentifierString (varlena.c) takes it apart.
func nextName(list string) (name, rest string) {
	list = strings.TrimLeft(list, " \t\r\n\f\v,")
	if !strings.HasPrefix(list, `"`) {
		end := strings.IndexByte(list, ',')
		if end < 0 {
			end = len(list)
		}
		return strings.ToLower(strings.TrimRight(list[:end], " \t\r\n\f\v")), list[end:]
	}
	list = list[1:]
	for {
		end := strings.IndexByte(list, '"')
		if end < 0 {
			return name + list, ""
		}
		name += list[:end]
		list = list[end+1:]
		if !strings.HasPrefix(list, `"`) {
			return name, list
		}
		name += `"`
		list = list[1:]
	}
}
