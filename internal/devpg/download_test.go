//go:build linux || darwin || freebsd

package devpg_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cotenant/cotenant/internal/devpg"
)

func TestDownload(t *testing.T) {
	t.Parallel()
	jar := makeJar(t)
	var requests atomic.Int32
	repository := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if strings.HasSuffix(r.URL.Path, ".sha256") {
			_, _ = fmt.Fprintf(w, "%x", sha256.Sum256(jar))
			return
		}
		_, _ = w.Write(jar)
	}))
	defer repository.Close()
	cache := filepath.Join(openDir(t), "cache")
	o := &devpg.Options{Fast: true}
	o.NoBinaries()
	o.DownloadFrom(repository.URL, cache)

	var all sync.WaitGroup
	for range 2 { // as the binaries of "go test ./..." do
		all.Go(func() {
			s, err := devpg.Start(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			if !strings.Contains(s.Source(), " from "+cache+"/postgresql-") {
				t.Errorf("Source = %q", s.Source())
			}
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests, want one for the archive and one for its checksum", n)
	}
	checkCache(t, cache, 2) // what was downloaded, and the lock
}

func TestDownloadFails(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	missing := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(missing.Close)
	forged := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("anything"))
	}))
	t.Cleanup(forged.Close)
	for name, c := range map[string]struct {
		repository *httptest.Server
		says       string
	}{
		"unreachable": {gone, "unable to connect"},
		"missing":     {missing, "no version found matching"},
		"forged":      {forged, "checksums do not match"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache := filepath.Join(openDir(t), "cache")
			o := new(devpg.Options)
			o.NoBinaries()
			o.DownloadFrom(c.repository.URL, cache)
			_, err := devpg.Start(t.Context(), o)
			wantError(t, err, "no PostgreSQL", "14", c.says, "install", "DATABASE_URL")
			if err != nil && strings.Count(err.Error(), "\n") > 1 {
				t.Errorf("error of more than two lines: %q", err)
			}
			checkCache(t, cache, 1)
		})
	}
}

func TestDownloadCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	release := make(chan struct{})
	repository := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("the beginning"))
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-release
	}))
	defer repository.Close()
	defer close(release)
	cache := filepath.Join(openDir(t), "cache")
	o := new(devpg.Options)
	o.NoBinaries()
	o.DownloadFrom(repository.URL, cache)
	if _, err := devpg.Start(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}

// checkCache fails the test if the cache holds more or less than n files and directories.
func checkCache(t *testing.T, cache string, n int) {
	t.Helper()
	entries, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != n {
		t.Errorf("cache holds %v, want %d entries", entries, n)
	}
}

// makeJar returns an archive as the repository has it, of programs that lead to
// those of this machine: these find their libraries and other files where they were
// installed.
func makeJar(t *testing.T) []byte {
	t.Helper()
	installed := devpg.Installed(t.Context(), devpg.UsualDirs()...)
	if len(installed) == 0 {
		t.Skip("no PostgreSQL installed to make an archive of")
	}
	dir := openDir(t)
	for _, name := range []string{"initdb", "postgres", "pg_ctl"} {
		write(t, filepath.Join(dir, "bin", name), fmt.Sprintf("#!/bin/sh\nexec %s \"$@\"\n", filepath.Join(installed[0], name)))
	}
	write(t, filepath.Join(dir, "share", "deep", "file"), "text")
	if err := os.Symlink("file", filepath.Join(dir, "share", "deep", "link")); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(dir, "archive.txz")
	if output, err := exec.Command("tar", "-C", dir, "-cJf", archive, "bin", "share").CombinedOutput(); err != nil {
		t.Skipf("tar: %v: %s", err, output)
	}
	txz, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	var jar bytes.Buffer
	z := zip.NewWriter(&jar)
	w, err := z.Create("postgres-any-processor.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(txz); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return jar.Bytes()
}
