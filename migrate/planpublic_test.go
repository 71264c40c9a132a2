package migrate_test

import (
	"strings"
	"testing"

	"github.com/cotenant/cotenant/migrate"
)

// A schema.sql that cannot be run is not put down to public, if that lacks nothing.
func TestPlanSyncVerifyOfWhatCannotRun(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop", "base/schema.sql", "CREATE TABLE plans (id int PRIMARY KEY)", "shop/schema.sql", "CREATE TABLE a (id int)")
	s.add(t, "acme")
	s.sync(t, migrate.SyncOptions{})
	s.write("shop/schema.sql", "CREATE TABLE a (id int); CREATE TABLE b (p int REFERENCES nowhere)")
	p := s.plans(t, planSyncOf(t, migrate.SyncOptions{RunOptions: migrate.RunOptions{Verify: true}}), "1 public: ", "1 acme: ")
	err := p.Groups[1].Err
	has(t, err, `relation "nowhere" does not exist`)
	if strings.Contains(err.Error(), "public is behind") {
		t.Errorf("error %q, and public lacks nothing", err)
	}
}
