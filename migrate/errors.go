package migrate

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
	"github.com/cotenant/cotenant/tenant"
)

// ErrNewer says that a schema has migrations that the program does not know: the
// program is older than the database.
var ErrNewer = errors.New("the schema is newer than the program")

// StatementError is a statement of a file that PostgreSQL refused. Everything
// that the file did to the schema was rolled back.
type StatementError struct {
	// File is the path from the folder of the apps: shop/schema.sql.
	File string
	// Line is where in File the error is, from 1.
	Line int
	// Statement is the text of the statement.
	Statement string
	// Schema is the schema that the file ran in.
	Schema tenant.Schema
	// Err is the cause, a *pgconn.PgError where PostgreSQL gave one.
	Err error
}

// newStatementError finds the line of the error: where PostgreSQL points to,
// else where the statement begins.
func newStatementError(schema tenant.Schema, s script, stmt sqlfile.Statement, err error) *StatementError {
	e := &StatementError{File: s.file, Line: stmt.Line, Statement: stmt.Text, Schema: schema, Err: err}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Position > 0 {
		e.Line += strings.Count(firstRunes(stmt.Text, int(pgErr.Position)-1), "\n")
	}
	return e
}

// firstRunes returns the first n characters of s: PostgreSQL counts characters,
// not bytes.
func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// Error is two lines: file, line, schema and cause, then the statement's
// beginning.
func (e *StatementError) Error() string {
	return fmt.Sprintf("%s:%d: schema %q: %s; nothing of the file was kept\n\t%s",
		e.File, e.Line, e.Schema, describe(e.Err), abridge(e.Statement))
}

// Unwrap returns the cause.
func (e *StatementError) Unwrap() error { return e.Err }

// describe is PostgreSQL's message with its detail and hint, in one line.
func describe(err error) string {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err.Error()
	}
	text := fmt.Sprintf("%s (SQLSTATE %s)", pgErr.Message, pgErr.Code)
	for _, more := range []string{pgErr.Detail, pgErr.Hint} {
		if more != "" {
			text += "; " + strings.Join(strings.Fields(more), " ")
		}
	}
	switch pgErr.Code {
	case dberr.InsufficientPrivilege:
		text += "; GRANT the role what it lacks, or run as the owner"
	case dberr.ActiveTransaction:
		text += "; every file runs in a transaction, and statements that cannot are not supported yet"
	}
	return text
}

// abridge brings a statement into one line of at most 100 characters.
func abridge(stmt string) string {
	const most = 100
	line := strings.Join(strings.Fields(stmt), " ")
	if short := firstRunes(line, most); short != line {
		return short + " …"
	}
	return line
}
