package manage

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// counted counts what is written to it, and how often.
type counted struct {
	bytes.Buffer
	writes int
}

func (c *counted) Write(text []byte) (int, error) {
	c.writes++
	return c.Buffer.Write(text)
}

// Lines that come in pieces leave whole, each with its prefix, and those of one piece together.
func TestLines(t *testing.T) {
	t.Parallel()

	var mu sync.Mutex
	var out counted
	l := &lines{mu: &mu, w: &out, prefix: "acme: "}
	for _, piece := range []string{"on", "e\ntwo\n\nth", "", "r", "ee\n", "\n", "four"} {
		if n, err := l.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Errorf("Write(%q) = %d, %v", piece, n, err)
		}
	}
	l.end()
	l.end()
	if want := "acme: one\nacme: two\nacme: \nacme: three\nacme: \nacme: four\n"; out.String() != want {
		t.Errorf("written: %q, want %q", out.String(), want)
	}
	if out.writes != 4 {
		t.Errorf("%d writes, want one for each piece that ends a line, and the end: 4", out.writes)
	}
}

// Sixty-four MiB of short lines are the work of a moment. It is minutes where what is left of
// a piece is copied for each line.
func TestLinesOfALot(t *testing.T) {
	t.Parallel()

	var mu sync.Mutex
	var out counted
	l := &lines{mu: &mu, w: &out, prefix: "acme: "}
	piece := []byte(strings.Repeat("nineteen characters\n", 32<<10/20))
	const pieces = 64 << 20 / (32 << 10)
	for range pieces {
		if _, err := l.Write(piece); err != nil {
			t.Fatal(err)
		}
		if want := len(piece) / 20 * 26; out.Len() != want {
			t.Fatalf("%d bytes are written, want %d", out.Len(), want)
		}
		out.Reset()
	}
	if out.writes != pieces {
		t.Errorf("%d writes, want one for each piece: %d", out.writes, pieces)
	}
}
