package migrate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
)

// gone wants ErrGone, and not ErrNewer.
func gone(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, migrate.ErrGone) || errors.Is(err, migrate.ErrNewer) {
		t.Errorf("%v is not ErrGone alone", err)
	}
}

// A file that was renamed or removed since it ran is told from one that only a newer
// program has, with the cure, and nothing runs.
func TestMigrationThatIsGone(t *testing.T) {
	t.Parallel()

	a, b, c := "CREATE TABLE a (id int)", "CREATE TABLE b (id int)", "CREATE TABLE c (id int)"
	s := newSite(t, "", "shop", "shop/migrations/0001_a.sql", a, "shop/migrations/0002_b.sql", b, "shop/migrations/0003_c.sql", c)
	s.add(t, "acme", "beta")
	s.migrate(t, migrate.MigrateOptions{})
	for _, tt := range []struct {
		name  string
		files []string
		newer bool
		want  string
	}{
		{"renamed", []string{"0001_a", a, "0002_others", b, "0003_c", c}, false, "its migration shop/0002_b ran, and the program has it as 0002_others (name it 0002_b again; or write -- cotenant:replaces 0002_b into it)"},
		{"renamed, the newest", []string{"0001_a", a, "0002_b", b, "0003_others", c}, false, "shop/0003_c ran, and the program has it as 0003_others"},
		{"renumbered", []string{"0001_a", a, "0002_b", b, "0004_c", c}, false, "shop/0003_c ran, and the program has it as 0004_c"},
		{"renumbered, to before", []string{"0000_c", c, "0001_a", a, "0002_b", b}, false, "shop/0003_c ran, and the program has it as 0000_c"},
		{"renamed and changed", []string{"0001_a", a, "0002_others", a, "0003_c", c}, false, "shop/0002_b ran, and the program has another of the same number, 0002_others (restore 0002_b, and renumber 0002_others)"},
		{"removed", []string{"0001_a", a, "0003_c", c}, false, "shop/0002_b ran, and is not among the program's files, which go on to 0003_c (restore the file, or run the program that has it; a file that takes its place says -- cotenant:replaces 0002_b)"},
		{"removed, and a newer one is there", []string{"0001_a", a, "0002_b", b, "0004_d", a}, false, "shop/0003_c ran, and is not among the program's files, which go on to 0004_d"},
		{"squashed without a word", []string{"0001_all", a + ";" + b}, false, "shop/0001_a ran, and the program has another of the same number, 0001_all (restore 0001_a, and renumber 0001_all)"},
		{"an older program", []string{"0001_a", a, "0002_b", b}, true, "shop/0003_c is not among the program's files (run the newer program, or restore the file)"},
		{"an older program, without one in between", []string{"0002_b", b}, true, "shop/0003_c is not among the program's files"},
		{"an older program, of a file that changed since", []string{"0001_a", b, "0002_b", b}, true, "shop/0003_c is not among the program's files"},
	} {
		changed := *s
		changed.fsys = files()
		for i := 0; i < len(tt.files); i += 2 {
			changed.write("shop/migrations/"+tt.files[i]+".sql", tt.files[i+1])
		}
		t.Log(tt.name)
		err := changed.fails(t, migrate.MigrateOptions{}, tt.want, `schemas "acme", "beta"`, "no tenant's schema was touched")
		if tt.newer != errors.Is(err, migrate.ErrNewer) {
			t.Errorf("%v: ErrNewer %t", err, !tt.newer)
		}
		if !tt.newer {
			gone(t, err)
		}
	}

	// The cures work.
	s.fsys = files("shop/migrations/0001_a.sql", a, "shop/migrations/0002_others.sql", "-- cotenant:replaces 0002_b\n"+b, "shop/migrations/0003_c.sql", c)
	s.migrate(t, migrate.MigrateOptions{})
	s.is(t, "acme", "a b c", "shop/0001_a shop/0002_others* shop/0003_c")
}

// Two branches made one of the same number, and one of them ran: what the error says has
// the other run, too.
func TestTwoOfOneNumber(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/migrations/0001_a.sql", "CREATE TABLE a (id int)", "shop/migrations/0002_b.sql", "CREATE TABLE b (id int)")
	s.add(t, "acme")
	s.migrate(t, migrate.MigrateOptions{})
	merged := "CREATE TABLE c (id int)"
	delete(s.fsys, "shop/migrations/0002_b.sql")
	s.write("shop/migrations/0002_c.sql", merged)
	err := s.fails(t, migrate.MigrateOptions{}, "shop/0002_b ran, and the program has another of the same number, 0002_c (restore 0002_b, and renumber 0002_c)")
	gone(t, err)
	if strings.Contains(err.Error(), "replaces") {
		t.Errorf("%v: it would never run", err)
	}
	delete(s.fsys, "shop/migrations/0002_c.sql")
	s.write("shop/migrations/0002_b.sql", "CREATE TABLE b (id int)", "shop/migrations/0003_c.sql", merged)
	s.migrate(t, migrate.MigrateOptions{})
	s.is(t, "acme", "a b c", "shop/0001_a shop/0002_b shop/0003_c")
}

// A Go migration has no text to be known by, but its number.
func TestGoMigrationThatIsGone(t *testing.T) {
	t.Parallel()

	up := func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS a (id int)")
		return err
	}
	s := newSite(t, "", "")
	s.add(t, "acme")
	app := func(names ...string) {
		s.config.TenantApps = []migrate.App{{Name: "shop"}}
		for _, name := range names {
			s.config.TenantApps[0].Migrations = append(s.config.TenantApps[0].Migrations, migrate.Migration{Name: name, Up: up})
		}
	}
	app("1_a", "2_b")
	s.migrate(t, migrate.MigrateOptions{})
	app("1_a", "2_c")
	gone(t, s.fails(t, migrate.MigrateOptions{}, `shop/2_b ran, and the program has 2_c of the same number (if that is the same, name it 2_b again, or list "2_b" in its Replaces; if not, restore 2_b, and renumber 2_c)`))
	app("1_a", "3_c")
	gone(t, s.fails(t, migrate.MigrateOptions{}, "shop/2_b ran, and is not among the program's files, which go on to 3_c"))
}

// A program that lacks files which ran creates no tenants: they would lack what the others
// have. Nor does it migrate tenants' schemas where it lacks files of public.
func TestCreationWithoutFilesThatRan(t *testing.T) {
	t.Parallel()

	s := built(t, "base", "shop",
		"base/migrations/1_x.sql", "CREATE TABLE x (id int)", "base/migrations/2_y.sql", "CREATE TABLE y (id int)",
		"shop/migrations/1_a.sql", "CREATE TABLE a (id int)", "shop/migrations/2_b.sql", "CREATE TABLE b (id int)", "shop/migrations/3_c.sql", "CREATE TABLE c (id int)")
	s.create(t, "t1", "t2")
	delete(s.fsys, "shop/migrations/2_b.sql")
	gone(t, s.refuses(t, "shop/2_b ran, and is not among"))
	s.write("shop/migrations/2_b.sql", "CREATE TABLE b (id int)")
	delete(s.fsys, "base/migrations/1_x.sql")
	gone(t, s.refuses(t, `schema "public"`, "base/1_x ran"))
	gone(t, s.fails(t, migrate.MigrateOptions{RunOptions: migrate.RunOptions{Selection: migrate.Selection{Tenant: true}}}, `schema "public"`, "base/1_x ran"))
}
