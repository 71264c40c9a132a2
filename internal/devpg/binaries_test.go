//go:build linux || darwin || freebsd

package devpg_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cotenant/cotenant/internal/devpg"
)

func TestInstalled(t *testing.T) {
	t.Parallel()
	base := openDir(t)
	dir := func(name string) string { return filepath.Join(base, name) }
	var dirs []string
	for name, output := range map[string]string{
		"9.6":       "postgres (PostgreSQL) 9.6.24",
		"13":        "postgres (PostgreSQL) 13.21 (Debian 13.21-0+deb11u1)",
		"14":        "postgres (PostgreSQL) 14.0",
		"17.9":      "postgres (PostgreSQL) 17.9 (Homebrew)",
		"17.10":     "postgres (PostgreSQL) 17.10",
		"18beta1":   "postgres (PostgreSQL) 18beta1",
		"18.0":      "postgres (PostgreSQL) 18.0 (Ubuntu 18.0-1.pgdg24.04+1)",
		"something": "psql (PostgreSQL) 19.1",
	} {
		write(t, filepath.Join(dir(name), "postgres"), fmt.Sprintf("#!/bin/sh\necho '%s'\n", output))
		write(t, filepath.Join(dir(name), "initdb"), "#!/bin/sh\n")
		dirs = append(dirs, dir(name))
	}
	write(t, filepath.Join(dir("no initdb"), "postgres"), "#!/bin/sh\necho 'postgres (PostgreSQL) 19.1'\n")
	write(t, filepath.Join(dir("broken"), "postgres"), "#!/bin/sh\nexit 127\n")
	write(t, filepath.Join(dir("broken"), "initdb"), "#!/bin/sh\n")
	if err := os.Symlink(dir("18.0"), dir("link")); err != nil {
		t.Fatal(err)
	}
	dirs = append(dirs, dir("no initdb"), dir("broken"), dir("nowhere"), dir("18.0"))
	slices.Sort(dirs)
	dirs = append(dirs, dir("link"))

	got := devpg.Installed(t.Context(), dirs...)
	want := []string{dir("18.0"), dir("18beta1"), dir("17.10"), dir("17.9"), dir("14")}
	if !slices.Equal(got, want) {
		t.Errorf("Installed = %q\nwant        %q", got, want)
	}
}

func TestBinDir(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	_, err := devpg.Start(t.Context(), &devpg.Options{BinDir: dir})
	wantError(t, err, dir, "initdb and postgres")

	old := filepath.Join(dir, "old")
	write(t, filepath.Join(old, "postgres"), "#!/bin/sh\necho 'postgres (PostgreSQL) 13.4'\n")
	write(t, filepath.Join(old, "initdb"), "#!/bin/sh\n")
	_, err = devpg.Start(t.Context(), &devpg.Options{BinDir: old})
	wantError(t, err, old, "13.4 is too old", "14 or later")

	if os.Geteuid() == 0 {
		closed := filepath.Join(dir, "closed")
		write(t, filepath.Join(closed, "bin", "postgres"), "#!/bin/sh\n")
		write(t, filepath.Join(closed, "bin", "initdb"), "#!/bin/sh\n")
		if err := os.Chmod(closed, 0o700); err != nil {
			t.Fatal(err)
		}
		_, err = devpg.Start(t.Context(), &devpg.Options{BinDir: filepath.Join(closed, "bin")})
		wantError(t, err, "may not enter "+closed)
	}
}

// Not parallel: DATABASE_URL is the process's.
func TestDatabaseURL(t *testing.T) {
	theirs := start(t, &devpg.Options{Fast: true})
	t.Setenv("DATABASE_URL", theirs.URL())
	s := start(t, &devpg.Options{Dir: filepath.Join(t.TempDir(), "unused")})
	if s.URL() != theirs.URL() {
		t.Errorf("URL = %s, want DATABASE_URL as it is", s.URL())
	}
	if want := "PostgreSQL " + theirs.Version() + " of DATABASE_URL"; s.Source() != want || s.Version() != theirs.Version() {
		t.Errorf("Version, Source = %q, %q, want %q, %q", s.Version(), s.Source(), theirs.Version(), want)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if got := query(t, theirs.URL(), `SELECT 'here'`); got != "here" {
		t.Errorf("after Stop, their server says %q", got)
	}

	bin := query(t, theirs.URL(), `SELECT setting FROM pg_config WHERE name = 'BINDIR'`)
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err == nil {
		own := start(t, &devpg.Options{BinDir: bin, Fast: true})
		if own.URL() == theirs.URL() {
			t.Error("DATABASE_URL beats BinDir")
		}
	}

	if err := theirs.Stop(); err != nil {
		t.Fatal(err)
	}
	_, err := devpg.Start(t.Context(), nil)
	wantError(t, err, "DATABASE_URL", "without DATABASE_URL")
}
