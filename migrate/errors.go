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

// ErrGone says that a schema has a migration that the program does not know, though it
// knows newer ones, or has another in its place: the file was renamed or removed since it
// ran.
var ErrGone = errors.New("a migration of the schema is gone")

// StatementError is a statement of a file that PostgreSQL refused. Everything
// that the file did to the schema was rolled back, unless its statements run one by one.
type StatementError struct {
	// File is the path from the folder of the apps: shop/schema.sql.
	File string
	// Kept is how many statements of the file ran before it and stay, because they run
	// one by one: the next run goes on behind them.
	Kept int
	// Line is where in File the error is, from 1.
	Line int
	// Statement is the text of the statement.
	Statement string
	// Schema is the schema that the file ran in.
	Schema tenant.Schema
	// Err is the cause, a *pgconn.PgError where PostgreSQL gave one.
	Err      error
	attempts int    // how often it was tried, if that is more than once
	creation bool   // the schema is a new one
	holder   string // who has the lock that was not to be had; empty if that is not it
	role     string // the migrator role
}

// newStatementError finds the line of the error: where PostgreSQL points to,
// else where the statement begins.
func (m *Migrator) newStatementError(schema tenant.Schema, file string, stmt sqlfile.Statement, err error) *StatementError {
	e := &StatementError{File: file, Line: stmt.Line, Statement: stmt.Text, Schema: schema, Err: err, role: m.config.MigratorRole}
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
	kept := "nothing of the file was kept"
	if e.Kept > 0 {
		kept = fmt.Sprintf("the statements before it, %d, stay, and the next run goes on with it", e.Kept)
	}
	cause := e.describe()
	if e.attempts > 0 {
		cause += fmt.Sprintf(" (tried %d times)", e.attempts)
	}
	if e.holder != "" {
		cause += "; " + e.holder
	}
	return fmt.Sprintf("%s:%d: schema %q: %s; %s\n\t%s", e.File, e.Line, e.Schema, cause, kept, abridge(e.Statement))
}

// Unwrap returns the cause.
func (e *StatementError) Unwrap() error { return e.Err }

// describe is PostgreSQL's message with its detail and hint, and the cure, in one line.
func (e *StatementError) describe() string {
	var pgErr *pgconn.PgError
	if !errors.As(e.Err, &pgErr) {
		return e.Err.Error()
	}
	text := fmt.Sprintf("%s (SQLSTATE %s)", pgErr.Message, pgErr.Code)
	for _, more := range []string{pgErr.Detail, pgErr.Hint} {
		if more != "" {
			text += "; " + strings.Join(strings.Fields(more), " ")
		}
	}
	return text + cure(e.Err, e.Schema, e.role, e.creation)
}

// cure is what is to be done about an error of PostgreSQL in a migration; it is empty
// where that is for the author to see. What a new schema has is the role's already, but a
// run may not have come by since there is a shared table; every run has, that migrates.
func cure(err error, schema tenant.Schema, role string, creation bool) string {
	switch code := dberr.Code(err); {
	case code == dberr.InsufficientPrivilege && creation:
		return "; tenants' migrations may not change what is shared: move the statement into a shared app; or, if it only reads a shared table or refers to it, run \"cotenant migrate\", which lets role " +
			role + " do that with all that are the login's; or GRANT it what it lacks"
	case code == dberr.InsufficientPrivilege && !schema.IsPublic():
		return "; tenants' migrations may not change what is shared: move the statement into a shared app, or GRANT role " + role + " what it lacks; or, if what it names is the tenant's own: " + giveAll(schema, role)
	case code == dberr.InsufficientPrivilege:
		return "; GRANT the role what it lacks, or run as the owner"
	case code == dberr.ActiveTransaction:
		return "; it is not known to need that, so it ran in one: run it by hand"
	}
	return ""
}

// giveAll is the statement that gives a schema, and what is in it, to the role.
func giveAll(schema tenant.Schema, role string) string {
	return "SELECT cotenant.give_all(" + literal(schema.String()) + ", " + literal(role) + ")"
}

// literal is a string in SQL.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// abridge brings a statement into one line of at most 100 characters.
func abridge(stmt string) string {
	const most = 100
	line := strings.Join(strings.Fields(stmt), " ")
	if short := firstRunes(line, most); short != line {
		return short + " …"
	}
	return line
}
