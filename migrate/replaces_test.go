package migrate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
)

// squashed is the app of shopWithWaysBack in one file.
const squashed = "-- cotenant:replaces 0001_a 0002_b\n-- cotenant:replaces 0003_c\n" +
	"-- +goose Up\nCREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int);\n-- +goose Down\nDROP TABLE a, b, c;\n"

// runs returns what a run with the options does in each schema.
func (s *site) runs(t *testing.T, o migrate.MigrateOptions) string {
	t.Helper()
	var lines []string
	o.OnResult = func(r migrate.Result) {
		line := r.Schema.String()
		for _, a := range r.Applied {
			line += fmt.Sprintf(" %s %s/%s", a.Action, a.App, a.Name)
		}
		lines = append(lines, line)
	}
	s.migrate(t, o)
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

// One file takes the place of many: it runs in schemas that have none of them, and is
// recorded in those that have all. Their histories are the same then.
func TestReplaces(t *testing.T) {
	t.Parallel()

	for _, kept := range []bool{false, true} { // the files that are replaced
		s := newSite(t, "", "shop crm", append(shopWithWaysBack("shop"), "crm/migrations/1_x.sql", "-- cotenant:requires shop/0002_b\nCREATE TABLE x (id int)")...)
		s.add(t, "all", "behind", "none")
		s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("all", "behind")})
		if !kept {
			s.fsys = files("crm/migrations/1_x.sql", "-- cotenant:requires shop/0002_b\nCREATE TABLE x (id int)")
		}
		s.write("shop/migrations/0004_all.sql", squashed, "shop/migrations/0005_d.sql", goose("CREATE TABLE d (id int)", "DROP TABLE d"))
		p := s.plans(t, planOf(t, migrate.MigrateOptions{}), "1 public: ",
			"2 all behind: replace shop/0004_all, apply shop/0005_d",
			"1 none: apply shop/0004_all, apply shop/0005_d, apply crm/1_x")
		if got := p.Groups[1].Steps[0].SQL; got != nil {
			t.Errorf("SQL of what is recorded: %q", got)
		}
		want := []string{
			"public:",
			"all: shop/0004_all shop/0005_d shop/0001_aX shop/0002_bX shop/0003_cX crm/1_xX",
			"behind: shop/0004_all shop/0005_d shop/0001_aX shop/0002_bX shop/0003_cX crm/1_xX",
			"none: shop/0004_all shop/0005_d crm/1_x",
		}
		if got := s.listed(t, nil, ""); !slices.Equal(got, want) {
			t.Errorf("list: %q, want %q", got, want)
		}
		if got := s.runs(t, migrate.MigrateOptions{}); got != "all replace shop/0004_all apply shop/0005_d; behind replace shop/0004_all apply shop/0005_d; none apply shop/0004_all apply shop/0005_d apply crm/1_x" {
			t.Errorf("ran %q", got)
		}
		s.is(t, "all", "a b c d x", "crm/1_x shop/0004_all* shop/0005_d")
		s.is(t, "none", "a b c d x", "crm/1_x shop/0004_all shop/0005_d")
		s.plans(t, planOf(t, migrate.MigrateOptions{}), "1 public: ", "3 all behind none: ")
		if got := column(t, s.conn, "SELECT DISTINCT digest FROM cotenant.schema_versions WHERE tenant_id > 0"); len(got) != 1 {
			t.Errorf("digests: %q, want one", got)
		}
		// Back over it, and forth again; crm requires what it stands for.
		s.fails(t, migrate.MigrateOptions{App: "shop", Target: "zero"}, "crm/1_x requires shop/0004_all, which would be undone")
		delete(s.fsys, "crm/migrations/1_x.sql")
		s.tenants = []string{"shop"}
		s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "zero"})
		s.is(t, "all", "x", "crm/1_x")
		s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "4"})
		s.is(t, "all", "a b c x", "crm/1_x shop/0004_all")
	}
}

// What has some of what is replaced gets the others, while their files are there; later it
// is told what it lacks.
func TestReplacesInPart(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", shopWithWaysBack("shop")...)
	s.add(t, "one", "two", "late")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001", RunOptions: schemas("one")})
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0002", RunOptions: schemas("two", "late")})
	s.write("shop/migrations/0004_all.sql", squashed)
	if got := s.runs(t, migrate.MigrateOptions{RunOptions: schemas("one", "two")}); got != "one apply shop/0002_b apply shop/0003_c replace shop/0004_all; two apply shop/0003_c replace shop/0004_all" {
		t.Errorf("ran %q", got)
	}
	s.is(t, "one", "a b c", "shop/0004_all*")
	// Where it is in their place, and where it will be, they are no targets.
	s.fails(t, migrate.MigrateOptions{App: "shop", Target: "0002", RunOptions: schemas("one")}, "shop/migrations/0004_all.sql stands for 0002_b in the schema (go to 0004_all, or to what comes before it)")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001", RunOptions: schemas("late")})
	s.is(t, "late", "a", "shop/0001_a")

	s.fsys = files("shop/migrations/0004_all.sql", squashed)
	s.fails(t, migrate.MigrateOptions{}, `schema "late": shop/migrations/0004_all.sql replaces 0001_a, 0002_b, 0003_c, of which the schema lacks 0002_b, 0003_c, and the program has no file (migrate it with the program that has the files`)
	if got := s.listed(t, &migrate.Selection{Schemas: []string{"late"}}, ""); !slices.Equal(got, []string{"late: shop/0004_all shop/0001_aX"}) {
		t.Errorf("list: %q", got)
	}
}

// What replaced others is replaced by its name alone, when all schemas have it: a list with
// both is right for none.
func TestReplacesOneGeneration(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", shopWithWaysBack("shop")...)
	s.add(t, "first", "second")
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("first")})
	s.fsys = files("shop/migrations/0004_all.sql", squashed)
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("second")})

	again := strings.NewReplacer("0001_a 0002_b", "0001_a 0002_b 0003_c", "0003_c\n", "0004_all\n").Replace(squashed)
	s.fsys = files("shop/migrations/0005_all.sql", again)
	const lacks = "shop/migrations/0005_all.sql replaces 0001_a … 0004_all (4), of which the schema lacks "
	s.fails(t, migrate.MigrateOptions{},
		`schema "first": `+lacks+"0004_all, and the program has no file (migrate it with the program that has the files, or restore them until all schemas are past them)",
		`schema "second": `+lacks+"0001_a, 0002_b, 0003_c, and the program has no file (migrate it with the program that has the files, or restore them until all schemas are past them; if 0004_all replaced them, take them out of the list, which has one generation)")

	// The cures, one after the other.
	s.fsys = files("shop/migrations/0004_all.sql", squashed)
	s.migrate(t, migrate.MigrateOptions{})
	s.fsys = files("shop/migrations/0005_all.sql", "-- cotenant:replaces 0004_all\n"+squashed[strings.Index(squashed, "-- +goose"):])
	s.migrate(t, migrate.MigrateOptions{})
	for _, schema := range []string{"first", "second"} {
		s.is(t, schema, "a b c", "shop/0005_all*")
	}
}

// The last of what is replaced is a target where the others are there, also when it has come
// to that: it is not taken for what replaces it, until that is the target.
func TestReplacesUpToTheLast(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", append(shopWithWaysBack("shop"), "shop/migrations/0005_d.sql", goose("CREATE TABLE d (id int)", "DROP TABLE d"))...)
	s.add(t, "acme", "beta")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001", RunOptions: schemas("acme")})
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("beta")})
	s.write("shop/migrations/0004_all.sql", squashed)
	for range 2 {
		adds(t, s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0003", RunOptions: schemas("acme")}), 1, 0, 0, 0)
		s.is(t, "acme", "a b c", "shop/0001_a shop/0002_b shop/0003_c")
		execute(t, s.conn, "DELETE FROM acme.cotenant_migrations WHERE name = '0003_c'; DROP TABLE acme.c; DELETE FROM cotenant.schema_versions WHERE tenant_id = 1")
	}
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0003"})
	s.is(t, "beta", "a b c", "shop/0001_a shop/0002_b shop/0003_c")
	adds(t, s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0003"}), 0, 0, 0, 3)
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0004"})
	s.is(t, "acme", "a b c", "shop/0004_all*")
}

// The way back of a schema that has all that is replaced, and not yet the record, is that
// of what replaces it.
func TestReplacesWayBack(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", append(shopWithWaysBack("shop"), "shop/schema.sql", "CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int)")...)
	s.add(t, "acme", "beta")
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("acme")})
	s.is(t, "acme", "a b c", "shop/0001_a* shop/0002_b* shop/0003_c* shop/schema.sql")
	s.fsys = files("shop/migrations/0001_all.sql", squashed, "shop/schema.sql", "CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int)")
	if got := s.runs(t, migrate.MigrateOptions{App: "shop", Target: "zero", RunOptions: schemas("acme")}); got != "acme replace shop/0001_all unapply shop/0001_all" {
		t.Errorf("ran %q", got)
	}
	s.is(t, "acme", "", "")
	// What is created now never had the others.
	s.migrate(t, migrate.MigrateOptions{})
	s.is(t, "beta", "a b c", "shop/0001_all* shop/schema.sql")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "zero", Fake: true})
	s.is(t, "beta", "a b c", "")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Fake: true})
	s.is(t, "beta", "a b c", "shop/0001_all*")
}

// Tenants' apps can require what was replaced in a shared app, in public as it was and as
// it is, also when they are created. Public does not lose it while they do.
func TestReplacesWhatIsRequired(t *testing.T) {
	t.Parallel()

	s := built(t, "base", "shop", append(shopWithWaysBack("base"), "shop/migrations/1_x.sql", goose("-- cotenant:requires base/0002_b\nCREATE TABLE x (id int)", "DROP TABLE x"))...)
	s.create(t, "t1")
	kept := s.fsys
	s.write("base/migrations/0004_all.sql", squashed)
	s.create(t, "t2")
	s.fsys = files("base/migrations/0004_all.sql", squashed, "shop/migrations/1_x.sql", string(kept["shop/migrations/1_x.sql"].Data))
	s.create(t, "t3")
	s.migrate(t, migrate.MigrateOptions{RunOptions: migrate.RunOptions{Selection: migrate.Selection{Tenant: true}}})
	s.fsys = kept
	s.migrate(t, migrate.MigrateOptions{})
	s.is(t, "public", "a b c", "base/0004_all*")
	s.create(t, "t4")
	s.fails(t, migrate.MigrateOptions{App: "base", Target: "zero"}, "which would be undone")
	for _, name := range []string{"0001_a", "0002_b", "0003_c"} {
		delete(s.fsys, "base/migrations/"+name+".sql")
	}
	s.create(t, "t5")
	s.is(t, "t5", "x", "shop/1_x")
	s.fails(t, migrate.MigrateOptions{App: "base", Target: "zero"}, "shop/1_x requires base/0004_all, which would be undone")
}

// What public has neither itself nor by what replaces it is lacking.
func TestReplacesWhatPublicLacks(t *testing.T) {
	t.Parallel()

	s := built(t, "base", "shop", append(shopWithWaysBack("base"), "shop/migrations/1_x.sql", "CREATE TABLE x (id int)")...)
	s.create(t, "acme")
	s.migrate(t, migrate.MigrateOptions{App: "base", Target: "0001"})
	s.write("base/migrations/0004_all.sql", squashed, "shop/migrations/2_y.sql", "-- cotenant:requires base/0002_b\nCREATE TABLE y (id int)")
	tenants := migrate.MigrateOptions{RunOptions: migrate.RunOptions{Selection: migrate.Selection{Tenant: true}}}
	s.fails(t, tenants, "shop/migrations/2_y.sql requires base/0002_b, which public does not have (migrate the shared apps first)")
	s.refuses(t, "shop/2_y requires base/0002_b, which is not there (migrate the shared apps first)")
	s.migrate(t, migrate.MigrateOptions{})
	s.is(t, "acme", "x y", "shop/1_x shop/2_y")
}

// In the program it is a field. Files that are out of order run no less.
func TestReplacesInProgram(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "")
	s.config.RefuseOutOfOrder = true
	s.add(t, "acme")
	up := func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "CREATE TABLE a (id int)")
		return err
	}
	three := migrate.Migration{Name: "3_c", SQL: "CREATE TABLE c (id int)"}
	s.config.TenantApps = []migrate.App{{Name: "shop", Migrations: []migrate.Migration{{Name: "1_a", Up: up}, {Name: "2_b", SQL: "CREATE TABLE b (id int)"}, three}}}
	s.migrate(t, migrate.MigrateOptions{})
	all := migrate.Migration{Name: "1_all", Up: up, Replaces: []string{"1_a", "2_b"}}
	s.config.TenantApps = []migrate.App{{Name: "shop", Migrations: []migrate.Migration{all, three}}}
	s.migrate(t, migrate.MigrateOptions{})
	s.is(t, "acme", "a b c", "shop/1_all* shop/3_c")
}

// What replaces what it cannot is refused before a database is asked.
func TestReplacesThatCannotBe(t *testing.T) {
	t.Parallel()

	file := func(replaces string) string { return "-- cotenant:replaces " + replaces + "\nSELECT 1" }
	for _, tt := range []struct {
		files []string
		want  string
	}{
		{[]string{"1_a", file("1_a")}, "shop/migrations/1_a.sql replaces itself"},
		{[]string{"1_a", file("0_x"), "2_b", file("0_x")}, "shop/migrations/1_a.sql and shop/migrations/2_b.sql replace 0_x both"},
		{[]string{"1_a", file("0_x 0_x")}, "replace 0_x both, or one of them twice"},
		{[]string{"1_a", file("2_b"), "2_b", "SELECT 1"}, "shop/migrations/1_a.sql replaces shop/migrations/2_b.sql, and comes before it (give it a higher number, or remove the files that it replaces)"},
		{[]string{"1_a", file("0_x"), "2_b", file("1_a")}, "shop/migrations/2_b.sql replaces shop/migrations/1_a.sql, which replaces others (one generation at a time: when all schemas have 1_a, remove its file, and replace it without what it replaced)"},
		// What a new schema would get in another order than the others got it.
		{[]string{"1_a", "SELECT 1", "2_b", "SELECT 1", "3_c", "SELECT 1", "4_all", file("1_a 2_b")}, "shop/migrations/4_all.sql replaces 1_a, and a new schema would get shop/migrations/3_c.sql, which comes behind that, before it (replace that, too; or remove"},
		{[]string{"3_c", "SELECT 1", "4_all", file("1_a 2_b")}, "shop/migrations/4_all.sql replaces 1_a, and a new schema would get shop/migrations/3_c.sql"},
		{[]string{"2_b", "SELECT 1", "1_all", file("1_a 3_c")}, "shop/migrations/1_all.sql replaces 3_c, and a new schema would get shop/migrations/2_b.sql, which comes before that, behind it (replace that, too)"},
		{[]string{"5_all", file("2_b 3_c"), "6_all", file("1_a 4_d")}, "shop/migrations/5_all.sql replaces 3_c, and a new schema would get shop/migrations/6_all.sql"},
		{[]string{"2_all", file("1_a 2_b"), "3_c", "SELECT 1"}, ""},
		{[]string{"5_all", file("1_a 2_b"), "6_all", file("3_c 4_d"), "7_e", "SELECT 1"}, ""},
		{[]string{"1_a", "SELECT 1", "2_c", "SELECT 1", "3_d", "SELECT 1", "4_b", file("2_b")}, ""}, // one that was renumbered
		{[]string{"1_a", "-- cotenant:requires crm/1_x\nSELECT 1", "2_b", "-- cotenant:requires crm/2_y\n" + file("1_a")}, ""},
		{[]string{"2_b", "-- cotenant:requires crm/3_z\n" + file("1_a")}, "in a circle"},
	} {
		fsys := files("crm/migrations/1_x.sql", "SELECT 1", "crm/migrations/2_y.sql", "SELECT 1", "crm/migrations/3_z.sql", "-- cotenant:requires shop/1_a\nSELECT 1")
		for i := 0; i < len(tt.files); i += 2 {
			fsys["shop/migrations/"+tt.files[i]+".sql"] = files("x", tt.files[i+1])["x"]
		}
		_, err := migrate.New(&migrate.Config{TenantApps: migrate.Dirs(fsys, "shop", "crm")})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q: %v, want %q", tt.files, err, tt.want)
		}
	}
	_, err := migrate.New(&migrate.Config{TenantApps: []migrate.App{{Name: "shop", Migrations: []migrate.Migration{{Name: "1_a", SQL: "SELECT 1", Replaces: []string{"a"}}}}}})
	has(t, err, `migration 1_a of app shop: Replaces "a": not a name for a migration`)
}
