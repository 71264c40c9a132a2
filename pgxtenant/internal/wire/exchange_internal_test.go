package wire

import (
	"bytes"
	"io"
	"net"
	"testing"
)

// pgx reads in the background when a write takes long: the answer to an exchange may
// come to that reader, or to the exchange itself.
func TestExchangeBesideReader(t *testing.T) {
	t.Parallel()

	ready := []byte("Z\x00\x00\x00\x05I")
	var answer []byte
	for _, kind := range []byte{closed, parsed, bound, executed, closed, parsed, bound, executed} {
		answer = appendEmpty(answer, kind)
	}
	answer = append(answer, ready...)
	done := append([]byte("C\x00\x00\x00\x0fCHECKPOINT\x00"), ready...)
	for _, readerFirst := range []bool{true, false} {
		ours, server := net.Pipe()
		c := New(ours, ours, OnChange)
		c.Activate()
		c.Want(Path{SearchPath: "a", Schema: "a"})
		got := make(chan []byte, 1)
		read := func() {
			p := make([]byte, len(done))
			_, _ = io.ReadFull(c, p)
			got <- p
		}
		if readerFirst {
			go read()
			for reads := false; !reads; {
				c.mu.Lock()
				reads = c.reading
				c.mu.Unlock()
			}
		}
		go func() {
			p := make([]byte, 4096)
			_, _ = server.Read(p)
			_, _ = server.Write(answer)
			_, _ = server.Read(p)
			_, _ = server.Write(done)
		}()
		if _, err := c.Write(appendQuery(nil, "CHECKPOINT")); err != nil {
			t.Fatal(err)
		}
		if !readerFirst {
			go read()
		}
		if p := <-got; !bytes.Equal(p, done) {
			t.Errorf("pgx got %q", p)
		}
		_ = ours.Close()
		_ = server.Close()
	}
}
