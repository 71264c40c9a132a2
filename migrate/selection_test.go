package migrate_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// selected returns the schemas of a plan with the selection, and how many it says.
func (s *site) selected(t *testing.T, selection migrate.Selection) []string {
	t.Helper()
	p, err := s.fleet(t).Plan(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Selection: selection}})
	if err != nil {
		t.Errorf("%+v: %v", selection, err)
		return nil
	}
	var names []string
	count := 0
	for _, g := range p.Groups {
		count += g.Count
		for _, schema := range g.Schemas {
			names = append(names, schema.String())
		}
	}
	if count != len(names) {
		t.Errorf("%+v: %d in the groups, %q", selection, count, names)
	}
	slices.Sort(names)
	return names
}

func TestSelection(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop", "base/migrations/1_x.sql", "CREATE TABLE x (id int)", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	s.add(t, "acme", "acme-1", "acme-22", "Acme_3", "beta", "b", "gr_sse")
	all := "Acme_3 acme acme-1 acme-22 b beta gr_sse"
	for _, tt := range []struct {
		name      string
		selection migrate.Selection
		want      string
	}{
		{"all", migrate.Selection{}, "Acme_3 acme acme-1 acme-22 b beta public gr_sse"},
		{"shared", migrate.Selection{Shared: true}, "public"},
		{"tenant", migrate.Selection{Tenant: true}, all},
		{"skip public", migrate.Selection{SkipPublic: true}, all},
		{"public by name", migrate.Selection{Schemas: []string{"public"}}, "public"},
		{"public and a tenant", migrate.Selection{Schemas: []string{"public", "beta"}}, "beta public"},
		{"a name", migrate.Selection{Schemas: []string{"acme"}}, "acme"},
		{"a name twice, and by a pattern", migrate.Selection{Schemas: []string{"acme", "acme", "acm?"}}, "acme"},
		{"a name with what a regular expression takes otherwise", migrate.Selection{Schemas: []string{"acme-1"}}, "acme-1"},
		{"a name with an underscore", migrate.Selection{Schemas: []string{"gr_sse"}}, "gr_sse"},
		{"a pattern", migrate.Selection{Schemas: []string{"acme-*"}}, "acme-1 acme-22"},
		{"a pattern of all does not take public", migrate.Selection{Schemas: []string{"*"}}, all},
		{"one character", migrate.Selection{Schemas: []string{"acme-?"}}, "acme-1"},
		{"of some", migrate.Selection{Schemas: []string{"[aA]cme*"}}, "Acme_3 acme acme-1 acme-22"},
		{"of a range", migrate.Selection{Schemas: []string{"[a-c]cme-[0-9]"}}, "acme-1"},
		{"of all but some", migrate.Selection{Schemas: []string{"[^a]*"}}, "Acme_3 b beta gr_sse"},
		{"patterns and names", migrate.Selection{Schemas: []string{"b", "gr*"}}, "b gr_sse"},
		{"exclude a name", migrate.Selection{Exclude: []string{"acme"}}, "Acme_3 acme-1 acme-22 b beta public gr_sse"},
		{"exclude a pattern", migrate.Selection{Exclude: []string{"acme*", "b*"}, Tenant: true}, "Acme_3 gr_sse"},
		{"exclude of a pattern", migrate.Selection{Schemas: []string{"acme*"}, Exclude: []string{"acme-?"}}, "acme acme-22"},
		{"exclude public", migrate.Selection{Exclude: []string{"public"}}, all},
		{"exclude what is not there", migrate.Selection{Schemas: []string{"beta"}, Exclude: []string{"nobody"}}, "beta"},
		{"exclude all", migrate.Selection{Exclude: []string{"*"}}, ""},
		{"case counts", migrate.Selection{Schemas: []string{"Acme*"}}, "Acme_3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := strings.Fields(tt.want)
			slices.Sort(want)
			if got := s.selected(t, tt.selection); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func TestSelectionRefused(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop", "base/migrations/1_x.sql", "CREATE TABLE x (id int)", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	s.add(t, "acme", "beta")
	for _, tt := range []struct {
		name      string
		selection migrate.Selection
		want      string
	}{
		{"shared and tenant", migrate.Selection{Shared: true, Tenant: true}, "shared and tenant exclude each other"},
		{"shared and a schema", migrate.Selection{Shared: true, Schemas: []string{"acme"}}, "shared and schema exclude each other"},
		{"shared without public", migrate.Selection{Shared: true, SkipPublic: true}, "shared and skip-public exclude each other"},
		{"public without public", migrate.Selection{Schemas: []string{"public"}, SkipPublic: true}, "schema public is selected, and left out"},
		{"public of tenants", migrate.Selection{Schemas: []string{"public"}, Tenant: true}, "schema public is selected, and left out"},
		{"public excluded", migrate.Selection{Schemas: []string{"public"}, Exclude: []string{"public"}}, "schema public is selected, and left out"},
		{"shared excluded", migrate.Selection{Shared: true, Exclude: []string{"p*"}}, "public"},
		{"an empty name", migrate.Selection{Schemas: []string{""}}, "the name is empty"},
		{"an empty name to exclude", migrate.Selection{Exclude: []string{""}}, "the name is empty"},
		{"no name", migrate.Selection{Schemas: []string{"acme.a"}}, `"acme.a"`},
		{"no name to exclude", migrate.Selection{Exclude: []string{"acme;"}}, `"acme;"`},
		{"nobody", migrate.Selection{Schemas: []string{"acne"}}, `schema "acne": tenant not found (did you mean "acme"?)`},
		{"nobody beside public", migrate.Selection{Schemas: []string{"public", "bet"}}, `schema "bet": tenant not found (did you mean "beta"?)`},
		{"another case", migrate.Selection{Schemas: []string{"ACME"}}, `did you mean "acme"?`},
		{"a pattern of nothing", migrate.Selection{Schemas: []string{"acme", "z*"}}, `schema "z*": tenant not found (there is acme, beta)`},
		{"another first letter", migrate.Selection{Schemas: []string{"xeta"}}, `did you mean "beta"?`},
		{"a pattern that is none", migrate.Selection{Schemas: []string{"acme["}}, `"acme["`},
		{"a range that is none", migrate.Selection{Schemas: []string{"[z-a]"}}, `"[z-a]"`},
	} {
		err := s.fails(t, migrate.MigrateOptions{RunOptions: migrate.RunOptions{Selection: tt.selection}}, tt.want)
		if err != nil && strings.Contains(tt.want, "tenant not found") && !errors.Is(err, tenant.ErrTenantNotFound) {
			t.Errorf("%v is not ErrTenantNotFound", err)
		}
		if _, planErr := s.fleet(t).Plan(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Selection: tt.selection}}); err != nil && (planErr == nil || planErr.Error() != err.Error()) {
			t.Errorf("Plan: %v, want %v", planErr, err)
		}
		if t.Failed() {
			t.Fatalf("at %s", tt.name)
		}
	}
	for name, o := range map[string]migrate.RunOptions{"jobs": {Jobs: -1}, "canary": {Canary: -2}, "max-failures": {MaxFailures: -3}} {
		s.fails(t, migrate.MigrateOptions{RunOptions: o}, name+" is -")
	}
}

// An app that is in none of the schemas that are selected is a mistake.
func TestAppNotSelected(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base both", "shop both", "base/migrations/1_x.sql", "CREATE TABLE x (id int)", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)", "both/migrations/1_b.sql", "CREATE TABLE b (id int)")
	s.add(t, "t1")
	shared, tenants := migrate.RunOptions{Selection: migrate.Selection{Shared: true}}, schemas("t1")
	s.fails(t, migrate.MigrateOptions{App: "shop", RunOptions: shared}, `app "shop" is one of the tenant apps, and no tenant's schema is selected`)
	err := s.fails(t, migrate.MigrateOptions{App: "base", RunOptions: tenants}, `app "base" is one of the shared apps, and public is not selected`)
	var wrong *migrate.OptionsError
	if !errors.As(err, &wrong) {
		t.Errorf("%v is no OptionsError", err)
	}
	adds(t, s.migrate(t, migrate.MigrateOptions{App: "both", RunOptions: shared}), 1, 0, 0, 0)
	adds(t, s.migrate(t, migrate.MigrateOptions{App: "both", RunOptions: tenants}), 1, 0, 0, 0)
}

// Without the tenants' table there is only public.
func TestSelectionWithoutTenantsTable(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop", "base/migrations/1_x.sql", "CREATE TABLE x (id int)", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	s.fails(t, migrate.MigrateOptions{RunOptions: schemas("acme")}, `the tenants' table, cotenant.tenants, is not there (run "cotenant migrate --shared" first)`)
	only := migrate.RunOptions{Selection: migrate.Selection{Tenant: true}}
	s.fails(t, migrate.MigrateOptions{RunOptions: only}, "the tenants' table, cotenant.tenants, is not there")
	_, err := s.fleet(t).Plan(t.Context(), &migrate.MigrateOptions{RunOptions: only})
	has(t, err, "the tenants' table, cotenant.tenants, is not there")
	adds(t, s.migrate(t, migrate.MigrateOptions{RunOptions: migrate.RunOptions{Selection: migrate.Selection{Shared: true}}}), 1, 0, 0, 0)
}
