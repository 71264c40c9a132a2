//go:build linux || darwin || freebsd

package devpg_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cotenant/cotenant/internal/devpg"
)

func TestKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), "a", "kept")
	s := start(t, &devpg.Options{Dir: dir})
	query(t, s.URL(), `CREATE TABLE customers AS SELECT 'acme' AS name`)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if left := processes(t, dir); left != nil {
		t.Errorf("processes after Stop: %q", left)
	}
	info, err := os.Stat(filepath.Join(dir, "facts.json"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode of facts.json = %v, want -rw-------", info.Mode())
	}
	again := start(t, &devpg.Options{Dir: dir})
	if got := query(t, again.URL(), `SELECT name FROM customers`); got != "acme" {
		t.Errorf("second run finds %q", got)
	}
	if again.URL() != s.URL() {
		t.Errorf("second URL = %s, want the first, %s", again.URL(), s.URL())
	}
}

func TestKeptSurvivesKill(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), "kept")
	for n, kill := range []func(h *helper, data string, server int){
		func(h *helper, _ string, _ int) { h.kill(t) },
		func(h *helper, _ string, server int) {
			if err := syscall.Kill(server, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			h.kill(t)
		},
		func(h *helper, data string, _ int) { killAll(t, h, filepath.Dir(data)) },
		func(*helper, string, int) {},
	} {
		h := startHelper(t, devpg.Options{Dir: dir})
		address := h.url(t)
		query(t, address, `CREATE TABLE IF NOT EXISTS runs ()`)
		query(t, address, fmt.Sprintf(`CREATE TABLE run_%d ()`, n))
		if got := query(t, address, `SELECT count(*)::text FROM pg_class WHERE relname LIKE 'run\__'`); got != fmt.Sprint(n+1) {
			t.Errorf("run %d: %s tables, want one of every run", n, got)
		}
		kill(h, query(t, address, `SHOW data_directory`), pid(t, address))
	}
}

func TestKeptHasOneUser(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), "kept")
	h := startHelper(t, devpg.Options{Dir: dir})
	address := h.url(t)
	_, err := devpg.Start(t.Context(), &devpg.Options{Dir: dir})
	wantError(t, err, dir, fmt.Sprintf("in use by process %d", h.Process.Pid), "stop that first")
	if got := query(t, address, `SELECT 'here'`); got != "here" {
		t.Errorf("the first server says %q", got)
	}
	h.kill(t)
	start(t, &devpg.Options{Dir: dir})
	_, err = devpg.Start(t.Context(), &devpg.Options{Dir: dir})
	wantError(t, err, fmt.Sprintf("in use by process %d", os.Getpid()))
}

func TestKeptLeavesNothingUnfinished(t *testing.T) {
	t.Parallel()
	base := openDir(t)
	fake := newSlowInitdb(t)
	h := startHelper(t, devpg.Options{BinDir: fake.bin, Dir: filepath.Join(base, "kept")})
	data := fake.waitRunning(t)
	h.kill(t)
	eventually(t, "no half data directory", func() string {
		if missing(data) {
			return ""
		}
		return data
	})
	start(t, &devpg.Options{Dir: filepath.Join(base, "kept"), Fast: true})

	write(t, filepath.Join(fake.bin, "initdb"), "#!/bin/sh\necho no room >&2\nexit 1\n")
	failed := filepath.Join(base, "failed")
	_, err := devpg.Start(t.Context(), &devpg.Options{BinDir: fake.bin, Dir: failed})
	wantError(t, err, "no room")
	if !missing(failed) {
		t.Errorf("%s is there after a failed Start", failed)
	}
}

func TestKeptRefused(t *testing.T) {
	t.Parallel()
	base := openDir(t)
	theirs := filepath.Join(base, "theirs")
	write(t, filepath.Join(theirs, "letters", "love.txt"), "dear")
	_, err := devpg.Start(t.Context(), &devpg.Options{Dir: theirs})
	wantError(t, err, theirs, "not empty")
	if missing(filepath.Join(theirs, "letters", "love.txt")) {
		t.Error("somebody's letters are gone")
	}

	_, err = devpg.Start(t.Context(), &devpg.Options{Dir: base}) // everybody may write there
	wantError(t, err, base, "others may write")

	kept := filepath.Join(base, "kept")
	s := start(t, &devpg.Options{Dir: kept, Fast: true})
	query(t, s.URL(), `ALTER ROLE postgres PASSWORD 'forgotten'`)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	_, err = devpg.Start(t.Context(), &devpg.Options{Dir: kept, Fast: true})
	wantError(t, err, kept, "password", "facts.json")

	facts := filepath.Join(kept, "facts.json")
	text, err := os.ReadFile(facts)
	if err != nil {
		t.Fatal(err)
	}
	write(t, facts, "{")
	_, err = devpg.Start(t.Context(), &devpg.Options{Dir: kept})
	wantError(t, err, facts, "damaged")
	if err := os.Remove(facts); err != nil {
		t.Fatal(err)
	}
	_, err = devpg.Start(t.Context(), &devpg.Options{Dir: kept})
	wantError(t, err, "facts.json", "missing")
	write(t, facts, string(text))

	version := filepath.Join(kept, "server", "data", "PG_VERSION")
	if err := os.WriteFile(version, []byte("12\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = devpg.Start(t.Context(), &devpg.Options{Dir: kept})
	wantError(t, err, kept, "made by PostgreSQL 12", "install PostgreSQL 12", "remove the directory")
}

func TestKeptDir(t *testing.T) {
	t.Parallel()
	dir, err := devpg.KeptDir("demo")
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(dir) || !strings.HasSuffix(dir, filepath.Join("cotenant", "kept", "demo")) {
		t.Errorf("KeptDir = %s", dir)
	}
	for _, name := range []string{"", ".", "..", "../demo", "a/b", "/demo"} {
		if dir, err := devpg.KeptDir(name); err == nil {
			t.Errorf("KeptDir(%q) = %s, want an error", name, dir)
		}
	}
}
