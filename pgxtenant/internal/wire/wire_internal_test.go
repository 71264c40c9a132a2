package wire

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

func TestStandsAlone(t *testing.T) {
	t.Parallel()

	for sql, want := range map[string]bool{
		"SELECT 1": false,
		"  -- a comment\n/* b /* c */ */ select 1": false,
		"(SELECT 1)":                         false,
		"":                                   false,
		"-- ping":                            false,
		"WITH x AS (SELECT 1) SELECT 1":      false,
		"INSERT INTO t VALUES (1)":           false,
		"CREATE TABLE t (id int)":            false,
		"ALTER TABLE t ADD COLUMN b int":     false,
		"VACUUM":                             true,
		"vacuum t":                           true,
		"/* x */ VACUUM":                     true,
		"CREATE UNIQUE INDEX concurrently i": true,
		"DROP INDEX CONCURRENTLY i":          true,
		"CREATE DATABASE d":                  true,
		"ALTER SYSTEM SET x = 1":             true,
		"REINDEX TABLE CONCURRENTLY t":       true,
		"CLUSTER":                            true,
		"CALL p()":                           true,
		"DO $$BEGIN COMMIT; END$$":           true,
		"ROLLBACK":                           true,
		"SELECT 1; ROLLBACK; SELECT 2":       true,
		"SELECT 1; abort; SELECT 2":          true,
		"BEGIN":                              true,
		"START TRANSACTION; SELECT 1":        true,
		"NONSENSE":                           true,
		"/* never closed":                    false,
	} {
		if got := standsAlone(sql); got != want {
			t.Errorf("standsAlone(%q) = %t", sql, got)
		}
	}
}

func TestIsBegin(t *testing.T) {
	t.Parallel()

	for sql, want := range map[string]bool{
		"begin": true, "BEGIN;": true, "begin isolation level serializable": true, "START TRANSACTION READ ONLY": true,
		"BEGIN; SELECT 1": false, "SELECT 1": false, "": false, "COMMIT": false,
	} {
		if got := isBegin(sql); got != want {
			t.Errorf("isBegin(%q) = %t", sql, got)
		}
	}
}

// Whatever the server sends, in whatever pieces, what is given out is the same, and
// nothing panics.
func FuzzRead(f *testing.F) {
	f.Add([]byte("Z\x00\x00\x00\x05I"))
	f.Add([]byte("1\x00\x00\x00\x042\x00\x00\x00\x04D\x00\x00\x00\x06\x00\x00C\x00\x00\x00\x06a\x00Z\x00\x00\x00\x05I"))
	f.Add([]byte("E\x00\x00\x00\x0cSx\x00C3F000\x00R\x00\x00Z\x00\x00\x00\x05I"))
	f.Add([]byte("T\x00\x00\x00\x03"))
	f.Add([]byte("S\x00\x00\x00\x12search_path\x00a\x00"))
	read := func(in io.Reader, injected bool) ([]byte, error) {
		c := New(in, io.Discard)
		c.Activate()
		if injected {
			c.Want(Path{SearchPath: "a", Schema: "a"}, true)
		}
		if _, err := c.Write(appendQuery(nil, "SELECT 1")); err != nil {
			return nil, err
		}
		return io.ReadAll(c)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		for _, injected := range []bool{false, true} {
			whole, wholeErr := read(bytes.NewReader(sent), injected)
			pieces, piecesErr := read(iotest.OneByteReader(bytes.NewReader(sent)), injected)
			if (wholeErr == nil) != (piecesErr == nil) {
				t.Fatalf("injected %t: %v in one piece, %v byte by byte", injected, wholeErr, piecesErr)
			}
			if wholeErr == nil && !bytes.Equal(whole, pieces) {
				t.Fatalf("injected %t: %q in one piece, %q byte by byte", injected, whole, pieces)
			}
			if !injected && wholeErr == nil && !bytes.HasPrefix(sent, whole) {
				t.Fatalf("without our statement %q became %q", sent, whole)
			}
		}
	})
}
