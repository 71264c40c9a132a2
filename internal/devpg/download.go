//go:build linux || darwin || freebsd

package devpg

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// downloaded is the version that we download.
const downloaded = embeddedpostgres.V18

// download returns the directory of the binaries that we download, which it does
// unless that was done before.
func download(ctx context.Context, o *Options) (string, error) {
	cache := o.hooks.cache
	if cache == "" {
		var err error
		if cache, err = cacheDir(); err != nil {
			return "", err
		}
	}
	if _, err := makeDir(cache, 0o755); err != nil {
		return "", err
	}
	if err := checkOwned(cache); err != nil {
		return "", err
	}
	l, err := lock(ctx, filepath.Join(cache, "download.lock"), true)
	if err != nil {
		return "", err
	}
	defer func() { _ = l.release() }()

	home := filepath.Join(cache, fmt.Sprintf("postgresql-%s-%s-%s", downloaded, runtime.GOOS, runtime.GOARCH))
	bin := filepath.Join(home, "bin")
	if _, err := os.Stat(home); err == nil {
		return bin, nil
	}
	stale, _ := filepath.Glob(filepath.Join(cache, "download-*"))
	for _, dir := range stale { // of somebody who was killed: we have the lock
		_ = os.RemoveAll(dir)
	}
	staging, err := os.MkdirTemp(cache, "download-*")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(staging) }()
	o.Logger.InfoContext(ctx, "downloading PostgreSQL", "version", string(downloaded), "to", home)
	unpacked := filepath.Join(staging, "postgresql")
	if err := fetch(ctx, o, staging, unpacked); err != nil {
		return "", err
	}
	if err := openToAll(unpacked); err != nil {
		return "", err
	}
	return bin, os.Rename(unpacked, home)
}

// fetch downloads the binaries and unpacks them. The library takes no ctx: if ctx
// ends, it goes on for nobody until it is done or the program ends.
func fetch(ctx context.Context, o *Options, staging, unpacked string) error {
	// The library knows how to fetch and unpack only as the beginning of a
	// start. We start servers ourselves, so its way on is blocked: it cannot
	// make a runtime directory below a link that leads nowhere.
	blocked := filepath.Join(staging, "blocked")
	if err := os.Symlink(filepath.Join(staging, "nowhere"), blocked); err != nil {
		return err
	}
	config := embeddedpostgres.DefaultConfig().
		Version(downloaded).
		Port(0).
		CachePath(staging).
		BinariesPath(unpacked).
		RuntimePath(filepath.Join(blocked, "runtime")).
		Logger(io.Discard)
	if o.hooks.repository != "" {
		config = config.BinaryRepositoryURL(o.hooks.repository)
	}
	done := make(chan error, 1)
	go func() { done <- startLibrary(config) }()
	select {
	case err := <-done:
		if err != nil && strings.HasPrefix(err.Error(), "unable to create runtime directory") {
			return nil // as meant: it got past the archive
		}
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// startLibrary runs the library as far as it gets.
func startLibrary(config embeddedpostgres.Config) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("unpack: %v", r) // it panics when it cannot clean up
		}
	}()
	return embeddedpostgres.NewDatabase(config).Start()
}

// openToAll lets everybody read and run what is in dir, whatever the umask was:
// root unpacks it, another account runs it.
func openToAll(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() | 0o444
		if mode&0o100 != 0 {
			mode |= 0o111
		}
		return root.Chmod(path, mode&^0o022)
	})
}
