package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// execs is a Go migration of statements.
func execs(stmts ...string) func(context.Context, pgx.Tx) error {
	return func(ctx context.Context, tx pgx.Tx) error {
		for _, sql := range stmts {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	}
}

// Go migrations run among the files, each in its schema's transaction, and back.
func TestGoMigrations(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "")
	errMeant := errors.New("it is meant to fail")
	fail := ""
	app := migrate.App{Name: "shop", FS: files("migrations/1_a.sql", goose("CREATE TABLE a (id int)", "DROP TABLE a"), "migrations/3_c.sql", goose("CREATE TABLE c AS SELECT * FROM b", "DROP TABLE c")), Migrations: []migrate.Migration{
		{Name: "2_b", Up: func(ctx context.Context, tx pgx.Tx) error {
			who, err := tenant.FromContext(ctx)
			if err != nil {
				return err
			}
			if err := execs("CREATE TABLE b (schema text)")(ctx, tx); err != nil {
				return err
			}
			if who.Schema.String() == fail {
				return errMeant
			}
			// A part of it can be undone.
			err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "INSERT INTO nowhere VALUES (1)")
				return err
			})
			if err == nil {
				return errors.New("no error")
			}
			_, err = tx.Exec(ctx, "INSERT INTO b VALUES ($1)", who.Schema.String())
			return err
		}, Down: execs("DROP TABLE b")},
		{Name: "4_d", SQL: goose("CREATE TABLE d (id int)", "DROP TABLE d")},
	}}
	s.config.SharedApps, s.config.TenantApps = []migrate.App{app}, []migrate.App{app}
	s.add(t, "t1", "t2", "t3")
	fail = "t2"
	report, err := s.fleet(t).Migrate(t.Context(), nil)
	adds(t, report, 3, 1, 0, 0)
	has(t, err, `migration 2_b of app shop: schema "t2": it is meant to fail; nothing of it was kept`)
	if !errors.Is(err, errMeant) {
		t.Errorf("%v is not what the migration returned", err)
	}
	s.is(t, "t2", "a", "shop/1_a")
	all := "shop/1_a shop/2_b shop/3_c shop/4_d"
	s.is(t, "t1", "a b c d", all)
	s.is(t, "public", "a b c d", all)
	if got := column(t, s.conn, "SELECT string_agg(schema, ' ') FROM (SELECT * FROM public.c UNION ALL SELECT * FROM t1.c UNION ALL SELECT * FROM t3.c) AS s"); got[0] != "public t1 t3" {
		t.Errorf("rows: %s", got[0])
	}
	fail = ""
	adds(t, s.migrate(t, migrate.MigrateOptions{}), 1, 0, 0, 3)
	s.is(t, "t2", "a b c d", all)
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "1_a"})
	for _, schema := range []string{"public", "t1", "t2", "t3"} {
		s.is(t, schema, "a", "shop/1_a")
	}
	// Without a way back there is none.
	s.migrate(t, migrate.MigrateOptions{})
	app.Migrations[0].Down = nil
	s.fails(t, migrate.MigrateOptions{App: "shop", Target: "zero"}, "migration 2_b of app shop has no way back")
}

// A Go migration is held to its transaction and its path.
func TestGoMigrationsThatGoTooFar(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name string
		up   func(context.Context, pgx.Tx) error
		want string
		kept bool
	}{
		{"commit", func(ctx context.Context, tx pgx.Tx) error {
			return errors.Join(execs("CREATE TABLE a (id int)")(ctx, tx), tx.Commit(ctx))
		}, "the transaction belongs to the run", false},
		{"rollback", func(ctx context.Context, tx pgx.Tx) error {
			return errors.Join(execs("CREATE TABLE a (id int)")(ctx, tx), tx.Rollback(ctx))
		}, "the transaction belongs to the run", false},
		{"the statement COMMIT", execs("CREATE TABLE a (id int)", "COMMIT"), "it ended the transaction", true},
		{"the statement ROLLBACK", execs("CREATE TABLE a (id int)", "ROLLBACK"), "it ended the transaction", false},
		{"an error that is not returned", func(ctx context.Context, tx pgx.Tx) error {
			_, _ = tx.Exec(ctx, "SELECT nothing")
			return nil
		}, "a statement failed, and no error was returned", false},
		{"another path", execs("SET LOCAL search_path = public", "CREATE TABLE a (id int)"), "search path", false},
		{"a panic is not ours", func(context.Context, pgx.Tx) error { return fmt.Errorf("wrapped: %w", context.DeadlineExceeded) }, "deadline exceeded", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "", "")
			s.add(t, "acme")
			s.config.TenantApps = []migrate.App{{Name: "shop", Migrations: []migrate.Migration{{Name: "1_a", Up: tt.up}}}}
			report, err := s.fleet(t).Migrate(t.Context(), nil)
			adds(t, report, 0, 1, 0, 1)
			has(t, err, "migration 1_a of app shop", `schema "acme"`, tt.want)
			if kept := len(tables(t, s.conn, "acme"))+len(tables(t, s.conn, "public")) > 0; kept != tt.kept {
				t.Errorf("kept: %t", kept)
			}
		})
	}
}

// Go migrations are under the guard, too.
func TestGoMigrationsAreGuarded(t *testing.T) {
	t.Parallel()

	g := newGuarded(t, "CREATEROLE")
	if _, err := g.run(t); err != nil {
		t.Fatal(err)
	}
	g.create(t, "acme")
	g.config.TenantApps = []migrate.App{{Name: "more", Migrations: []migrate.Migration{{Name: "1_b", Up: execs("CREATE TABLE b AS SELECT current_user::text AS who", "SELECT * FROM plans")}}}}
	if _, err := g.run(t); err != nil {
		t.Fatal(err)
	}
	if got := column(t, g.conn, "SELECT who FROM acme.b"); got[0] != g.role {
		t.Errorf("it ran as %q", got[0])
	}
	g.config.TenantApps[0].Migrations = append(g.config.TenantApps[0].Migrations, migrate.Migration{Name: "2_c", Up: execs("TRUNCATE plans")})
	report, err := g.run(t)
	adds(t, report, 0, 1, 0, 1)
	has(t, err, "migration 2_c of app more", `schema "acme"`, "permission denied for table plans", "tenants' migrations may not change what is shared")
}
