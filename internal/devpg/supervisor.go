//go:build linux || darwin || freebsd

package devpg

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

//go:embed supervisor.sh
var supervisorScript string

// supervisor is the shell between us and PostgreSQL: it outlives us for as long as
// it takes to clean up. See supervisor.sh.
type supervisor struct {
	top       string
	temporary bool
	cmd       *exec.Cmd
	lifeline  *os.File      // closed by the kernel if we die; PostgreSQL ends
	claim     *os.File      // on the temporary directory, or nil
	log       tail          // what initdb and the server say
	ended     chan struct{} // closed when no process of the server is left
	exited    chan struct{} // closed when the shell is gone
}

// job says what the supervisor is to run.
type job struct {
	top        string // directory: made, and removed at the end, if temporary
	temporary  bool
	lock       *lockFile // inherited by the shell, so that the lock lasts as long as the server; or nil
	bin        string
	initdb     string // further argument of initdb, or ""
	password   string
	parameters []string // of postgres
	account    *account
	shell      string // or "" for the system's
}

// supervise starts the job. The caller must call stop.
func supervise(j *job) (*supervisor, error) {
	keep := "keep"
	if j.temporary {
		keep = "temporary"
	}
	args := append([]string{"-c", supervisorScript, "cotenant-postgres", j.top, keep, j.bin, j.initdb}, j.parameters...)
	s := &supervisor{
		top:       j.top,
		temporary: j.temporary,
		cmd:       exec.Command(cmp.Or(j.shell, "/bin/sh"), args...), //nolint:noctx // ends by its lifeline, in good order
		ended:     make(chan struct{}),
		exited:    make(chan struct{}),
	}
	input, lifeline, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.lifeline = lifeline
	output, w, err := os.Pipe()
	if err != nil {
		_ = input.Close()
		_ = lifeline.Close()
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = input, w, w
	s.cmd.Dir = "/" // ours may be closed to the account
	s.cmd.Env = environment()
	// A session of its own: Ctrl-C in the terminal is for us, who then stop the server.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: j.account.credential()}
	if j.lock != nil {
		s.cmd.ExtraFiles = []*os.File{j.lock.File}
	}
	err = s.cmd.Start()
	_ = input.Close()
	_ = w.Close()
	if err != nil {
		_ = lifeline.Close()
		_ = output.Close()
		return nil, fmt.Errorf("start /bin/sh as %s to watch PostgreSQL: %w", j.account, err)
	}
	go func() {
		defer close(s.ended)
		_, _ = io.Copy(&s.log, output)
		_ = output.Close()
	}()
	go func() {
		defer close(s.exited)
		_ = s.cmd.Wait()
	}()
	// Fails only if the shell is gone already, which shows as the end of its output.
	_, _ = io.WriteString(lifeline, j.password+"\n")
	return s, nil
}

// stop ends the server and returns when everything of it is gone. It may be called once.
func (s *supervisor) stop() error {
	_ = s.lifeline.Close()
	if s.claim != nil {
		defer func() { _ = s.claim.Close() }()
	}
	<-s.exited
	// The shell does not leave before its server, unless somebody killed it.
	// Then its work is ours.
	patience := time.Second
	for _, sig := range []syscall.Signal{0, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		if pid := postmaster(s.top); pid > 0 && sig != 0 {
			_ = syscall.Kill(pid, sig)
		}
		if sig == syscall.SIGKILL {
			_ = syscall.Kill(-s.cmd.Process.Pid, sig) // what has no such file: initdb
		}
		select {
		case <-s.ended:
		case <-time.After(patience):
			patience = 10 * time.Second
			continue
		}
		if s.temporary {
			if err := os.RemoveAll(s.top); err != nil {
				return fmt.Errorf("remove data directory: %w", err)
			}
		}
		return nil
	}
	return fmt.Errorf("stop PostgreSQL of %s: it does not end (kill process %d)", s.top, postmaster(s.top))
}

// postmaster returns the id of the first process of the server in top, 0 if there
// is none. If nobody saw to it that the server still runs, it may be that of a dead
// one, or of another process by now.
func postmaster(top string) int {
	pid, _ := strconv.Atoi(postmasterLine(top, 1))
	return pid
}

// postmasterLine returns a line, counted from 1, of the file by which a server
// describes itself, "" if there is none.
func postmasterLine(top string, n int) string {
	text, err := os.ReadFile(filepath.Join(top, "data", "postmaster.pid"))
	if err != nil {
		return ""
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < n {
		return ""
	}
	return strings.TrimSpace(lines[n-1])
}

// environment returns what the server is to know of ours: little, since PG*
// variables would change what it does, and ours may hold secrets.
func environment() []string {
	env := []string{"LC_ALL=C", "HOME=/"}
	for _, name := range []string{"PATH", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// tail keeps the end of what is written to it. It is safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text) - tailSize; n > 0 {
		t.text = append(t.text[:0], t.text[n:]...)
	}
	return len(p), nil
}

// lines returns the last n lines.
func (t *tail) lines(n int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
