//go:build linux || darwin || freebsd

package devpg

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// checkOwned returns an error unless dir is a directory that is ours and that
// nobody else can write to: otherwise what we find there may be somebody else's
// work, and root would run it.
func checkOwned(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() {
		return fmt.Errorf("%s: not a directory (remove it)", dir)
	}
	if int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("directory %s: belongs to user %d, not to us, user %d (remove it, or choose another)", dir, stat.Uid, os.Geteuid())
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("directory %s: others may write to it (chmod go-w it)", dir)
	}
	return nil
}

// temporaryBase returns the directory to make temporary directories in, which the
// account may write to.
func temporaryBase(a *account) (string, error) {
	temp, err := filepath.Abs(os.TempDir())
	if err != nil {
		return "", err
	}
	if a == nil {
		return temp, nil
	}
	for _, dir := range []string{temp, "/tmp", "/var/tmp"} { // root's own may be closed to others
		real, err := filepath.EvalSymlinks(dir)
		if err == nil && a.barrier(real) == "" && a.may(mayEnter|mayWrite, real) {
			return real, nil
		}
	}
	return "", fmt.Errorf("temporary directory %s: user %q may not write to it (set TMPDIR to one where it may)", temp, a.name)
}
