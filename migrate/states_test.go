package migrate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// What is recorded is what a fake run records, and its digest is the same.
func TestRecordIsFake(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", shopWithWaysBack("shop")...)
	s.add(t, "acme", "beta")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0002", Fake: true, RunOptions: migrate.RunOptions{Selection: migrate.Selection{Schemas: []string{"acme"}}}})
	m := s.migrator(t)
	record := func(states ...migrate.AppState) error {
		return pgx.BeginFunc(t.Context(), s.conn, func(tx pgx.Tx) error {
			return m.Record(t.Context(), tx, &tenant.Tenant{ID: 2, Schema: tenant.MustParseSchema("beta")}, states)
		})
	}
	for want, state := range map[string]migrate.AppState{
		`app "nothing": there is none of that name`:              {App: "nothing", Name: "0001_a"},
		`migration "0009": app "shop" has none of that name`:     {App: "shop", Name: "0009"},
		`migration "schema.sql": app "shop" has none of that na`: {App: "shop", Name: "schema.sql"},
	} {
		if err := record(state); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v; want %s", state, err, want)
		}
	}
	if err := record(migrate.AppState{App: "shop", Name: "0002_b"}); err != nil {
		t.Fatal(err)
	}
	s.is(t, "beta", "", "shop/0001_a* shop/0002_b*")
	var same bool
	if err := s.conn.QueryRow(t.Context(), "SELECT count(DISTINCT digest) = 1 FROM cotenant.schema_versions WHERE tenant_id > 0").Scan(&same); err != nil || !same {
		t.Errorf("the digests are the same: %t, %v", same, err)
	}
	if err := record(migrate.AppState{App: "shop", Name: "0003_c"}); err == nil || !strings.Contains(err.Error(), `app "shop": it is recorded already`) {
		t.Errorf("again: %v", err)
	}
}

// States are built in the order in which the files run, also where there is nothing of
// cotenant's, and nothing is left of them.
func TestBuildStates(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop blog",
		"base/migrations/0001_initial.sql", "CREATE TABLE public.plans (id int PRIMARY KEY)",
		"shop/schema.sql", "CREATE TABLE a (id int, b int)",
		"shop/migrations/0001_a.sql", "CREATE TABLE a (id int)",
		"shop/migrations/0002_b.sql", "ALTER TABLE a ADD COLUMN b int",
		"blog/schema.sql", "CREATE TABLE posts (id int)")
	m := s.migrator(t)
	for want, o := range map[string]migrate.StateOptions{
		"shop/0002_b blog/schema.sql":             {},
		"shop/0001_a shop/0002_b blog/schema.sql": {Migrations: true},
		"base/0001_initial":                       {Shared: true},
	} {
		var got []string
		tx, err := s.conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		err = m.BuildStates(t.Context(), tx, o, func(b migrate.Built) error {
			got = append(got, b.App+"/"+b.Name)
			return nil
		})
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%+v: %v, %v; want %s", o, got, err, want)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if apps := m.Apps(false); !slices.Equal(apps, []string{"shop", "blog"}) || !m.HasBoth(false) || m.HasBoth(true) {
		t.Errorf("%v, %t, %t", apps, m.HasBoth(false), m.HasBoth(true))
	}
	var left int
	if err := s.conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^(scratch|cotenant)'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d schemas are left, %v", left, err)
	}
}
