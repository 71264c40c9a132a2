package migrate_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// in returns whether ctx is of a schema.
func in(ctx context.Context, schema string) bool {
	t, err := tenant.FromContext(ctx)
	return err == nil && t.Schema.String() == schema
}

// A Go migration that panics, with rows open, fails its schema and no other.
func TestMigrationPanics(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "")
	panics := true
	s.config.TenantApps = []migrate.App{{Name: "shop", Migrations: []migrate.Migration{
		{Name: "1_a", Up: execs("CREATE TABLE a (id int)")},
		{Name: "2_b", Up: func(ctx context.Context, tx pgx.Tx) error {
			if err := execs("CREATE TABLE b (id int)")(ctx, tx); err != nil || !panics || !in(ctx, "t2") {
				return err
			}
			rows, err := tx.Query(ctx, "SELECT generate_series(1, 100000)")
			if err != nil {
				return err
			}
			var names []string
			return errors.New(names[len(rows.FieldDescriptions())])
		}},
	}}}
	s.add(t, "t1", "t2", "t3", "t4", "t5")
	var log strings.Builder
	s.config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	report, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Jobs: 1}})
	adds(t, report, 4, 1, 0, 1)
	has(t, err, `migration 2_b of app shop: schema "t2": panic at panic_test.go:`, ": runtime error: index out of range [1] with length 0; nothing of it was kept")
	var thrown *migrate.PanicError
	if !errors.As(err, &thrown) || !strings.Contains(string(thrown.Stack), "panic_test.go") {
		t.Errorf("%v has no stack", err)
	}
	if text := log.String(); !strings.Contains(text, "msg=panic schema=t2") || !strings.Contains(text, "panic_test.go") {
		t.Errorf("log: %s", text)
	}
	s.is(t, "t2", "a", "shop/1_a")
	for _, schema := range []string{"t1", "t3", "t5"} {
		s.is(t, schema, "a b", "shop/1_a shop/2_b")
	}
	panics = false
	adds(t, s.migrate(t, migrate.MigrateOptions{}), 1, 0, 0, 5)
	s.is(t, "t2", "a b", "shop/1_a shop/2_b")
}

// So does a hook.
func TestHookPanics(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		set  func(c *migrate.Config)
		want string
		kept bool
	}{
		"OnMigrating": {func(c *migrate.Config) {
			c.OnMigrating = func(ctx context.Context, _ pgx.Tx, _ *tenant.Tenant, _ migrate.Applied) error { return boom(ctx) }
		}, "OnMigrating: panic at panic_test.go:", false},
		"OnMigrated": {func(c *migrate.Config) {
			c.OnMigrated = func(ctx context.Context, _ *tenant.Tenant, _ []migrate.Applied) error { return boom(ctx) }
		}, "it was changed; OnMigrated: panic at", true},
		"OnSchemaSynced": {func(c *migrate.Config) {
			c.OnSchemaSynced = func(ctx context.Context, _ *tenant.Tenant) error { return boom(ctx) }
		}, "it was changed; OnSchemaSynced: panic at", true},
		"Tenant": {func(c *migrate.Config) {
			c.OnMigrated = func(context.Context, *tenant.Tenant, []migrate.Applied) error { return nil }
			c.Tenant = func(_ context.Context, id int64) (*tenant.Tenant, error) {
				if id == 2 {
					panic("boom")
				}
				return &tenant.Tenant{ID: id, Schema: tenant.MustParseSchema("t1")}, nil
			}
		}, "its tenant: panic at", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
			s.add(t, "t1", "t2", "t3")
			tt.set(&s.config)
			report, err := s.fleet(t).Migrate(t.Context(), nil)
			adds(t, report, 2, 1, 0, 1)
			has(t, err, tt.want, ": boom", `"t2"`)
			if tt.kept {
				s.is(t, "t2", "a", "shop/1_a")
			} else {
				s.is(t, "t2", "", "")
			}
			if got := held(t, s.conn); len(got) > 0 {
				t.Errorf("left: %q", got)
			}
		})
	}

	s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	s.add(t, "t2")
	s.config.OnSchemaNeedsSync = func(ctx context.Context, _ *tenant.Tenant) error { return boom(ctx) }
	_, err := s.fleet(t).Plan(t.Context(), nil)
	has(t, err, `schema "t2": OnSchemaNeedsSync: panic at panic_test.go:`)
}

func boom(ctx context.Context) error {
	if in(ctx, "t2") {
		panic("boom")
	}
	return nil
}
