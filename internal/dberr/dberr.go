// Package dberr names the errors of PostgreSQL that cotenant tells apart, and puts
// a failed connection into one line.
package dberr

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATEs (PostgreSQL manual, appendix A "PostgreSQL Error Codes").
const (
	ActiveTransaction     = "25001"
	CardinalityViolation  = "21000"
	CheckViolation        = "23514"
	DeadlockDetected      = "40P01"
	DivisionByZero        = "22012"
	DuplicateObject       = "42710"
	DuplicateSchema       = "42P06"
	ExclusionViolation    = "23P01"
	FeatureNotSupported   = "0A000"
	ForeignKeyViolation   = "23503"
	InsufficientPrivilege = "42501"
	InvalidAuthorization  = "28000"
	InvalidCatalogName    = "3D000"
	InvalidPassword       = "28P01"
	InvalidSchemaName     = "3F000"
	LockNotAvailable      = "55P03"
	NotNullViolation      = "23502"
	OutOfMemory           = "53200"
	QueryCanceled         = "57014"
	RaiseException        = "P0001"
	ReadOnlyTransaction   = "25006"
	TooLong               = "22001"
	TooManyConnections    = "53300"
	UndefinedColumn       = "42703"
	UndefinedFunction     = "42883"
	UndefinedObject       = "42704"
	UndefinedTable        = "42P01"
	UniqueViolation       = "23505"
)

// Code returns the SQLSTATE of err, empty if PostgreSQL did not send it.
func Code(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

// IsBeside reports whether err is of a moment at which somebody else had a lock, or made an
// object of the same name: CREATE … IF NOT EXISTS meets that in the catalog's own indexes.
// It does not come again when they are through.
func IsBeside(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (pgErr.Code == LockNotAvailable || pgErr.Code == UniqueViolation && pgErr.SchemaName == "pg_catalog")
}

// Parse returns the error of a connection string that cannot be used. The string is
// not shown, nor what pgx says of it: both can hold a part of the password.
func Parse(setting string) error {
	return fmt.Errorf("%s is no connection string (write postgres://user:password@host:5432/database, with @ : / ? # and %% in the password percent-encoded as %%40 %%3A %%2F %%3F %%23 %%25, or user=… password='…' host=… dbname=…)", setting)
}

// Connect returns the error of a failed connection in one line: where the database
// was looked for, without the password, what the server or the network answered,
// and the cure. pgconn's own has a line for every address it tried.
func Connect(config *pgx.ConnConfig, err error) error {
	where := fmt.Sprintf("database %q on %s:%d as %q", config.Database, config.Host, config.Port, config.User)
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return &connectError{where + ": cannot connect: " + reason(err) + " (is the server up, and the address right?)", err}
	}
	cure := ""
	switch pgErr.Code {
	case InvalidAuthorization, InvalidPassword:
		cure = " (check the user and the password of the URL, and pg_hba.conf)"
	case InvalidCatalogName:
		cure = " (create it with createdb, or correct the URL)"
	case InsufficientPrivilege:
		cure = " (GRANT CONNECT ON DATABASE … to the role)"
	case TooManyConnections:
		cure = " (raise max_connections, or close other programs)"
	}
	return &connectError{fmt.Sprintf("%s: %s (SQLSTATE %s)%s", where, pgErr.Message, pgErr.Code, cure), err}
}

// reason is why a connection failed: in pgconn's words, those of the last address
// that it tried, or of the system where it has them.
func reason(err error) string {
	var sysErr *os.SyscallError
	if errors.As(err, &sysErr) {
		return sysErr.Err.Error()
	}
	text := strings.TrimSpace(err.Error())
	text = strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
	if _, after, ok := strings.Cut(text, "): "); ok { // host:port (address): …
		return after
	}
	return text
}

// connectError has a text of ours and the cause as it was.
type connectError struct {
	text  string
	cause error
}

func (e *connectError) Error() string { return e.text }
func (e *connectError) Unwrap() error { return e.cause }
