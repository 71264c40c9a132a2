package sqlfile

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// source is a text with its place.
type source struct {
	file string // for messages
	text string
	sum  string // of the whole
}

// newSource refuses what is no text.
func newSource(file, text string) (source, error) {
	s := source{file: file, text: strings.TrimPrefix(text, "\ufeff"), sum: checksum(text)}
	switch {
	case !utf8.ValidString(s.text):
		return s, &FaultError{file, 0, "it is not UTF-8 (convert it)"}
	case strings.Contains(s.text, "\x00"):
		return s, &FaultError{file, 0, "it contains a NUL byte (remove it)"}
	}
	return s, nil
}

// checksum is the SHA-256 of the text with LF line ends and without the comments that
// silence checks, in hex: Git writes line ends as the machine likes them, and the file is
// the same.
func checksum(text string) string {
	sum := sha256.Sum256([]byte(withoutAllows(strings.ReplaceAll(text, "\r\n", "\n"))))
	return hex.EncodeToString(sum[:])
}

// lines yields the lines of the text with their ends, and where they begin.
func (s source) lines(yield func(at int, line string) bool) {
	at := 0
	for line := range strings.Lines(s.text) {
		if !yield(at, line) {
			return
		}
		at += len(line)
	}
}
