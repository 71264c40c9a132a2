package manage_test

import (
	"strings"
	"testing"

	"github.com/cotenant/cotenant/internal/testdb"
)

// A pooler is refused in the words of a project, and the settings that it names do.
func TestPooler(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address)
	pooler := testdb.PgBouncer(t, address, "transaction")
	cmd := cotenantIn(t, dir, pooler, "migrate")
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"cotenant: migrate: database_url, ", `(set search_path_mode to "transaction", and direct_url to the server itself)`} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, want %s:\n%s", err, want, out)
		}
	}
	cmd = cotenantIn(t, dir, pooler, "migrate")
	cmd.Env = append(cmd.Env, "COTENANT_SEARCH_PATH_MODE=transaction", "COTENANT_DIRECT_URL="+address)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "migrate: 1 up to date (") {
		t.Errorf("%v\n%s", err, out)
	}
}
