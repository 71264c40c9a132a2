package pgxtenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ErrPooler says that a pooler stands between the program and the server.
var ErrPooler = errors.New("a connection pooler is in the way")

// errPooler is what is said of one where the mode is another than Transaction.
var errPooler = fmt.Errorf("%w: rows of one tenant could reach another through it (connect to the server itself; or use the mode pgxtenant.Transaction, and with cotenant.Open Config.DirectURL for the server itself)", ErrPooler)

// Pooling is how a pooler hands out its connections to the server, as far as that
// shows.
type Pooling int

// What DetectPooling sees.
const (
	// NoPooling: there is no pooler.
	NoPooling Pooling = iota
	// SessionPooling: each connection had a server process to itself. That a busy
	// pooler of transactions looks like this for a moment is possible.
	SessionPooling
	// TransactionPooling: one server process served two connections that were open
	// at once, or several served one. Pooling of statements looks the same.
	TransactionPooling
)

// String says it of the pooler: "pools sessions".
func (p Pooling) String() string {
	switch p {
	case NoPooling:
		return "is none"
	case SessionPooling:
		return "pools sessions"
	case TransactionPooling:
		return "pools transactions"
	}
	return fmt.Sprintf("Pooling(%d)", int(p))
}

// DetectPooling makes two connections, and asks each several times which server
// process it is served by: some ten round trips. An error is of a connection that
// could not be made, or failed.
func DetectPooling(ctx context.Context, connect func(context.Context) (*pgx.Conn, error)) (Pooling, error) {
	var conns [2]*pgx.Conn
	for i := range conns {
		conn, err := connect(ctx)
		if err != nil {
			return NoPooling, err
		}
		defer closeQuietly(conn)
		conns[i] = conn
	}
	var served [2]uint32
	found := NoPooling
	// Not in turns: a pooler that hands out its connections in turns would give
	// each of ours the same one again and again.
	for _, i := range []int{0, 1, 0, 0, 1, 0, 1, 1} {
		s, err := lookAt(ctx, conns[i])
		switch {
		case err != nil:
			return NoPooling, err
		case served[i] != 0 && served[i] != s.pid, served[1-i] == s.pid:
			return TransactionPooling, nil
		case s.pid != conns[i].PgConn().PID():
			found = SessionPooling
		}
		served[i] = s.pid
	}
	return found, nil
}

func closeQuietly(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout) //nolint:forbidigo // the caller's may be done
	defer cancel()
	_ = conn.Close(ctx)
}
