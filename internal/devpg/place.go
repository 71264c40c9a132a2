package devpg

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// KeptDir returns the directory, for [Options].Dir, of kept data called name: in
// the user's cache, or in /var/cache/cotenant for root, whose home nobody else may
// enter, so not the account that the server runs as. It makes nothing.
func KeptDir(name string) (string, error) {
	if !filepath.IsLocal(name) || filepath.Base(name) != name || name == "." {
		return "", fmt.Errorf("kept data %q: not a file name", name)
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "kept", name), nil
}

// cacheDir returns where everything of ours that outlives a run belongs. It makes nothing.
func cacheDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/cotenant", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache directory: %w", err)
	}
	return filepath.Join(dir, "cotenant"), nil
}

// makeDir makes path and what is missing above it, with this mode whatever the
// umask, and reports whether path was missing.
func makeDir(path string, mode fs.FileMode) (bool, error) {
	err := os.Mkdir(path, mode)
	switch {
	case os.IsNotExist(err):
		// What is above our own directories should be as others expect it.
		if _, err := makeDir(filepath.Dir(path), 0o755); err != nil {
			return false, err
		}
		return makeDir(path, mode)
	case os.IsExist(err):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, os.Chmod(path, mode)
}
