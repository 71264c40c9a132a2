//go:build linux || darwin || freebsd

package devpg_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/cotenant/cotenant/internal/devpg"
)

// helperOptions is the variable that turns this test binary into a process that
// starts a server, for tests that kill one.
const helperOptions = "COTENANT_DEVPG_HELPER"

func TestMain(m *testing.M) {
	if text := os.Getenv(helperOptions); text != "" {
		if err := help(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	_ = os.Unsetenv("DATABASE_URL") // these tests start servers
	// The library that downloads leaves its log there.
	temp, err := os.MkdirTemp("", "devpg-test-")
	if err == nil {
		err = errors.Join(os.Chmod(temp, 0o755), os.Setenv("TMPDIR", temp))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(temp)
		os.Exit(code)
	}))
}

// help starts a server, prints its URL, and stops it at the end of its input.
func help(text string) error {
	signal.Ignore(syscall.SIGINT)
	var o devpg.Options
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	s, err := devpg.Start(context.Background(), &o)
	if err != nil {
		return err
	}
	fmt.Println(s.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return s.Stop()
}

// helper is a process of its own that has a server.
type helper struct {
	*exec.Cmd
	stdin  io.Closer
	stdout *bufio.Reader
	temp   string // its TMPDIR
}

// startHelper starts a process that starts a server with o.
func startHelper(t *testing.T, o devpg.Options) *helper {
	t.Helper()
	return startHelperIn(t, openDir(t), o)
}

// startHelperIn starts a helper with another one's TMPDIR.
func startHelperIn(t *testing.T, temp string, o devpg.Options) *helper {
	t.Helper()
	text, err := json.Marshal(map[string]any{"BinDir": o.BinDir, "Dir": o.Dir, "Fast": o.Fast, "Settings": o.Settings})
	if err != nil {
		t.Fatal(err)
	}
	h := &helper{Cmd: exec.Command(os.Args[0]), temp: temp}
	h.Env = append(os.Environ(), helperOptions+"="+string(text), "TMPDIR="+h.temp)
	h.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	h.Stderr = os.Stderr
	stdin, err := h.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := h.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.stdin, h.stdout = stdin, bufio.NewReader(stdout)
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = h.Process.Kill()
		_ = h.Wait()
	})
	return h
}

// url returns the URL of the helper's server, which it waits for.
func (h *helper) url(t *testing.T) string {
	t.Helper()
	line, err := h.stdout.ReadString('\n')
	if err != nil {
		t.Fatalf("helper: %v", err)
	}
	return strings.TrimSpace(line)
}

// kill kills the helper with SIGKILL.
func (h *helper) kill(t *testing.T) {
	t.Helper()
	if err := h.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = h.Wait()
}

// checkGone fails the test unless the helper's server and its directories are gone,
// or go soon.
func (h *helper) checkGone(t *testing.T) {
	t.Helper()
	eventually(t, "no process and no directory", func() string {
		left := processes(t, h.temp)
		entries, err := os.ReadDir(h.temp)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			left = append(left, e.Name())
		}
		return strings.Join(left, "\n")
	})
}

// eventually waits until state, which says what is still in the way, is "".
func eventually(t *testing.T, want string, state func() string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(time.Minute)
	for last := state(); last != ""; last = state() {
		if time.Now().After(deadline) {
			t.Fatalf("want %s, still there:\n%s", want, last)
		}
		<-tick.C
	}
}

// processes returns the processes that have path in their command line, as every
// postmaster and every supervisor has that of its directory.
func processes(t *testing.T, path string) []string {
	t.Helper()
	output, err := exec.Command("ps", "-axww", "-o", "pid=,args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(output)) {
		if strings.Contains(line, path) && !strings.Contains(line, os.Args[0]) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// openDir returns a temporary directory that everybody may use, as PostgreSQL must
// when root runs the tests. Shells have to quote its name.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "devpg test ") //nolint:usetesting // t.TempDir is below a directory that only we may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start starts a server that is stopped when the test ends.
func start(t *testing.T, o *devpg.Options) *devpg.Server {
	t.Helper()
	s, err := devpg.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// query returns the text that the server answers to sql.
func query(t *testing.T, address, sql string) string {
	t.Helper()
	text, err := ask(t.Context(), address, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

func ask(ctx context.Context, address, sql string) (string, error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	text := ""
	err = conn.QueryRow(ctx, sql).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return text, err
}

// pid returns the process id of a server's first process.
func pid(t *testing.T, address string) int {
	t.Helper()
	n := 0
	text := query(t, address, `SELECT pg_read_file('postmaster.pid')`)
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// missing reports whether there is nothing at path.
func missing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// write makes an executable file of text.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	// A process that is forked meanwhile would have the file open for writing until it
	// executes something, and a program that is open so is not executed (ETXTBSY).
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// wantError fails the test unless err contains each of texts.
func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q, want one that says %q", err, text)
		}
	}
}
