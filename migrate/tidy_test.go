package migrate_test

import (
	"testing"

	"github.com/cotenant/cotenant/migrate"
)

// A lock that an INSERT takes for its session is not held in the next schema.
func TestInsertLeavesNoLock(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop",
		"shop/migrations/1_a.sql", "CREATE TABLE a (b text); INSERT INTO a SELECT '' FROM (SELECT pg_advisory_lock(42)) AS x",
		"shop/migrations/2_b.sql", "CREATE TABLE seen AS SELECT count(*)::text AS n FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid = 42 AND classid = 0")
	s.add(t, "t1", "t2")
	s.migrate(t, migrate.MigrateOptions{RunOptions: migrate.RunOptions{Jobs: 1}})
	for _, schema := range []string{"t1", "t2"} {
		if got := column(t, s.conn, "SELECT n FROM "+schema+".seen"); got[0] != "0" {
			t.Errorf("%s: %s locks of the file before", schema, got[0])
		}
	}
}
