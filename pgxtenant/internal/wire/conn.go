package wire

import (
	"errors"
	"io"
	"sync"
)

// Conn is the two directions between pgx and the server, as
// pgconn.Config.BuildFrontend takes them: Write is for pgx's messages, Read for
// the server's. Both may be called at once, as COPY does.
type Conn struct {
	in  io.Reader
	out io.Writer

	mu sync.Mutex
	// active is set once the session is established; until then everything
	// passes untouched.
	active bool
	// broken is why the stream can no longer be trusted.
	broken error

	want     Path
	sure     bool // the session's path is known to be want
	reports  bool // the server reports its path: PostgreSQL 18 and later
	reported string
	prepared bool // our statement is on the server

	status  byte            // of the last ReadyForQuery: I, T or E
	touched bool            // the application set something within it
	groups  []group         // that were begun and not answered to the end
	open    bool            // the last of them still takes messages
	alone   map[string]bool // prepared statements that may not stand behind another

	scan  scanner
	stash []byte // for Read: what the server sent and was not given out yet
}

// group is a run of messages up to a Sync, or a simple Query: what the server
// answers with one ReadyForQuery.
type group struct {
	injected bool   // it began with our statement
	expect   string // the answers to it that are still to come
	shift    int    // how many characters stand before the application's text
	query    bool   // it is a simple Query
	silent   bool   // it is all ours: pgx does not know of it
	failed   bool   // there was an error
}

// errUnexpected breaks a connection whose messages are not understood.
var errUnexpected = errors.New("cotenant: unexpected message on the wire (the connection is dropped)")

// errRefused breaks a connection whose path was refused in front of a BEGIN.
var errRefused = errors.New("cotenant: the tenant's path was refused (the connection is dropped)")

// New returns a Conn that does nothing until it is activated.
func New(in io.Reader, out io.Writer) *Conn {
	return &Conn{in: in, out: out, alone: make(map[string]bool)}
}

// Activate is to be called once the session is established and idle.
func (c *Conn) Activate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active, c.status = true, 'I'
	c.sure = false
}

// Want has the session's path be p from the next statement on. Nothing is sent
// for it if the session is known to have that path already, unless again is set:
// then the path is set, and its schema proven to exist, all the same. The
// connection must be idle.
func (c *Conn) Want(p Path, again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sure = c.sure && c.want == p && !again
	c.want = p
}

// Broken reports whether the connection must be dropped.
func (c *Conn) Broken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken != nil
}

// fail breaks the connection for good. The lock is held.
func (c *Conn) fail(err error) error {
	if c.broken == nil {
		c.broken = err
	}
	return c.broken
}
