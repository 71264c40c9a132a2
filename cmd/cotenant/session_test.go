//go:build unix

package main_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cotenant/cotenant/internal/testdb"
)

// limit is for one command: some build a program.
const limit = 3 * time.Minute

// shell runs one command of a page. It begins where the last one ended, and says at which
// line it failed.
const shell = `set -e
cd "$(cat "$STATE/folder")"
if [ -e "$STATE/exports" ]; then . "$STATE/exports"; fi
trap 'pwd >"$STATE/folder"; export -p >"$STATE/exports"' EXIT
trap 'echo $LINENO >"$STATE/line"' ERR
. "$STATE/command.sh"
`

// session is the terminal of a page.
type session struct {
	t      *testing.T
	env    []string
	state  string // the folder of what lasts from one command to the next
	port   string // in place of 8080
	site   bool   // the page has a program that serves there
	groups []int  // of the processes of the commands
	serves *job
}

// job is a program in the background.
type job struct {
	output string // the file
	group  int
}

func newSession(t *testing.T, p *page, bin string) *session {
	t.Helper()
	database := testdb.New(t)
	requirePrograms(t, p, database)
	folder, state := t.TempDir(), t.TempDir()
	s := &session{t: t, state: state, port: freePort(t), site: strings.Contains(string(p.source), "8080")}
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); !strings.HasPrefix(name, "COTENANT_") && !strings.HasPrefix(name, "PG") && name != "DATABASE_URL" && name != "UPDATE_DOCS" {
			s.env = append(s.env, variable)
		}
	}
	s.env = append(
		s.env, "DATABASE_URL="+database, "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "STATE="+state, "CHECKOUT="+checkout,
		"LC_ALL=C.UTF-8", "TZ=UTC", "PSQLRC=/dev/null", "PAGER=cat",
		// What this module needs is in the cache, or this test would not run.
		"GOFLAGS=-mod=mod", "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GOWORK=off",
	)
	if slices.Contains(p.needs, "pgbouncer") {
		s.env = append(s.env, "POOLER_URL="+testdb.PgBouncer(t, database, "transaction"))
	}
	s.keep("folder", folder)
	t.Cleanup(s.end)
	return s
}

// requirePrograms skips a page without a program that it needs, unless
// COTENANT_TEST_REQUIRE has its name, and one whose pg_dump is older than the server.
func requirePrograms(t *testing.T, p *page, database string) {
	t.Helper()
	for _, name := range []string{"bash", "curl", "psql", "pg_dump"} {
		used := name == "bash" || slices.ContainsFunc(p.fences, func(f fence) bool { return !f.untested && strings.Contains(f.text, name) })
		if !used {
			continue
		}
		if _, err := exec.LookPath(name); err != nil {
			if strings.Contains(os.Getenv("COTENANT_TEST_REQUIRE"), name) {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		if name == "pg_dump" && !dumps(t, database) {
			t.Skip("pg_dump is older than the server")
		}
	}
}

// dumps says whether pg_dump can read the database.
func dumps(t *testing.T, database string) bool {
	t.Helper()
	return exec.CommandContext(t.Context(), "pg_dump", "--schema-only", "--dbname="+database).Run() == nil
}

// freePort returns a port at which nothing listens. It is below those that systems give to
// whoever asks for any, so that nobody has it when the page's program comes to it.
func freePort(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	for range 100 {
		port := strconv.Itoa(10000 + rand.IntN(20000))
		listener, err := config.Listen(t.Context(), "tcp", "localhost:"+port)
		if err == nil {
			_ = listener.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// keep writes a file of the state.
func (s *session) keep(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.state, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// kept reads a file of the state.
func (s *session) kept(name string) string {
	text, _ := os.ReadFile(filepath.Join(s.state, name)) // none is an empty one
	return strings.TrimSpace(string(text))
}

// write writes a file where the page is.
func (s *session) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.kept("folder"), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(s.there(text)), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// there is a text with the port that is free, and here one with the port of the page.
func (s *session) there(text string) string { return strings.ReplaceAll(text, "8080", s.port) }
func (s *session) here(text string) string  { return strings.ReplaceAll(text, s.port, "8080") }

// do runs a command, or several, and returns what they print. Programs in the background
// hold a file and no pipe, so that nobody waits for them.
func (s *session) do(command string) (string, error) {
	s.t.Helper()
	s.keep("command.sh", s.there(command))
	s.keep("line", "1")
	output, err := os.Create(filepath.Join(s.state, fmt.Sprintf("output%d", len(s.groups))))
	if err != nil {
		s.t.Fatal(err)
	}
	defer output.Close()
	ctx, cancel := context.WithTimeout(s.t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", shell, "bash")
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Start()
	if err != nil {
		s.t.Fatal(err)
	}
	s.groups = append(s.groups, cmd.Process.Pid)
	err = cmd.Wait()
	if err == nil && s.site && strings.HasSuffix(strings.TrimSpace(command), "&") {
		s.serves = &job{output: output.Name(), group: cmd.Process.Pid}
		err = s.wait(ctx)
	}
	text, readErr := os.ReadFile(output.Name())
	return s.here(string(text)), errors.Join(err, readErr)
}

// failedLine is the line of the last command at which it failed.
func (s *session) failedLine() int {
	line, _ := strconv.Atoi(s.kept("line"))
	return max(line, 1)
}

// wait returns when the program in the background serves, or is gone.
func (s *session) wait(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var dialer net.Dialer
	for {
		if conn, err := dialer.DialContext(ctx, "tcp", "localhost:"+s.port); err == nil {
			return conn.Close()
		}
		if err := syscall.Kill(-s.serves.group, 0); err != nil {
			return errors.New("the program in the background has ended")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the program in the background does not serve: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// background is what the program in the background has printed.
func (s *session) background() string {
	if s.serves == nil {
		return ""
	}
	text, _ := os.ReadFile(s.serves.output) // for a message that says something else
	return "-- the program in the background printed\n" + string(text)
}

// end ends what the commands have left.
func (s *session) end() {
	for _, group := range s.groups {
		_ = syscall.Kill(-group, syscall.SIGKILL) // mostly nobody is there
	}
}
