//go:build linux || darwin || freebsd

package devpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lockFile is a lock on a file. It lasts until release, or until no process has the
// file open any more: so a shell that inherits it holds it too.
type lockFile struct{ *os.File }

// heldError says that another process, which lives, has the lock.
type heldError struct{ pid int }

func (e heldError) Error() string { return fmt.Sprintf("in use by process %d", e.pid) }

// lock takes the lock at path, whose file says who holds it. If the holder lives
// and wait is false, the error is an heldError. Otherwise lock waits for the
// holder, or for what a dead one left running, to let go.
func lock(ctx context.Context, path string, wait bool) (*lockFile, error) {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		l, err := tryLock(path)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) {
			return l, err
		}
		if pid := holder(path); pid > 0 && alive(pid) && !wait {
			return nil, heldError{pid}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for lock %s: %w", path, context.Cause(ctx))
		}
	}
}

// tryLock takes the lock at path or returns EWOULDBLOCK.
func tryLock(path string) (*lockFile, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, err
		}
		if err := flock(f); err != nil {
			_ = f.Close()
			return nil, err
		}
		// Whoever had it may have removed the file meanwhile; then a lock on it keeps nobody out.
		if same(f, path) {
			l := &lockFile{f}
			return l, l.sign(strconv.Itoa(os.Getpid()))
		}
		_ = f.Close()
	}
}

// sign writes down who holds the lock.
func (l *lockFile) sign(name string) error {
	if err := l.Truncate(0); err != nil {
		return err
	}
	_, err := l.WriteAt([]byte(name), 0)
	return err
}

// release gives the lock up, for all processes that have it open.
func (l *lockFile) release() error {
	err := l.sign("")
	// Closing alone would not do: a process that is being started elsewhere in
	// this program has it open for a moment.
	return errors.Join(err, syscall.Flock(int(l.Fd()), syscall.LOCK_UN), l.Close())
}

// flock locks an open file or directory, or returns EWOULDBLOCK.
func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// same reports whether f is still what path names.
func same(f *os.File, path string) bool {
	opened, err1 := f.Stat()
	named, err2 := os.Lstat(path)
	return err1 == nil && err2 == nil && os.SameFile(opened, named)
}

// holder returns the process that says it holds the lock at path, 0 if none does.
func holder(path string) int {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	text, _ := io.ReadAll(f)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

// alive reports whether there is such a process.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
