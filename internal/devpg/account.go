//go:build linux || darwin || freebsd

package devpg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is whom the server runs as when we are root, which PostgreSQL refuses. A
// nil account is ourselves.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount returns the account to run the server as.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nil is ourselves
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseInt(u.Uid, 10, 64)
		gid, err2 := strconv.ParseInt(u.Gid, 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("user %q: %w", name, err)
		}
		return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil //nolint:gosec // -2, nobody on macOS, is to wrap
	}
	return nil, errors.New(`run PostgreSQL as root: it refuses, and there is neither a user "postgres" nor "nobody" (run as an ordinary user)`)
}

// String says who it is.
func (a *account) String() string {
	if a == nil {
		return "this user"
	}
	return fmt.Sprintf("user %q", a.name)
}

// credential is the account as the kernel wants it; nil changes nothing.
func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: []uint32{}}
}

// Permissions of one class of users, as in the last digit of a mode.
const (
	mayEnter fs.FileMode = 1
	mayWrite fs.FileMode = 2
)

// may reports whether the account has the permissions on path itself.
func (a *account) may(want fs.FileMode, path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	shift := 0
	switch {
	case stat.Uid == a.uid:
		shift = 6
	case stat.Gid == a.gid:
		shift = 3
	}
	return info.Mode().Perm()>>shift&want == want
}

// barrier returns the first directory on the way to path, path included, that the
// account may not enter, or "". It expects a clean absolute path.
func (a *account) barrier(path string) string {
	if a == nil {
		return ""
	}
	if parent := filepath.Dir(path); parent != path {
		if b := a.barrier(parent); b != "" {
			return b
		}
	}
	if !a.may(mayEnter, path) {
		return path
	}
	return ""
}

// own makes dir, which is to be the account's alone, if it is missing.
func (a *account) own(dir string) error {
	made, err := makeDir(dir, 0o700)
	if err != nil {
		return err
	}
	uid := uint32(os.Geteuid()) //nolint:gosec // never negative here
	if a != nil {
		uid = a.uid
	}
	if made && a != nil {
		return os.Lchown(dir, int(a.uid), int(a.gid))
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || stat.Uid != uid {
		return fmt.Errorf("%s: not a directory of user %d, who is to run PostgreSQL (remove it to start anew)", dir, uid)
	}
	return nil
}
