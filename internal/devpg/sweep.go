//go:build linux || darwin || freebsd

package devpg

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// temporaryPrefix starts the names of temporary directories.
const temporaryPrefix = "cotenant-postgres-"

// claim marks a temporary directory as in use for as long as the returned file is
// open. It may be nil: then the file system knows no such locks, and sweep leaves
// everything alone.
func claim(top string) *os.File {
	f, err := os.OpenFile(top, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil
	}
	if err := flock(f); err != nil {
		_ = f.Close()
		return nil
	}
	return f
}

// sweep removes the temporary directories in base of those who died together with
// their supervisor, as when a container or the machine is stopped. A server that
// lives on in one ends by itself when it finds its directory gone. What cannot be
// removed stays.
func sweep(base string, a *account) {
	const young = 10 * time.Minute // may not be claimed yet
	uid := uint32(os.Geteuid())    //nolint:gosec // never negative here
	if a != nil {
		uid = a.uid
	}
	matches, _ := filepath.Glob(filepath.Join(base, temporaryPrefix+"*"))
	for _, top := range matches {
		info, err := os.Lstat(top)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < young {
			continue
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Uid != uid {
			continue
		}
		if f := claim(top); f != nil {
			_ = os.RemoveAll(top)
			_ = f.Close()
		}
	}
}
