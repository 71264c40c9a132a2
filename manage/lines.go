package manage

import (
	"bytes"
	"io"
	"sync"
)

// lines writes whole lines, each with a prefix. Others that share mu write between them.
type lines struct {
	mu     *sync.Mutex
	w      io.Writer
	prefix string
	rest   []byte // of a line that has not ended
}

// Write keeps what is no whole line yet.
func (l *lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var whole []byte
	for left := text; ; {
		end := bytes.IndexByte(left, '\n')
		if end < 0 {
			l.rest = append(l.rest, left...)
			break
		}
		whole = append(whole, l.prefix...)
		whole = append(whole, l.rest...)
		whole = append(whole, left[:end+1]...)
		l.rest, left = l.rest[:0], left[end+1:]
	}
	if len(whole) == 0 {
		return len(text), nil
	}
	if _, err := l.w.Write(whole); err != nil {
		return 0, err
	}
	return len(text), nil
}

// end writes what is left.
func (l *lines) end() {
	if len(l.rest) > 0 {
		_, _ = l.Write([]byte("\n"))
	}
}
