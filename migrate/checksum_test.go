package migrate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
)

// A migration that has changed since it ran ends a run before anything is touched, in any
// schema, and it is told where it ran.
func TestChangedMigration(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop", append(shopWithWaysBack("shop"), "base/migrations/1_x.sql", "CREATE TABLE x (id int)")...)
	s.add(t, "t1", "t2", "t3", "t4", "t5", "late")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0002", RunOptions: schemas("t*")})
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("public")})

	was := string(s.fsys["shop/migrations/0002_b.sql"].Data)
	s.write("shop/migrations/0002_b.sql", strings.Replace(was, "CREATE TABLE b (id int)", "CREATE TABLE b (id bigint)", 1),
		"base/migrations/2_y.sql", "CREATE TABLE y (id int)")
	for _, o := range []migrate.MigrateOptions{{}, {App: "shop"}, {App: "shop", Target: "zero"}, {RunOptions: migrate.RunOptions{Verify: true}}} {
		err := s.fails(t, o, "shop/migrations/0002_b.sql changed since it ran", `schemas "t1", "t2", "t3" and 2 more`, "touched")
		if err != nil && (errors.Is(err, migrate.ErrNewer) || strings.Contains(err.Error(), "late")) {
			t.Errorf("%v", err)
		}
	}
	s.is(t, "public", "x", "base/1_x")

	// Where it has not run, and where the way back has changed, there is nothing to say.
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("late")})
	s.write("shop/migrations/0002_b.sql", strings.Replace(was, "DROP TABLE b", "DROP TABLE IF EXISTS b", 1))
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("t*", "public")})
	s.is(t, "t1", "a b c", "shop/0001_a shop/0002_b shop/0003_c")
	s.is(t, "public", "x y", "base/1_x base/2_y")
}

// A program that lacks what a schema has is older, and touches nothing.
func TestNewerSchema(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop", "base/migrations/1_x.sql", "CREATE TABLE x (id int)", "base/migrations/2_y.sql", "CREATE TABLE y (id int)",
		"shop/migrations/1_a.sql", "CREATE TABLE a (id int)", "shop/migrations/2_b.sql", "CREATE TABLE b (id int)")
	s.add(t, "old", "new")
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("new")})
	s.migrate(t, migrate.MigrateOptions{App: "base", Target: "1_x"})
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "1_a", RunOptions: schemas("old")})

	older := func() *site {
		copied := *s
		copied.fsys = files("base/migrations/1_x.sql", "CREATE TABLE x (id int)", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
		return &copied
	}()
	for _, o := range []migrate.MigrateOptions{{}, {RunOptions: schemas("new", "old")}, {App: "shop", Target: "1"}} {
		err := older.fails(t, o, "shop/2_b", `schema "new"`, "run the newer program")
		if !errors.Is(err, migrate.ErrNewer) {
			t.Errorf("%v is not ErrNewer", err)
		}
	}
	// Public, newer alone.
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("public")})
	for _, o := range []migrate.MigrateOptions{{RunOptions: schemas("public", "old")}, {RunOptions: migrate.RunOptions{Selection: migrate.Selection{Exclude: []string{"new"}}}}, {RunOptions: schemas("old")}} {
		err := older.fails(t, o, "base/2_y", `schema "public"`, "run the newer program")
		if !errors.Is(err, migrate.ErrNewer) {
			t.Errorf("%v is not ErrNewer", err)
		}
	}
}

// A Go migration is known by its name alone; the text of one in the program is compared.
func TestChangedMigrationInProgram(t *testing.T) {
	t.Parallel()

	up := func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "CREATE TABLE a (id int)")
		return err
	}
	s := newSite(t, "", "")
	s.add(t, "acme")
	s.config.TenantApps = []migrate.App{{Name: "shop", Migrations: []migrate.Migration{{Name: "1_a", Up: up}, {Name: "2_b", SQL: "CREATE TABLE b (id int)"}}}}
	s.migrate(t, migrate.MigrateOptions{})
	s.config.TenantApps = []migrate.App{{Name: "shop", Migrations: []migrate.Migration{{Name: "1_a", Up: nil, SQL: "CREATE TABLE a (id int)"}, {Name: "2_b", SQL: "CREATE TABLE b (id int)"}}}}
	s.fails(t, migrate.MigrateOptions{}, "migration 1_a of app shop changed since it ran")
	s.config.TenantApps = []migrate.App{{Name: "shop", Migrations: []migrate.Migration{{Name: "1_a", Up: up}, {Name: "2_b", SQL: "CREATE TABLE b (id bigint)"}}}}
	s.fails(t, migrate.MigrateOptions{}, "2_b", "changed since it ran")
}
