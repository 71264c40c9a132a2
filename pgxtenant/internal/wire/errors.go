package wire

import (
	"bytes"
	"strconv"
)

// Routine is what an error of our statements has in its Routine field where the
// schema does not exist. PostgreSQL has the name of the C function there that raised
// the error.
const Routine = "cotenant"

// SQLSTATEs: invalid_schema_name, invalid_sql_statement_name.
const (
	schemaMissing    = "3F000"
	statementMissing = "26000"
)

// rewriteError brings the body of an ErrorResponse into the terms of what pgx sent,
// and returns its SQLSTATE. What of ours stood before it comes off the position that
// the error points to; that a schema does not exist is marked as ours if it is, which
// in a simple Query shows by the position.
func rewriteError(body []byte, g *group, mine bool) (rewritten []byte, code string) {
	var fields [][]byte
	for len(body) > 0 && body[0] != 0 {
		end := bytes.IndexByte(body, 0)
		if end < 0 {
			break
		}
		field := body[:end+1]
		body = body[end+1:]
		switch value := string(field[1:end]); field[0] {
		case 'C':
			code = value
		case 'P':
			at, ours := g.position(value)
			mine = mine || ours
			if ours {
				continue
			}
			field = append([]byte("P"+at), 0)
		}
		fields = append(fields, field)
	}
	var out []byte
	for _, field := range fields {
		if field[0] == 'R' && mine && code == schemaMissing {
			field = []byte("R" + Routine + "\x00")
		}
		out = append(out, field...)
	}
	return append(out, 0), code
}

// position returns the position in what pgx sent, and whether it is in what is ours.
func (g *group) position(value string) (at string, ours bool) {
	n, err := strconv.Atoi(value)
	if err != nil {
		return value, false
	}
	shift := 0
	for _, s := range g.ours {
		if n >= s.from && n < s.to {
			// A syntax error at our semicolon is one at the end of the text.
			return "", true
		}
		if n >= s.to {
			shift += s.to - s.from
		}
	}
	return strconv.Itoa(n - shift), false
}
