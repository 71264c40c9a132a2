package cotenant

import (
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// connectError says in a line where the database was looked for, without the
// password, and what the server or the network answered.
func connectError(config *pgx.ConnConfig, err error) error {
	where := fmt.Sprintf("database %q on %s:%d as %q", config.Database, config.Host, config.Port, config.User)
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		reason := "cannot connect"
		var netErr *net.OpError
		if errors.As(err, &netErr) {
			reason += ", " + netErr.Err.Error()
		}
		return &unreachableError{where + ": " + reason + " (is the server up, and the address right?)", err}
	}
	cure := ""
	switch pgErr.Code {
	case "28000", "28P01": // invalid_authorization_specification, invalid_password
		cure = " (check the user and the password of the URL, and pg_hba.conf)"
	case "3D000": // invalid_catalog_name
		cure = " (create it with createdb, or correct the URL)"
	case "42501": // insufficient_privilege
		cure = " (GRANT CONNECT ON DATABASE … to the role)"
	case "53300": // too_many_connections
		cure = " (raise max_connections, or close other programs)"
	}
	return &unreachableError{fmt.Sprintf("%s: %s (SQLSTATE %s)%s", where, pgErr.Message, pgErr.Code, cure), err}
}

// unreachableError replaces the text of pgconn.ConnectError, which has a line for
// every address tried.
type unreachableError struct {
	text  string
	cause error
}

func (e *unreachableError) Error() string { return e.text }
func (e *unreachableError) Unwrap() error { return e.cause }
