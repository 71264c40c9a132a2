package wire

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// exchange sets the path by a group of its own and awaits the answer: one round
// trip, for what may not stand behind another. Nothing else is under way, and the
// lock is held. What the server sends unasked meanwhile is stashed for pgx.
func (c *Conn) exchange(at int) error {
	if len(c.groups) > 0 || at > 0 {
		return ErrAlone // in a pipeline: what goes before is not confirmed
	}
	g := group{silent: true, awaited: true, quiet: true}
	p := appendEmpty(c.appendSet(nil, &g), 'S')
	c.groups = append(c.groups, g)
	if err := c.send(p); err != nil {
		return err
	}
	var buf [1024]byte
	for len(c.groups) > 0 {
		if err := c.receive(buf[:]); err != nil {
			return err
		}
	}
	if !c.sure {
		return errors.Join(errRefused, c.refusal)
	}
	return nil
}

// receive takes what the server sends next into the stash, or waits until another
// reader (pgx has one in the background when a write takes long) has done so. The
// lock is held, and released meanwhile.
func (c *Conn) receive(buf []byte) error {
	if c.broken != nil {
		return c.broken
	}
	if c.reading {
		c.moved.Wait()
		return nil
	}
	n, err := c.read(buf)
	if err != nil {
		return err
	}
	fresh := len(c.stash) == 0
	kept, err := c.incoming(buf[:n])
	if err != nil {
		return err
	}
	if fresh {
		c.stash = append(buf[:kept:kept], c.stash...)
	}
	return nil
}

// read reads from the server. The lock is held, and released meanwhile.
func (c *Conn) read(p []byte) (int, error) {
	c.reading = true
	c.mu.Unlock()
	n, err := c.in.Read(p)
	c.mu.Lock()
	c.reading = false
	c.moved.Broadcast()
	if n > 0 {
		return n, nil // the error comes again
	}
	return 0, err
}

// refused takes note of an error that pgx is not shown.
func (c *Conn) refused(body []byte) {
	var response pgproto3.ErrorResponse
	if err := response.Decode(body); err != nil {
		c.refusal = err
		return
	}
	c.refusal = pgconn.ErrorResponseToPgError(&response)
}
