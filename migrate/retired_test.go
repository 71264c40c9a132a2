package migrate_test

import (
	"slices"
	"testing"

	"github.com/cotenant/cotenant/migrate"
)

// An app that was taken off its list is left alone, and told with the schemas that have
// it; so does one that moved to the other list, and one of a newer program.
func TestRetiredApps(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop blog old", append(shopWithWaysBack("shop"),
		"base/migrations/1_x.sql", "CREATE TABLE x (id int)", "blog/migrations/1_b.sql", "CREATE TABLE blog (id int)", "old/schema.sql", "CREATE TABLE old (id int)")...)
	s.add(t, "t1", "t2", "t3", "t4")
	s.sync(t, migrate.SyncOptions{Migrate: true, RunOptions: schemas("public", "t1", "t2")})
	s.migrate(t, migrate.MigrateOptions{App: "blog", RunOptions: schemas("t3")})

	s.shared, s.tenants = []string{"blog"}, []string{"shop"}
	want := []migrate.RetiredApp{{App: "base", Schemas: 1}, {App: "blog", Schemas: 3}, {App: "old", Schemas: 2}}
	p := s.plans(t, planOf(t, migrate.MigrateOptions{}), "1 public: apply blog/1_b", "2 t1 t2: ", "2 t3 t4: apply shop/0001_a")
	if !slices.Equal(p.Retired, want) {
		t.Errorf("plan: %v, want %v", p.Retired, want)
	}
	if got, want := s.listed(t, &migrate.Selection{Schemas: []string{"t2"}}, ""), "t2: shop/0001_aX shop/0002_bX shop/0003_cX blog/1_b?"; !slices.Equal(got, []string{want}) {
		t.Errorf("list: %q, want %q", got, want)
	}
	report := s.migrate(t, migrate.MigrateOptions{})
	adds(t, report, 3, 0, 0, 2)
	if !slices.Equal(report.Retired, want) {
		t.Errorf("run: %v, want %v", report.Retired, want)
	}
	s.is(t, "t1", "a b blog c old", "blog/1_b old/schema.sql shop/0001_a shop/0002_b shop/0003_c")
	// A run that has nothing to do says it, too; one for other schemas does not.
	if got := s.migrate(t, migrate.MigrateOptions{}).Retired; !slices.Equal(got, want) {
		t.Errorf("once more: %v, want %v", got, want)
	}
	if got := s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("t4")}).Retired; got != nil {
		t.Errorf("of a schema without: %v", got)
	}
	if got, want := want[1].String(), `app "blog": 3 schemas have it, and it is on no list of apps for them (drop its tables and its records in cotenant_migrations; or list it, and undo it first where it has ways back: migrate blog zero)`; got != want {
		t.Errorf("said: %s", got)
	}
}
