package wire

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// Whatever the server sends, in whatever pieces, what is given out is the same, and
// nothing panics.
func FuzzRead(f *testing.F) {
	f.Add([]byte("Z\x00\x00\x00\x05I"))
	f.Add([]byte("1\x00\x00\x00\x042\x00\x00\x00\x04D\x00\x00\x00\x06\x00\x00C\x00\x00\x00\x06a\x00Z\x00\x00\x00\x05I"))
	f.Add([]byte("E\x00\x00\x00\x0cSx\x00C3F000\x00R\x00\x00Z\x00\x00\x00\x05I"))
	f.Add([]byte("T\x00\x00\x00\x03"))
	f.Add([]byte("S\x00\x00\x00\x12search_path\x00a\x00"))
	f.Add([]byte("T\x00\x00\x00\x06\x00\x00C\x00\x00\x00\x06a\x00C\x00\x00\x00\x06a\x00T\x00\x00\x00\x28\x00\x01cotenant_proof\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0f\xf9\x00\x04\xff\xff\xff\xff\x00\x00C\x00\x00\x00\x06a\x00Z\x00\x00\x00\x05I"))
	query := appendQuery(nil, "SELECT 1")
	group := appendEmpty(appendExecute(appendBind(appendParse(nil, "", "SELECT 1"), "")), 'S')
	read := func(in io.Reader, wanted bool, sent []byte) ([]byte, error) {
		c := New(in, io.Discard, OnChange)
		c.Activate()
		if wanted {
			c.Want(Path{SearchPath: "a", Schema: "a"})
		}
		if _, err := c.Write(sent); err != nil {
			return nil, err
		}
		return io.ReadAll(c)
	}
	f.Fuzz(func(t *testing.T, received []byte) {
		for _, sent := range [][]byte{query, group} {
			for _, wanted := range []bool{false, true} {
				whole, wholeErr := read(bytes.NewReader(received), wanted, sent)
				pieces, piecesErr := read(iotest.OneByteReader(bytes.NewReader(received)), wanted, sent)
				if (wholeErr == nil) != (piecesErr == nil) {
					t.Fatalf("wanted %t: %v in one piece, %v byte by byte", wanted, wholeErr, piecesErr)
				}
				if wholeErr == nil && !bytes.Equal(whole, pieces) {
					t.Fatalf("wanted %t: %q in one piece, %q byte by byte", wanted, whole, pieces)
				}
				if !wanted && wholeErr == nil && !bytes.HasPrefix(received, whole) {
					t.Fatalf("without ours %q became %q", received, whole)
				}
			}
		}
	})
}

// Whatever is written, nothing panics, and all of it is sent, in order, or none.
func FuzzWrite(f *testing.F) {
	f.Add(appendQuery(nil, "SELECT 1"))
	f.Add(appendEmpty(appendExecute(appendBind(appendParse(nil, "", "INSERT"), "")), 'S'))
	f.Add(appendEmpty(appendExecute(appendBind(appendParse(nil, "x", "COMMIT"), "x")), 'H'))
	f.Add([]byte("d\x00\x00\x00\xff12c\x00\x00\x00\x04"))
	f.Add([]byte("B\x00\x00\x00\x04"))
	f.Fuzz(func(t *testing.T, p []byte) {
		for _, mode := range []Mode{OnChange, Local} {
			var sent bytes.Buffer
			c := New(strings.NewReader(""), &sent, mode)
			c.Activate()
			c.Want(Path{SearchPath: "a", Schema: "a"})
			if _, err := c.Write(p); err == nil && !isSubsequence(p, sent.Bytes()) {
				t.Fatalf("%q was sent as %q", p, sent.Bytes())
			} else if err != nil && c.Err() == nil {
				t.Fatalf("%q: %v, and the connection is not broken", p, err)
			}
		}
	})
}

// isSubsequence reports whether all of p is in s, in order, with something between.
// Where a simple Query grew, its length differs.
func isSubsequence(p, s []byte) bool {
	for len(p) > 0 {
		kind, body, end, err := messageAt(p, 0)
		if err != nil {
			return bytes.HasSuffix(s, p) // the rest of a COPY
		}
		if kind != 'Q' {
			body = p[:min(end, len(p))]
		} else if body = body[:len(body)-1]; bytes.Contains(body, []byte{';'}) {
			body = nil // a proof may stand within
		}
		at := bytes.Index(s, body)
		if at < 0 {
			return false
		}
		s = s[at+len(body):]
		p = p[min(end, len(p)):]
	}
	return true
}
