package pgxtenant

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// MinServerVersion is the oldest PostgreSQL that cotenant works with, in the
// form of server_version_num.
const MinServerVersion = 140000

// The errors of CheckServer.
var (
	// ErrServerTooOld: the server is older than MinServerVersion.
	ErrServerTooOld = errors.New("PostgreSQL is too old")
	// ErrPooler: a pooler stands between the program and the server.
	ErrPooler = errors.New("a connection pooler is in the way")
)

// CheckServer reports whether the server behind conn can be used. The error
// wraps ErrServerTooOld or ErrPooler.
//
// A pooler such as PgBouncer shows itself in that the process id it announced is
// not that of the server process which answers. In transaction pooling it gives
// each transaction any server connection, so that a search_path set on one
// serves the next client with another tenant's rows.
func CheckServer(ctx context.Context, conn *pgx.Conn) error {
	// By pgconn, so that a tracer is not shown it.
	results, err := conn.PgConn().Exec(ctx,
		"SELECT pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_version'), pg_catalog.pg_backend_pid()").ReadAll()
	if err != nil {
		return fmt.Errorf("look at the server: %w", err)
	}
	row := results[0].Rows[0]
	version, err := strconv.Atoi(string(row[0]))
	if err != nil {
		return fmt.Errorf("look at the server: %w", err)
	}
	name, pid := string(row[1]), string(row[2])
	if err := checkVersion(version, name); err != nil {
		return err
	}
	if pid != strconv.FormatUint(uint64(conn.PgConn().PID()), 10) {
		return fmt.Errorf("%w: rows of one tenant could reach another through it (connect to the server itself; or for transaction pooling use the mode pgxtenant.Transaction, and with cotenant.Open Config.DirectURL for the server itself)", ErrPooler)
	}
	return nil
}

func checkVersion(version int, name string) error {
	if version < MinServerVersion {
		return fmt.Errorf("%w: the server is %s, cotenant needs %d or newer (upgrade the server)", ErrServerTooOld, name, MinServerVersion/10000)
	}
	return nil
}
