package manage_test

import (
	"io"
	"strings"
	"testing"

	"github.com/creack/pty"

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
	for _, answer := range []string{"", "n", "what?", "y"} {
		cmd := cotenantIn(t, dir, address, "doctor", "--fix")
		terminal, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(terminal, answer+"\n"); err != nil {
			t.Fatal(err)
		}
		shown, _ := io.ReadAll(terminal) // ends in an error when the process does
		terminal.Close()
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, shown)
		}
		question, outcome := "Mend these? [y/N] ", "nothing was changed"
		left := 1
		if answer == "y" {
			outcome, left = "doctor: 1 mended", 0
		}
		if !strings.Contains(string(shown), question) || !strings.Contains(string(shown), outcome) {
			t.Errorf("%q: no %q or no %q in\n%s", answer, question, outcome, shown)
		}
		if n := one[int](t, conn, "SELECT count(*) FROM cotenant.schema_versions WHERE tenant_id = 4711"); n != left {
			t.Errorf("%q: %d rows are left, want %d", answer, n, left)
		}
	}
}
