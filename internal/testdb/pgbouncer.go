package testdb

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/internal/pgbouncer"
)

// requireEnv lists the programs without which tests fail instead of being
// skipped: for build servers, where a skipped test would go unnoticed.
const requireEnv = "COTENANT_TEST_REQUIRE"

// PgBouncer starts a PgBouncer in front of the database at address and returns the
// URL of the database through it. It ends with the test, or with the test binary.
// mode is its pool_mode, such as "transaction". Where PgBouncer is not installed
// the test is skipped, or fails if COTENANT_TEST_REQUIRE names pgbouncer.
func PgBouncer(tb testing.TB, address, mode string) string {
	tb.Helper()
	server, err := pgbouncer.Start(tb.Context(), address, mode)
	if errors.Is(err, exec.ErrNotFound) && !strings.Contains(os.Getenv(requireEnv), "pgbouncer") {
		tb.Skipf("testdb: %v", err)
	}
	if err != nil {
		tb.Fatalf("testdb: %v", err)
	}
	tb.Cleanup(server.Stop)
	return server.URL()
}
