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

// ErrServerTooOld says that the server is older than MinServerVersion.
var ErrServerTooOld = errors.New("PostgreSQL is too old")

// CheckServer reports whether the server behind conn can be used, in the modes other
// than Transaction. The error wraps ErrServerTooOld or ErrPooler.
//
// A pooler such as PgBouncer shows itself in that the process id it announced is
// not that of the server process which answers, at once or the next time. In
// transaction pooling it gives each transaction any server connection, so that a
// search_path set on one serves the next client with another tenant's rows. In session
// pooling that does not happen, until the pooler is told otherwise: neither is taken.
func CheckServer(ctx context.Context, conn *pgx.Conn) error {
	for range 2 {
		s, err := lookAt(ctx, conn)
		if err != nil {
			return err
		}
		if err := checkVersion(s.version, s.name); err != nil {
			return err
		}
		if s.pid != conn.PgConn().PID() {
			return errPooler
		}
	}
	return nil
}

// server is what answers on a connection.
type server struct {
	version int
	name    string // of the version
	pid     uint32 // of the process
}

// lookAt asks the server. It does so by pgconn, so that a tracer is not shown it.
func lookAt(ctx context.Context, conn *pgx.Conn) (server, error) {
	results, err := conn.PgConn().Exec(ctx,
		"SELECT pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_version'), pg_catalog.pg_backend_pid()").ReadAll()
	if err != nil {
		return server{}, fmt.Errorf("look at the server: %w", err)
	}
	row := results[0].Rows[0]
	version, err := strconv.Atoi(string(row[0]))
	if err != nil {
		return server{}, fmt.Errorf("look at the server: %w", err)
	}
	pid, err := strconv.ParseUint(string(row[2]), 10, 32)
	if err != nil {
		return server{}, fmt.Errorf("look at the server: %w", err)
	}
	return server{version, string(row[1]), uint32(pid)}, nil
}

func checkVersion(version int, name string) error {
	if version < MinServerVersion {
		return fmt.Errorf("%w: the server is %s, cotenant needs %d or newer (upgrade the server)", ErrServerTooOld, name, MinServerVersion/10000)
	}
	return nil
}
