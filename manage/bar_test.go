package manage_test

import (
	"bytes"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/cotenant/cotenant/internal/testdb"
)

// On a terminal there is a bar with what is done, the rate and the failures, and
// nothing of it is left in the end.
func TestBar(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme", "globex", "initech")
	if _, err := connect(t, address).Exec(t.Context(), "CREATE TABLE acme.orders (id int)"); err != nil {
		t.Fatal(err)
	}
	cmd := cotenantIn(t, dir, address, "migrate", "--jobs=1")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	shown := onTerminal(t, cmd)
	if cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(stdout.String(), "migrate: 2 done, 1 failed, 1 up to date (") {
		t.Errorf("status %d, %s", cmd.ProcessState.ExitCode(), &stdout)
	}
	for _, want := range []string{`migrate +0% .*\(0/3`, `\r *\rcotenant: shop/migrations/0001_initial\.sql:2: schema "acme": `, `migrate, 1 failed +\d+% .*/3, .* schemas/s`} {
		if !regexp.MustCompile(want).MatchString(shown) {
			t.Errorf("no %s on the terminal:\n%q", want, shown)
		}
	}
	// Two lines of the failure, one of what is not guarded, one of the end.
	if lines := screen(shown); strings.Contains(lines, "%") || strings.Count(lines, "\n") != 4 {
		t.Errorf("left on the terminal:\n%q", lines)
	}
}

// Where a bar does not fit, or cannot be taken back, there are lines as elsewhere.
func TestNoBar(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme", "globex", "initech")
	narrow, dumb := cotenantIn(t, dir, address, "migrate", "--jobs=1"), cotenantIn(t, dir, address, "migrate", "--verify")
	dumb.Env = append(dumb.Env, "TERM=dumb")
	for _, shown := range []string{onTerminalOf(t, narrow, 50), onTerminalOf(t, dumb, 100)} {
		if strings.Contains(shown, "%") {
			t.Errorf("shown:\n%q", shown)
		}
	}
}

// onTerminal runs cmd with a terminal for its standard error, and returns what is
// written there.
func onTerminal(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	return onTerminalOf(t, cmd, 100)
}

func onTerminalOf(t *testing.T, cmd *exec.Cmd, columns uint16) string {
	t.Helper()
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: columns})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	shown, _ := io.ReadAll(terminal) // ends in an error when the process does
	_ = cmd.Wait()
	return string(shown)
}

// screen is what stays: what comes after the last return to the beginning of each line.
func screen(shown string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(shown, "\r\n", "\n"), "\n") {
		lines = append(lines, strings.TrimRight(line[strings.LastIndexByte(line, '\r')+1:], " "))
	}
	return strings.Join(lines, "\n")
}
