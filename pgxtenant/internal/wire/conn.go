package wire

import (
	"errors"
	"io"
	"sync"

	"github.com/cotenant/cotenant/internal/sqltext"
)

// Mode says when a session's path is set.
type Mode int

// The modes.
const (
	// Auto is OnChange where the server reports the path (PostgreSQL 18 and later),
	// else EveryAcquire.
	Auto Mode = iota
	// OnChange sets the path where the session is not known to have it.
	OnChange
	// EveryAcquire sets it anew after each Want: what the application did to it
	// unseen ends there.
	EveryAcquire
	// Local sets it in front of every group that is sent outside of a transaction,
	// for the transaction of that group only: behind a pooler, the next one may run
	// in another session.
	Local
)

// Conn is the two directions between pgx and the server, as
// pgconn.Config.BuildFrontend takes them: Write is for pgx's messages, Read for
// the server's. Both may be called at once, as COPY does.
type Conn struct {
	in   io.Reader
	out  io.Writer
	gate *gate // below out; nil in tests

	mu    sync.Mutex
	moved *sync.Cond // something came, or nobody reads any more
	// reading is set while somebody waits for in, without the lock.
	reading bool

	// active is set once the session is established; until then everything
	// passes untouched.
	active bool
	// broken is why the stream can no longer be trusted.
	broken error

	mode     Mode
	want     Path
	sure     bool // the session's path is known to be want
	reported string
	reports  bool // the server reports its path
	escapes  bool // standard_conforming_strings is off
	prepared bool // our proof is on the server
	paths    paths

	status      byte                     // of the last ReadyForQuery: I, T or E
	touched     bool                     // the application may have set the path
	astray      bool                     // the transaction that comes began on another path
	dirty       bool                     // and may have left something else
	roles       bool                     // and may have set another role
	lastingRole bool                     // which outlives the transaction
	groups      []group                  // that were begun and not answered to the end
	open        bool                     // the last of them still takes messages
	unproven    bool                     // and has work without a proof behind it
	ended       bool                     // and has ended a transaction
	behind      int                      // where the path is set behind a BEGIN in what is written now, or negative
	cut         int                      // how much is still to come of a CopyData message
	lasting     map[string]sqltext.Class // of prepared statements: those that must be remembered
	run         []message                // of the group that is looked at; kept for the next
	scratch     []byte                   // what is sent; kept for the next
	refusal     error                    // of an awaited group

	scan  scanner
	stash []byte // for Read: what the server sent and was not given out yet
}

// Errors that break a connection.
var (
	// ErrAlone: the statement cannot have the path set in front of it.
	ErrAlone = errors.New("a statement that PostgreSQL runs only by itself, or one that ends a transaction with others behind it, cannot have the tenant's path set in front of it here (send it alone, outside of a batch or pipeline; behind a pooler over a direct connection, such as cotenant's Tenancy.Direct)")
	// ErrBypass: pgx sent something past its frontend.
	ErrBypass = errors.New("something was sent past the tenant's path, as a batch in pgx.QueryExecModeExec is (use another mode)")
	// ErrPrepared: in the mode Local a statement has a name, which the pooler's session
	// would keep for others, and another one would not know.
	ErrPrepared = errors.New("behind a pooler a statement cannot be prepared under a name, nor executed by one (send its text: pgx.QueryExecModeCacheDescribe remembers what there is to know of it)")

	// ErrLeaves: in the mode Local a statement would leave something in the session.
	ErrLeaves = errors.New("behind a pooler what a statement leaves in the session reaches others (use SET LOCAL, pg_advisory_xact_lock or ON COMMIT DROP in a transaction, and for what must stay a direct connection, such as cotenant's Tenancy.Direct)")

	errUnexpected = errors.New("unexpected message on the wire: a transaction that a hook left open, a NUL in a statement, or a pooler in the way (the connection is dropped)")
	errRefused    = errors.New("the tenant's path was refused (the connection is dropped)")
)

// New returns a Conn that does nothing until it is activated.
func New(in io.Reader, out io.Writer, mode Mode) *Conn {
	c := &Conn{in: in, out: out, mode: mode, lasting: make(map[string]sqltext.Class), paths: paths{names: make(map[Path]string)}}
	c.moved = sync.NewCond(&c.mu)
	return c
}

// Activate is to be called once the session is established and idle.
func (c *Conn) Activate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active, c.status = true, 'I'
	if c.mode == Auto {
		c.mode = EveryAcquire
		if c.reports {
			c.mode = OnChange
		}
	}
	if c.gate != nil {
		c.gate.closed.Store(true)
	}
}

// Want has the session's path be p from the next statement on. The session must be
// idle, else the connection is broken.
func (c *Conn) Want(p Path) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open || c.cut > 0 || len(c.groups) > 0 || c.scan.within() || c.status != 'I' {
		_ = c.fail(errUnexpected)
		return
	}
	if c.want == (Path{}) {
		// What was left when the connection was made is meant to stay.
		c.dirty, c.roles, c.lastingRole = false, false, false
	}
	c.sure = c.sure && c.want == p && c.mode == OnChange
	c.want = p
}

// Err returns why the connection must be dropped, or nil. What pgx wrote was not sent
// then, if it was that which broke it.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}

// Dirty reports whether the application may have left something in the session since
// the first Want, besides the path: settings, a role, temporary tables, cursors WITH HOLD, advisory
// locks, LISTEN, prepared statements of its own. What a function did is not seen.
func (c *Conn) Dirty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dirty
}

// fail breaks the connection for good, so that pgx, which waits for the server to end
// it, need not. The lock is held.
func (c *Conn) fail(err error) error {
	if c.broken == nil {
		c.broken = err
		if c.gate != nil {
			_ = c.gate.Close()
		}
	}
	c.moved.Broadcast()
	return c.broken
}
