package migrate_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// described is a plan, a line for each group: count, schemas, steps or error.
func described(p *migrate.Plan) (lines []string) {
	for _, g := range p.Groups {
		var names, steps []string
		for _, schema := range g.Schemas {
			names = append(names, schema.String())
		}
		for _, step := range g.Steps {
			steps = append(steps, fmt.Sprintf("%s %s/%s", step.Action, step.App, step.Name))
		}
		slices.Sort(names)
		line := fmt.Sprintf("%d %s: %s", g.Count, strings.Join(names, " "), strings.Join(steps, ", "))
		if g.Err != nil {
			line += g.Err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}

// plans compares a plan with lines, of which each has to begin one of its own, and wants
// that nothing was changed by it.
func (s *site) plans(t *testing.T, plan func(*migrate.Fleet) (*migrate.Plan, error), want ...string) *migrate.Plan {
	t.Helper()
	before := s.snapshot(t, true)
	p, err := plan(s.fleet(t))
	if err != nil {
		t.Errorf("plan: %v", err)
		return &migrate.Plan{}
	}
	s.unchanged(t, before, true)
	got := described(p)
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("plan:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return p
}

// planOf is Plan with options.
func planOf(t *testing.T, o migrate.MigrateOptions) func(*migrate.Fleet) (*migrate.Plan, error) {
	t.Helper()
	return func(f *migrate.Fleet) (*migrate.Plan, error) { return f.Plan(t.Context(), &o) }
}

// Schemas that need the same are one group, whether the index knows them or not.
func TestPlan(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop", append(shopWithWaysBack("shop"), "base/migrations/1_x.sql", "CREATE TABLE x (id int)")...)
	// Of an empty database nothing is known, and nothing is made to know it.
	p := s.plans(t, planOf(t, migrate.MigrateOptions{}), "1 public: apply base/1_x")
	if !p.Behind() {
		t.Error("not behind")
	}
	s.add(t, "t1", "t2", "t3", "t4", "t5")
	s.plans(t, planOf(t, migrate.MigrateOptions{}), "1 public: apply base/1_x", "5 t1 t2 t3 t4 t5: apply shop/0001_a, apply shop/0002_b, apply shop/0003_c")

	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("public", "t1")})
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0002", RunOptions: schemas("t[34]")})
	s.add(t, "t6") // which the index does not know
	newRow(t, s.conn, 100, "gone")
	execute(t, s.conn, "DELETE FROM cotenant.schema_versions WHERE tenant_id = 4")
	p = s.plans(t, planOf(t, migrate.MigrateOptions{}),
		"1 public: ",
		"1 t1: ",
		"3 t2 t5 t6: apply shop/0001_a, apply shop/0002_b, apply shop/0003_c",
		"2 t3 t4: apply shop/0003_c",
		`1 gone: schema "gone": schema does not exist`)
	if !p.Behind() {
		t.Error("not behind")
	}
	if got := p.Groups[3].Steps[0].SQL; !slices.Equal(got, []string{"CREATE TABLE c (id int)"}) {
		t.Errorf("SQL: %q", got)
	}
	// A stale index is seen by its wrong digest, or by Verify.
	execute(t, s.conn, "DELETE FROM t1.cotenant_migrations WHERE name = '0003_c'")
	s.plans(t, planOf(t, migrate.MigrateOptions{RunOptions: schemas("t1")}), "1 t1: apply shop/0003_c")
	s.plans(t, planOf(t, migrate.MigrateOptions{RunOptions: migrate.RunOptions{Verify: true, Selection: migrate.Selection{Schemas: []string{"t1", "t3"}}}}), "2 t1 t3: apply shop/0003_c")

	p = s.plans(t, planOf(t, migrate.MigrateOptions{App: "shop", Target: "zero", RunOptions: schemas("t3")}), "1 t3: unapply shop/0002_b, unapply shop/0001_a")
	if got := p.Groups[0].Steps[1].SQL; !slices.Equal(got, []string{"DROP TABLE a"}) {
		t.Errorf("SQL of the way back: %q", got)
	}
	s.plans(t, planOf(t, migrate.MigrateOptions{App: "shop", Target: "0001", Fake: true, RunOptions: schemas("t3", "t2")}), "1 t2: fake shop/0001_a", "1 t3: forget shop/0002_b")

	// What cannot be is an error of its group.
	s.write("shop/migrations/0001_a.sql", "-- +goose Up\nCREATE TABLE other (id int);")
	s.plans(t, planOf(t, migrate.MigrateOptions{RunOptions: schemas("t*")}),
		"3 t1 t3 t4: shop/migrations/0001_a.sql changed since it ran",
		"3 t2 t5 t6: apply shop/0001_a")
}

// With everything where it should be a plan is not behind.
func TestPlanOfNothing(t *testing.T) {
	t.Parallel()

	s := newSite(t, "shop", "shop crm", append(shopWithWaysBack("shop"), "crm/schema.sql", "CREATE TABLE x (id int)")...)
	s.add(t, "t1", "t2")
	s.sync(t, migrate.SyncOptions{Migrate: true})
	if p := s.plans(t, planOf(t, migrate.MigrateOptions{}), "1 public: ", "2 t1 t2: "); p.Behind() {
		t.Error("behind")
	}
	s.write("crm/schema.sql", "CREATE TABLE x (id int); CREATE TABLE y (id int)")
	if p := s.plans(t, planOf(t, migrate.MigrateOptions{}), "1 public: ", "2 t1 t2: "); p.Behind() {
		t.Error("behind, in what Migrate leaves to Sync")
	}
	sync := func(o migrate.SyncOptions) func(*migrate.Fleet) (*migrate.Plan, error) {
		return func(f *migrate.Fleet) (*migrate.Plan, error) { return f.PlanSync(t.Context(), &o) }
	}
	if p := s.plans(t, sync(migrate.SyncOptions{}), "1 public: ", "2 t1 t2: sync crm/schema.sql"); !p.Behind() {
		t.Error("not behind")
	}
	s.write("shop/migrations/0004_d.sql", "-- +goose Up\nCREATE TABLE d (id int);")
	s.plans(t, sync(migrate.SyncOptions{}), "1 public: ", "2 t1 t2: sync crm/schema.sql")
	s.plans(t, sync(migrate.SyncOptions{Migrate: true}), "1 public: apply shop/0004_d", "2 t1 t2: apply shop/0004_d, sync crm/schema.sql")
}

// What a plan says is what the run does.
func TestPlanAgrees(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base shop", "shop crm doc", append(shopWithWaysBack("shop"),
		"base/migrations/1_x.sql", goose("CREATE TABLE x (id int)", "DROP TABLE x"),
		"crm/schema.sql", "CREATE TABLE people (id int)",
		"doc/schema.sql", "CREATE TABLE docs (id int)", "doc/migrations/1_docs.sql", goose("CREATE TABLE docs (id int)", "DROP TABLE docs"),
	)...)
	s.add(t, "t1", "t2", "t3", "t4")
	for _, o := range []migrate.MigrateOptions{
		{App: "shop", Target: "0001", RunOptions: schemas("t1", "t2")},
		{App: "shop", Target: "0002", Fake: true, RunOptions: schemas("t3")},
		{App: "doc", RunOptions: schemas("t2")},
		{RunOptions: schemas("public", "t3")},
		{App: "shop", Target: "0003", RunOptions: schemas("t1", "t2", "t4")},
		{App: "shop", Target: "0002"},
		{App: "shop", Target: "zero", RunOptions: schemas("t1", "public")},
		{},
		{App: "doc", Target: "zero"},
		{App: "shop", Target: "0002", Fake: true, RunOptions: schemas("t2")},
		{RunOptions: migrate.RunOptions{Selection: migrate.Selection{Exclude: []string{"t2"}}}},
	} {
		done := map[string][]string{}
		o.OnResult = func(r migrate.Result) {
			for _, a := range r.Applied {
				done[r.Schema.String()] = append(done[r.Schema.String()], fmt.Sprintf("%s %s/%s", a.Action, a.App, a.Name))
			}
		}
		plan, err := s.fleet(t).Plan(t.Context(), &o)
		if err != nil {
			t.Fatal(err)
		}
		planned, count := map[string][]string{}, 0
		for _, g := range plan.Groups {
			count += g.Count
			for _, schema := range g.Schemas {
				for _, step := range g.Steps {
					planned[schema.String()] = append(planned[schema.String()], fmt.Sprintf("%s %s/%s", step.Action, step.App, step.Name))
				}
			}
		}
		report, err := s.fleet(t).Migrate(t.Context(), &o)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		if !maps.EqualFunc(planned, done, slices.Equal[[]string]) {
			t.Errorf("%+v\nplanned %v\ndone    %v", o, planned, done)
		}
		if count != report.Done+report.Current {
			t.Errorf("%d planned, %v", count, report)
		}
	}
}

// OnSchemaNeedsSync hears of every schema that is behind, and of no other.
func TestOnSchemaNeedsSync(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop", append(shopWithWaysBack("shop"), "base/migrations/1_x.sql", "CREATE TABLE x (id int)")...)
	s.add(t, "t1", "t2", "t3", "t4")
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("t1")})
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001", RunOptions: schemas("t2", "t3")})
	newRow(t, s.conn, 100, "gone")
	var heard []string
	s.config.OnSchemaNeedsSync = func(ctx context.Context, who *tenant.Tenant) error {
		if in, err := tenant.FromContext(ctx); err != nil || in.Schema != who.Schema {
			t.Errorf("in ctx: %v, %v; want %v", in, err, who)
		}
		heard = append(heard, fmt.Sprintf("%d %s", who.ID, who.Schema))
		return nil
	}
	if _, err := s.fleet(t).Plan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	slices.Sort(heard)
	if want := []string{"0 public", "100 gone", "2 t2", "3 t3", "4 t4"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
	heard = nil
	if _, err := s.fleet(t).PlanSync(t.Context(), nil); err != nil || !slices.Equal(heard, []string{"100 gone"}) {
		t.Errorf("PlanSync: %v, heard %q", err, heard)
	}
	s.config.OnSchemaNeedsSync = func(context.Context, *tenant.Tenant) error { return context.DeadlineExceeded }
	_, err := s.fleet(t).Plan(t.Context(), nil)
	has(t, err, `schema "public": OnSchemaNeedsSync: context deadline exceeded`)
}
