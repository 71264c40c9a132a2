//go:build linux || darwin || freebsd

package devpg

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oldest is the first major version of PostgreSQL that will do.
const oldest = 14

// binaries is a directory with the programs of a server.
type binaries struct {
	dir     string
	version string // as in "postgres --version": 15.18, 18beta1
	major   int
	minor   int // -1 before the first release
}

// String says which server it is.
func (b *binaries) String() string { return fmt.Sprintf("PostgreSQL %s from %s", b.version, b.dir) }

// chooseBinaries returns the binaries to start a server from. Those that fit data
// of this major version come first; 0 is any.
func chooseBinaries(ctx context.Context, o *Options, a *account, major int) (*binaries, error) {
	if o.BinDir != "" {
		return givenBinaries(ctx, o.BinDir, a)
	}
	dirs := usualDirs
	if o.hooks.search != nil {
		dirs = o.hooks.search
	}
	found := installed(ctx, dirs(), a)
	for _, b := range found {
		if b.major == major {
			return b, nil
		}
	}
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("look for PostgreSQL: %w", err)
	}
	if len(found) > 0 && (major == 0 || !strings.HasPrefix(string(downloaded), strconv.Itoa(major)+".")) {
		return found[0], nil
	}
	dir, err := download(ctx, o)
	if err != nil && len(found) > 0 {
		return found[0], nil
	}
	if err != nil {
		return nil, fmt.Errorf("no PostgreSQL: none from version %d on is installed, and to download one failed: %w\n(%s, or set DATABASE_URL)",
			oldest, err, howToInstall())
	}
	return givenBinaries(ctx, dir, a)
}

// givenBinaries returns the binaries in dir, which have to do.
func givenBinaries(ctx context.Context, dir string, a *account) (*binaries, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "initdb"))
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL in %s: %w (name a directory with initdb and postgres)", dir, err)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL in %s: %w", dir, err)
	}
	if b := a.barrier(real); b != "" {
		return nil, fmt.Errorf("PostgreSQL in %s: user %q, who runs it for root, may not enter %s (chmod o+x it, or move it elsewhere)", dir, a.name, b)
	}
	b, err := readBinaries(ctx, dir)
	if err == nil && b.major < oldest {
		err = fmt.Errorf("version %s is too old (install %d or later)", b.version, oldest)
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL in %s: %w", dir, err)
	}
	return b, nil
}

// howToInstall says how to get a server on this machine.
func howToInstall() string {
	if runtime.GOOS == "darwin" {
		return "brew install postgresql@17"
	}
	for _, way := range []struct{ tool, advice string }{
		{"apt", "apt install postgresql"},
		{"dnf", "dnf install postgresql-server"},
		{"apk", "apk add postgresql17"},
		{"pacman", "pacman -S postgresql"},
		{"zypper", "zypper install postgresql-server"},
		{"pkg", "pkg install postgresql17-server"},
	} {
		if _, err := exec.LookPath(way.tool); err == nil {
			return way.advice
		}
	}
	return "install PostgreSQL"
}

var versionOutput = regexp.MustCompile(`^postgres \(PostgreSQL\) ((\d+)(?:\.(\d+))?\S*)`)

// readBinaries asks the server in dir for its version.
func readBinaries(ctx context.Context, dir string) (*binaries, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version")
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second
	output, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(failed.Stderr)) // a library that is missing, most likely
		}
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	m := versionOutput.FindSubmatch(output)
	if m == nil {
		return nil, fmt.Errorf("%s: unexpected answer %q", cmd, output)
	}
	b := &binaries{dir: dir, version: string(m[1]), minor: -1}
	if b.major, err = strconv.Atoi(string(m[2])); err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	if len(m[3]) > 0 {
		if b.minor, err = strconv.Atoi(string(m[3])); err != nil {
			return nil, fmt.Errorf("%s: %w", cmd, err)
		}
	}
	return b, nil
}

// installed returns the binaries in dirs that will do and that the account can run,
// the newest first.
func installed(ctx context.Context, dirs []string, a *account) []*binaries {
	var found []*binaries
	seen := make(map[string]bool)
	for _, dir := range dirs {
		// The file, not the directory: /bin is a link to /usr/bin, and
		// package managers link single programs.
		file, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
		if err != nil || seen[file] || a.barrier(dir) != "" || a.barrier(filepath.Dir(file)) != "" {
			continue
		}
		seen[file] = true
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			continue
		}
		if b, err := readBinaries(ctx, dir); err == nil && b.major >= oldest {
			found = append(found, b)
		}
	}
	slices.SortStableFunc(found, func(x, y *binaries) int {
		return cmp.Or(cmp.Compare(y.major, x.major), cmp.Compare(y.minor, x.minor))
	})
	return found
}

// usualDirs returns the directories on PATH and those where packages put a server.
func usualDirs() []string {
	var dirs []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.IsAbs(dir) { // what lies in the working directory is not to be run
			dirs = append(dirs, dir)
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", // Debian
		"/usr/pgsql-*/bin",          // Red Hat, PostgreSQL's own packages
		"/usr/bin",                  // Red Hat's packages, Arch
		"/usr/lib/postgresql*/bin",  // SUSE
		"/usr/libexec/postgresql*",  // Alpine
		"/usr/local/bin",
		"/usr/local/pgsql/bin",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
		"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
		"/Library/PostgreSQL/*/bin",
	} {
		matches, _ := filepath.Glob(pattern) // fails only on a bad pattern
		dirs = append(dirs, matches...)
	}
	return dirs
}
