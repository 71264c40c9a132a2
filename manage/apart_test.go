//go:build linux || darwin || freebsd

package manage_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
)

// atTerminal is cotenant with a group of its own, as a shell gives it one, and a program
// that it runs.
type atTerminal struct {
	*exec.Cmd
	address string
	lock    *pgx.Conn // holds the locks 42 and 43
	output  *bufio.Reader
}

// startProgram has cotenant run a script in which $wait waits for the lock 42, and $after for
// the lock 43, and waits until it is at the first.
func startProgram(t *testing.T, command, script string) *atTerminal {
	t.Helper()
	for _, program := range []string{"psql", "sh"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	address := testdb.New(t)
	dir := project(t, address, "acme", "globex")
	args := append(strings.Fields(command), "--", "sh", "-c", `wait="psql -Xqtc 'SELECT pg_advisory_lock_shared(42)'"
		after="psql -Xqtc 'SELECT pg_advisory_lock_shared(43)'"
		`+script)
	p := &atTerminal{Cmd: cotenantIn(t, dir, address, args...), address: address, lock: connect(t, address)}
	if _, err := p.lock.Exec(t.Context(), "SELECT pg_advisory_lock(42), pg_advisory_lock(43)"); err != nil {
		t.Fatal(err)
	}
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	reader, writer, err := os.Pipe() // whose end is that of all who have it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	p.Stdout, p.Stderr, p.output = writer, writer, bufio.NewReader(reader)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	p.waits(t, 42)
	return p
}

// waits returns when somebody waits for the lock.
func (p *atTerminal) waits(t *testing.T, lock int) {
	t.Helper()
	conn := connect(t, p.address)
	until(t, func() bool {
		var waits bool
		if err := conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1::int AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))", lock).Scan(&waits); err != nil {
			t.Fatal(err)
		}
		return waits
	})
}

// release gives the lock to who waits.
func (p *atTerminal) release(t *testing.T, lock int) {
	t.Helper()
	if _, err := p.lock.Exec(t.Context(), "SELECT pg_advisory_unlock($1)", lock); err != nil {
		t.Fatal(err)
	}
}

// ctrlC does what the terminal does: all of the group get the signal.
func (p *atTerminal) ctrlC(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(-p.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
}

// says returns when a line has the text.
func (p *atTerminal) says(t *testing.T, text string) {
	t.Helper()
	for {
		line, err := p.output.ReadString('\n')
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			t.Fatalf("%q is not said", text)
		}
	}
}

// end returns the status and what else is said, when all have ended who can say something.
func (p *atTerminal) end(t *testing.T) (status int, rest string) {
	t.Helper()
	var all strings.Builder
	if _, err := p.output.WriteTo(&all); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
	return p.ProcessState.ExitCode(), all.String()
}

const stopping = "cotenant: stopping: the tenants that it is at are finished"

// At the first Ctrl-C the program that runs is finished, and no other begins.
func TestRunInterrupted(t *testing.T) {
	t.Parallel()

	p := startProgram(t, "run", `eval "$wait" && echo "$COTENANT_SCHEMA is finished"`)
	p.ctrlC(t)
	p.says(t, stopping)
	p.release(t, 42)
	if status, rest := p.end(t); status != 1 || !strings.Contains(rest, "acme is finished") || strings.Contains(rest, "globex") || !strings.Contains(rest, "run: 1 done, 1 untouched") {
		t.Errorf("status %d\n%s", status, rest)
	}
}

// SIGTERM does the same, and there is nobody left.
func TestRunTerminated(t *testing.T) {
	t.Parallel()

	p := startProgram(t, "run --jobs=2", `eval "$wait" && echo "$COTENANT_SCHEMA is finished"`)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.says(t, stopping)
	p.release(t, 42)
	if _, rest := p.end(t); !strings.Contains(rest, "acme is finished") {
		t.Error(rest)
	}
}

// At the second the program gets SIGINT, and those that it began.
func TestRunInterruptedTwice(t *testing.T) {
	t.Parallel()

	p := startProgram(t, "run", `trap 'echo interrupted; exit 7' INT; eval "$wait"; echo finished`)
	p.ctrlC(t)
	p.says(t, stopping)
	p.ctrlC(t)
	if status, rest := p.end(t); status != 1 || !strings.Contains(rest, "\ninterrupted\n") || strings.Contains(rest, "finished") || !strings.Contains(rest, "run: 0 done, 1 failed, 1 untouched") {
		t.Errorf("status %d\n%s", status, rest)
	}
}

// At the third one who pays no regard to it is killed, with those that it began.
func TestRunInterruptedThrice(t *testing.T) {
	t.Parallel()

	p := startProgram(t, "run", `trap 'echo ignored' INT; eval "$wait"; eval "$after"; eval "$after"`)
	p.ctrlC(t)
	p.says(t, stopping)
	p.ctrlC(t)
	p.says(t, "ignored")
	p.waits(t, 43)
	p.ctrlC(t)
	if status, rest := p.end(t); status != 1 || !strings.Contains(rest, "signal: killed") {
		t.Errorf("status %d\n%s", status, rest)
	}
}

// A program that is for one tenant has Ctrl-C to itself, and we go on for as long as it does.
func TestTenantCommandInterrupted(t *testing.T) {
	t.Parallel()

	p := startProgram(t, "tenant_command --schema=acme", `trap 'echo interrupted' INT; eval "$wait"; eval "$after"; echo finished`)
	p.ctrlC(t)
	p.says(t, "interrupted")
	p.waits(t, 43)
	p.release(t, 43)
	if status, rest := p.end(t); status != 0 || !strings.HasSuffix(rest, "finished\n") {
		t.Errorf("status %d\n%s", status, rest)
	}
}

// SIGTERM, which it does not have from the terminal, is handed on.
func TestTenantCommandTerminated(t *testing.T) {
	t.Parallel()

	p := startProgram(t, "tenant_command --schema=acme", `trap 'kill $!; echo terminated; exit 7' TERM; eval "exec $wait" & wait; echo finished`)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status, rest := p.end(t); status != 1 || !strings.Contains(rest, "terminated\n") || strings.Contains(rest, "finished") || !strings.Contains(rest, "sh ended with status 7") {
		t.Errorf("status %d\n%s", status, rest)
	}
}

// It reads from the terminal, which the system lets only the foreground do.
func TestTenantCommandForeground(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme")
	script := filepath.Join(t.TempDir(), "ask")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nprintf 'name: '; read name </dev/tty; echo \"hello $name\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	shown := converse(t, cotenantIn(t, dir, address, "tenant_command", "--schema=acme", "--", script), turn{"name: ", "me\r"})
	if !strings.Contains(shown, "hello me\r\n") {
		t.Error(shown)
	}
}

// Where the system sees to it, a program does not outlive us, whatever ends us.
func TestRunKilled(t *testing.T) {
	t.Parallel()

	if runtime.GOOS != "linux" {
		t.Skip("the system does not see to it")
	}
	p := startProgram(t, "run", `eval "exec $wait"`)
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.end(t) // comes when nobody has the output any more
}
