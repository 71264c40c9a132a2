package manage_test

import (
	"strings"
	"testing"

	"github.com/cotenant/cotenant/internal/testdb"
)

// On a terminal doctor asks before it mends, and takes only yes for an answer.
func TestDoctorAsks(t *testing.T) {
	t.Parallel()
	address := testdb.New(t)
	dir := project(t, address, "acme")
	conn := connect(t, address)
	if _, err := conn.Exec(t.Context(), "INSERT INTO cotenant.schema_versions VALUES (4711, 1, 'd')"); err != nil {
		t.Fatal(err)
	}
	for _, answer := range []string{"\x03", "\x04", "\r", "n\r", "what?\r", "y\r"} {
		cmd := cotenantIn(t, dir, address, "doctor", "--fix")
		shown := converse(t, cmd, turn{"Mend these? [y/N] ", answer})
		status, outcome, left := 0, "nothing was changed", 1
		switch answer {
		case "y\r":
			outcome, left = "doctor: 1 mended", 0
		case "\x03", "\x04": // Ctrl-C, Ctrl-D
			status, outcome = 1, "doctor: interrupted: nothing was changed"
		}
		if cmd.ProcessState.ExitCode() != status || !strings.Contains(shown, outcome) {
			t.Errorf("%q: status %d, or no %q in\n%s", answer, cmd.ProcessState.ExitCode(), outcome, shown)
		}
		if n := one[int](t, conn, "SELECT count(*) FROM cotenant.schema_versions WHERE tenant_id = 4711"); n != left {
			t.Errorf("%q: %d rows are left, want %d", answer, n, left)
		}
	}
}
