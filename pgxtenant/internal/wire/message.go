package wire

import (
	"bytes"
	"encoding/binary"
)

// headerSize is that of a message: its type, and its length without that.
const headerSize = 5

// headerOf returns the type of a message and the size of its body.
func headerOf(header []byte) (kind byte, body int, err error) {
	length := binary.BigEndian.Uint32(header[1:])
	if length < 4 || length > 1<<30 { // PostgreSQL's own limit (MaxAllocSize)
		return 0, 0, errUnexpected
	}
	return header[0], int(length) - 4, nil
}

// begin appends the type of a message and leaves room for its length; finish
// fills that in.
func begin(dst []byte, kind byte) (started []byte, at int) {
	return append(dst, kind, 0, 0, 0, 0), len(dst) + 1
}

func finish(dst []byte, at int) []byte {
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at)) //nolint:gosec // pgx's own messages are no longer
	return dst
}

func appendString(dst []byte, s string) []byte {
	return append(append(dst, s...), 0)
}

// appendEmpty appends a message without a body, such as Sync.
func appendEmpty(dst []byte, kind byte) []byte {
	dst, at := begin(dst, kind)
	return finish(dst, at)
}

// cString is the first string of a message's body, and what follows it.
func cString(body []byte) (s, rest []byte) {
	if i := bytes.IndexByte(body, 0); i >= 0 {
		return body[:i], body[i+1:]
	}
	return body, nil
}

// twoStrings are the first two strings of a message's body: those of a Parse are the
// statement's name and its text, those of a Bind the portal's name and the
// statement's.
func twoStrings(body []byte) (first, second []byte) {
	first, rest := cString(body)
	second, _ = cString(rest)
	return first, second
}
