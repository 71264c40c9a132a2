package manage_test

import (
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/cotenant/cotenant/internal/testdb"
)

// turn is what a program says at a terminal, and what it is answered.
type turn struct{ says, answer string }

// converse runs cmd at a terminal, and answers as the turns say. It returns all that was
// shown.
func converse(t *testing.T, cmd *exec.Cmd, turns ...turn) string {
	t.Helper()
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var shown strings.Builder
	unread := ""
	for _, turn := range turns {
		for !strings.Contains(unread, turn.says) {
			chunk := make([]byte, 1024)
			n, err := terminal.Read(chunk)
			shown.Write(chunk[:n])
			if unread += string(chunk[:n]); err != nil {
				t.Fatalf("%q is not said:\n%s", turn.says, &shown)
			}
		}
		_, unread, _ = strings.Cut(unread, turn.says)
		if _, err := io.WriteString(terminal, turn.answer); err != nil {
			t.Fatal(err)
		}
	}
	rest, _ := io.ReadAll(terminal) // ends in an error when the process does
	shown.Write(rest)
	_ = cmd.Wait()
	return shown.String()
}

// What was not given to tenant create is asked for, until the answer is one that PostgreSQL
// takes; and what would be lost is confirmed.
func TestPrompts(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme")
	conn := connect(t, address)
	if _, err := conn.Exec(t.Context(), "ALTER TABLE cotenant.tenants ADD COLUMN name text NOT NULL DEFAULT 'x'; ALTER TABLE cotenant.tenants ALTER COLUMN name DROP DEFAULT, ADD COLUMN paid_until date, ADD COLUMN on_trial boolean NOT NULL DEFAULT true, ADD COLUMN tags text[]"); err != nil {
		t.Fatal(err)
	}
	shown := converse(
		t, cotenantIn(t, dir, address, "create_tenant"),
		turn{"schema_name: ", "a b\r"}, turn{"invalid schema name", ""}, turn{"schema_name: ", "Acme\r"}, turn{`taken by tenant "acme"`, ""}, turn{"schema_name: ", "globex\r"},
		turn{"domain_url (empty for none): ", "globex.example.com\r"},
		turn{"name (text): ", "\r"}, turn{"name needs a value", ""}, turn{"name (text): ", "Globex Inc.\r"},
		turn{"paid_until (date): ", "soon\r"}, turn{`invalid input syntax for type date: "soon"`, ""}, turn{"paid_until (date): ", "2027-12-05\r"},
		turn{"on_trial (boolean) [true]: ", "\r"}, turn{"tags (text[]): ", "one\r"},
	)
	if !strings.HasSuffix(shown, "tenant \"globex\" created: globex.example.com\r\n") {
		t.Errorf("shown:\n%s", shown)
	}
	state := func(want string) {
		t.Helper()
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT string_agg(concat_ws(' ', schema_name, name, paid_until, on_trial, tags), ', ' ORDER BY id) FROM cotenant.tenants").Scan(&got); err != nil || got != want {
			t.Errorf("tenants: %s, %v; want %s", got, err, want)
		}
	}
	state("acme x t, globex Globex Inc. 2027-12-05 t {one}")

	for _, end := range []string{"\x03", "\x04"} { // Ctrl-C, Ctrl-D
		cmd := cotenantIn(t, dir, address, "create_tenant", "--schema_name=initech")
		shown = converse(t, cmd, turn{"domain_url", end})
		if cmd.ProcessState.ExitCode() != 1 || !strings.HasSuffix(shown, " create_tenant: interrupted: nothing was changed\r\n") {
			t.Errorf("status %d:\n%s", cmd.ProcessState.ExitCode(), shown)
		}
	}
	shown = converse(t, cotenantIn(t, dir, address, "tenant", "delete", "globex"), turn{"Type globex to confirm: ", "globx\r"})
	if !strings.HasSuffix(shown, "not confirmed: nothing was changed\r\n") {
		t.Errorf("shown:\n%s", shown)
	}
	state("acme x t, globex Globex Inc. 2027-12-05 t {one}")
	shown = converse(t, cotenantIn(t, dir, address, "tenant", "delete", "globex"), turn{"Type globex to confirm: ", "globex\r"})
	if !strings.HasSuffix(shown, "tenant \"globex\" deleted\r\n") {
		t.Errorf("shown:\n%s", shown)
	}
	state("acme x t")
}

// Words have colours at a terminal, but where NO_COLOR is set or the terminal has none, and
// nowhere else.
func TestColours(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme")
	const green, red = "\x1b[32mup to date\x1b[0m", "\x1b[31mcotenant:\x1b[0m status: schema \"acne\""
	for _, setting := range []string{"TERM=xterm", "NO_COLOR=1", "TERM=dumb"} {
		coloured := setting == "TERM=xterm"
		for word, args := range map[string][]string{green: {"status"}, red: {"status", "--schema=acne"}} {
			cmd := cotenantIn(t, dir, address, args...)
			cmd.Env = append(cmd.Environ(), "TERM=xterm", setting)
			if shown := converse(t, cmd); strings.Contains(shown, word) != coloured || strings.Contains(shown, "\x1b[") != coloured {
				t.Errorf("%s: %q", setting, shown)
			}
		}
	}
	cmd := cotenantIn(t, dir, address, "status")
	cmd.Env = append(cmd.Environ(), "TERM=xterm")
	if out, err := cmd.Output(); err != nil || strings.Contains(string(out), "\x1b") {
		t.Errorf("through a pipe: %q, %v", out, err)
	}
}
