package wire

import (
	"errors"
	"io"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// errAlone refuses a statement that may not stand behind another while others are
// under way.
var errAlone = errors.New("cotenant: a statement that PostgreSQL runs only by itself stands in a pipeline, where the tenant's path cannot be set before it (send it alone)")

// exchange sets the path by a message of its own and awaits the answer: one round
// trip. The connection is idle, and the lock is held. What the server sends
// unasked meanwhile is stashed for pgx.
func (c *Conn) exchange() error {
	if _, err := c.out.Write(appendQuery(nil, c.want.query())); err != nil {
		return err
	}
	var refused error
	for {
		kind, message, err := c.receive()
		if err != nil {
			return err
		}
		body := message[5:]
		switch kind {
		case 'N', 'A', 'S':
			if name, value := nameAndText(body); kind == 'S' && name == "search_path" {
				c.reports, c.reported = true, value
			}
			c.stash = append(c.stash, message...)
		case 'T', 'D', 'C':
		case 'E':
			var response pgproto3.ErrorResponse
			if err := response.Decode(body); err != nil {
				return err
			}
			if response.Code == notFound {
				response.Routine = Routine
			}
			refused = pgconn.ErrorResponseToPgError(&response)
		case 'Z':
			c.sure = refused == nil
			return refused
		default:
			return errUnexpected
		}
	}
}

// receive reads one message from the server.
func (c *Conn) receive() (kind byte, message []byte, err error) {
	var header [5]byte
	if _, err := io.ReadFull(c.in, header[:]); err != nil {
		return 0, nil, err
	}
	kind, size, err := headerOf(header)
	if err != nil {
		return 0, nil, err
	}
	message = make([]byte, len(header)+size)
	copy(message, header[:])
	if _, err := io.ReadFull(c.in, message[5:]); err != nil {
		return 0, nil, err
	}
	return kind, message, nil
}
