package migrate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/migrate"
)

// listed is a list, a line for each schema: X is applied, * faked, ? unknown.
func (s *site) listed(t *testing.T, selection *migrate.Selection, app string) (lines []string) {
	t.Helper()
	before := s.snapshot(t, true)
	for l, err := range s.fleet(t).List(t.Context(), selection, app) {
		if err != nil {
			return append(lines, err.Error())
		}
		line := l.Schema.String() + ":"
		if l.Missing {
			line += " missing"
		}
		if l.Renamed != "" {
			line += ", now " + l.Renamed
		}
		if l.Orphan {
			line += " orphan"
		}
		for _, m := range l.Migrations {
			line += " " + m.App + "/" + m.Name
			for mark, set := range map[string]bool{"X": m.Applied && !m.Faked && !m.Unknown, "*": m.Applied && m.Faked, "?": m.Unknown} {
				if set {
					line += mark
				}
			}
			if (m.Faked || m.Unknown) && !m.Applied {
				line += "!"
			}
		}
		lines = append(lines, line)
	}
	s.unchanged(t, before, true)
	return lines
}

func TestList(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop crm", append(shopWithWaysBack("shop"), "base/migrations/1_x.sql", "CREATE TABLE x (id int)", "crm/schema.sql", "CREATE TABLE y (id int)")...)
	check := func(selection *migrate.Selection, app string, want ...string) {
		t.Helper()
		if got := s.listed(t, selection, app); !slices.Equal(got, want) {
			t.Errorf("list:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	check(nil, "", "public: base/1_x")
	s.add(t, "t1", "t2")
	check(nil, "", "public: base/1_x", "t1: shop/0001_a shop/0002_b shop/0003_c crm/schema.sql", "t2: shop/0001_a shop/0002_b shop/0003_c crm/schema.sql")

	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001", Fake: true, RunOptions: schemas("t1")})
	s.sync(t, migrate.SyncOptions{RunOptions: schemas("t1")})
	execute(t, s.conn, "ALTER TABLE t1.cotenant_migrations ADD CONSTRAINT none CHECK (name <> '0003_c') NOT VALID")
	if _, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: schemas("public", "t1", "t2")}); err == nil {
		t.Error("no error")
	}
	execute(t, s.conn, "INSERT INTO t2.cotenant_migrations VALUES ('shop', '0004_newer', 'x')")
	check(nil, "",
		"public: base/1_xX",
		"t1: shop/0001_a* shop/0002_bX shop/0003_c crm/schema.sqlX",
		"t2: shop/0001_aX shop/0002_bX shop/0003_cX shop/0004_newer? crm/schema.sql")
	check(nil, "base", "public: base/1_xX")
	check(&migrate.Selection{Schemas: []string{"t1"}}, "shop", "t1: shop/0001_a* shop/0002_bX shop/0003_c")
	check(&migrate.Selection{Shared: true}, "", "public: base/1_xX")
	check(&migrate.Selection{Tenant: true, Exclude: []string{"t2"}}, "crm", "t1: crm/schema.sqlX")

	// What cannot be is told in the place of the first.
	check(nil, "shpo", `app "shpo": there is none of that name (did you mean "shop"?)`)
	check(&migrate.Selection{Schemas: []string{"t3"}}, "", `schema "t3": tenant not found (did you mean "t1"?)`)
	// A missing schema has nothing.
	newRow(t, s.conn, 100, "gone")
	check(&migrate.Selection{Schemas: []string{"gone"}}, "", "gone: missing")
	// One whose tenant does not know its name says that, and one without a tenant comes last.
	execute(t, s.conn, "DELETE FROM cotenant.tenants WHERE schema_name = 'gone'; ALTER SCHEMA t1 RENAME TO one; CREATE SCHEMA zzz; CREATE TABLE zzz.cotenant_migrations ()")
	check(nil, "crm", "t1: missing, now one", "t2: crm/schema.sql", "zzz: orphan")
	check(&migrate.Selection{Schemas: []string{"t2"}}, "crm", "t2: crm/schema.sql")
	for range s.fleet(t).List(t.Context(), nil, "") {
		break
	}
}

// Schemas are found however many tenants stand between them that are not looked for.
func TestPlanOfFewAmongMany(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	s.add(t, "first")
	s.last = 4000
	s.add(t, "last")
	execute(t, s.conn, "INSERT INTO cotenant.tenants (id, schema_name) SELECT i, 'gone' || i FROM generate_series(2, 3999) AS i")
	s.plans(t, planOf(t, migrate.MigrateOptions{}), "1 public: ", "2 first last: apply shop/1_a", `3998 gone10 `)
}
