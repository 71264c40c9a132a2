package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// planSyncOf is PlanSync with options.
func planSyncOf(t *testing.T, o migrate.SyncOptions) func(*migrate.Fleet) (*migrate.Plan, error) {
	t.Helper()
	return func(f *migrate.Fleet) (*migrate.Plan, error) { return f.PlanSync(t.Context(), &o) }
}

// With Verify a plan of Sync is of what the schemas have: what was dropped or changed by
// hand shows, which their histories do not know. Apps build on each other, and nothing is
// changed.
func TestPlanSyncVerify(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop crm",
		"base/schema.sql", "CREATE TABLE plans (id int PRIMARY KEY)",
		"shop/schema.sql", "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int)",
		"crm/schema.sql", "CREATE TABLE x (a int REFERENCES a); CREATE INDEX ON b (id); CREATE TABLE y (p int REFERENCES plans)")
	s.add(t, "acme", "beta", "ceta", "delta", "eta")
	s.sync(t, migrate.SyncOptions{})
	execute(t, s.conn, "DROP TABLE acme.b; DROP TABLE beta.b; ALTER TABLE ceta.x ALTER a TYPE bigint; DROP TABLE public.plans CASCADE")
	newRow(t, s.conn, 100, "gone")
	s.add(t, "fresh")
	verify := migrate.SyncOptions{RunOptions: migrate.RunOptions{Verify: true}}

	p := s.plans(t, planSyncOf(t, migrate.SyncOptions{}),
		"1 public: ", "5 acme beta ceta delta eta: ", "1 fresh: sync shop/schema.sql, sync crm/schema.sql", `1 gone: schema "gone": `)
	if differing(p) != "" {
		t.Errorf("without Verify: %s", differing(p))
	}
	// The tenants' apps build on what public lacks.
	s.plans(t, planSyncOf(t, verify), "1 public: sync base/schema.sql", `1 gone: schema "gone": `, "6 acme beta ceta delta eta fresh: public is behind, and the shared apps come first: ")
	s.sync(t, migrate.SyncOptions{RunOptions: migrate.RunOptions{Verify: true, Selection: migrate.Selection{Shared: true}}})
	p = s.plans(t, planSyncOf(t, verify), "1 public: ", `1 gone: schema "gone": `,
		"2 acme beta: sync shop/schema.sql, sync crm/schema.sql", "1 ceta: ", "2 delta eta: ", "1 fresh: sync shop/schema.sql, sync crm/schema.sql")
	if got := fmt.Sprint(p.Groups[2].Steps[0].SQL, p.Groups[2].Steps[1].SQL); got != "[CREATE TABLE b (id int)] [CREATE INDEX ON b (id)]" {
		t.Errorf("acme lacks %s", got)
	}
	if got := differing(p); !strings.Contains(got, "ceta: crm: column x.a is integer in schema.sql and bigint in the schema") {
		t.Errorf("differs:\n%s", got)
	}
	s.noScratch(t)
}

// differing are the differences of a plan, a line each.
func differing(p *migrate.Plan) string {
	var lines []string
	for _, g := range p.Groups {
		for _, d := range g.Differs {
			lines = append(lines, fmt.Sprintf("%s: %s", g.Schemas[0], d))
		}
	}
	return strings.Join(lines, "\n")
}

// A plan with Verify names the apps that were retired, as every plan does.
func TestPlanSyncVerifyRetired(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop old", "base/schema.sql", "CREATE TABLE plans (id int)", "shop/schema.sql", "CREATE TABLE a (id int)", "old/schema.sql", "CREATE TABLE o (id int)")
	s.add(t, "acme", "beta")
	s.sync(t, migrate.SyncOptions{})
	s.shared, s.tenants = nil, []string{"shop"}
	want := []migrate.RetiredApp{{App: "base", Schemas: 1}, {App: "old", Schemas: 2}}
	for _, verify := range []bool{false, true} {
		p, err := s.fleet(t).PlanSync(t.Context(), &migrate.SyncOptions{RunOptions: migrate.RunOptions{Verify: verify}})
		if err != nil || !slices.Equal(p.Retired, want) {
			t.Errorf("Verify %v: %v, %v; want %v", verify, p.Retired, err, want)
		}
	}
}

// A hook that hears of a schema keeps no other worker from its schema; and one that fails
// ends the plan, whatever the reason.
func TestPlanSyncVerifyTells(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/schema.sql", "CREATE TABLE a (id int)")
	s.add(t, "acme", "beta")
	met := make(chan struct{})
	s.config.OnSchemaNeedsSync = func(ctx context.Context, who *tenant.Tenant) error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		select { // one of the two hands over to the other, which is here at the same time
		case met <- struct{}{}:
		case <-met:
		case <-ctx.Done():
			return fmt.Errorf("%v is alone", who)
		}
		return nil
	}
	s.plans(t, planSyncOf(t, migrate.SyncOptions{RunOptions: migrate.RunOptions{Verify: true}}), "1 public: ", "2 acme beta: sync shop/schema.sql")

	calls := 0
	s.config.OnSchemaNeedsSync = func(context.Context, *tenant.Tenant) error {
		calls++
		return io.ErrUnexpectedEOF // of a look-up over a connection that was lost
	}
	_, err := s.fleet(t).PlanSync(t.Context(), &migrate.SyncOptions{RunOptions: migrate.RunOptions{Verify: true, Jobs: 1}})
	if !errors.Is(err, io.ErrUnexpectedEOF) || calls != 1 {
		t.Errorf("PlanSync: %v, after %d calls", err, calls)
	}
}

// What is to be migrated first is not compared: it will be otherwise then.
func TestPlanSyncVerifyBeforeMigrate(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop crm",
		"shop/migrations/1_a.sql", "CREATE TABLE a (id int PRIMARY KEY)",
		"crm/schema.sql", "CREATE TABLE x (id int)")
	s.add(t, "acme")
	s.sync(t, migrate.SyncOptions{Migrate: true})
	s.write("shop/migrations/2_b.sql", "CREATE TABLE b (id int PRIMARY KEY)",
		"crm/schema.sql", "CREATE TABLE x (id int); CREATE TABLE y (b int REFERENCES b)")
	p := s.plans(t, planSyncOf(t, migrate.SyncOptions{Migrate: true, RunOptions: migrate.RunOptions{Verify: true}}), "1 public: ", "1 acme: apply shop/2_b, sync crm/schema.sql")
	if differing(p) != "" {
		t.Errorf("differs: %s", differing(p))
	}
}

// A difference is told again by a Sync that verifies, and by no other that has nothing to
// do.
func TestSyncTellsAgain(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/schema.sql", "CREATE TABLE a (id int)")
	s.add(t, "acme", "beta")
	s.sync(t, migrate.SyncOptions{})
	s.write("shop/schema.sql", "CREATE TABLE a (id bigint)")
	for i, o := range []migrate.RunOptions{{}, {}, {Verify: true}, {Verify: true}} {
		got := map[string][]string{}
		options := differs(got)
		options.Verify = o.Verify
		report := s.sync(t, migrate.SyncOptions{RunOptions: options})
		if told := len(got) == 2; told != (i != 1) || i > 0 && report.Done > 0 {
			t.Errorf("run %d: %v; differs: %q", i, report, got)
		}
	}
}

// Statements that change rows run with their table, and are named where they do not: once
// a run.
func TestSyncOfRows(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/schema.sql", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);")
	s.add(t, "acme", "beta")
	if report := s.sync(t, migrate.SyncOptions{}); report.NotRun != nil {
		t.Errorf("new schemas: %q", report.NotRun)
	}
	s.write("shop/schema.sql", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nCREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\nUPDATE a SET id = 2;\nSELECT 1;")
	s.add(t, "fresh")
	want := []string{"shop/schema.sql: not run where what it is for was there before: INSERT in line 2, UPDATE in line 5 (sync does not change rows or privileges; what schemas lack needs a migration)"}
	if report := s.sync(t, migrate.SyncOptions{}); !slices.Equal(report.NotRun, want) {
		t.Errorf("not run: %q, want %q", report.NotRun, want)
	}
	for schema, want := range map[string]string{"acme": "1 1", "fresh": "2 1"} {
		if got := column(t, s.conn, "SELECT concat((SELECT string_agg(id::text, ',') FROM "+schema+".a), ' ', (SELECT count(*) FROM "+schema+".b))"); got[0] != want {
			t.Errorf("%s has %s, want %s", schema, got[0], want)
		}
	}
	if report := s.sync(t, migrate.SyncOptions{}); report.NotRun != nil {
		t.Errorf("with nothing to do: %q", report.NotRun)
	}
}

// Schemas that no tenant has are named also where there is nothing to do.
func TestOrphansWithNothingToDo(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	s.add(t, "acme", "left")
	s.migrate(t, migrate.MigrateOptions{})
	execute(t, s.conn, "DELETE FROM cotenant.tenants WHERE schema_name = 'left'")
	report := s.migrate(t, migrate.MigrateOptions{})
	adds(t, report, 0, 0, 0, 2)
	if !slices.Equal(report.Orphans, []string{"left"}) {
		t.Errorf("orphans: %q", report.Orphans)
	}
}

// Statements that change privileges run with their table, and are named where they do not
// and a schema has others.
func TestSyncOfPrivileges(t *testing.T) {
	t.Parallel()

	before := "CREATE TABLE a (id int);\nGRANT SELECT ON a TO PUBLIC;"
	s := newSite(t, "base", "shop", "base/schema.sql", before, "shop/schema.sql", before)
	role := testdb.RoleName(t, s.url)
	s.add(t, "acme", "beta")
	s.sync(t, migrate.SyncOptions{})
	after := before + "\nCREATE TABLE b (id int);\nGRANT SELECT ON b TO PUBLIC;"
	s.write("base/schema.sql", after, "shop/schema.sql", after)
	if report := s.sync(t, migrate.SyncOptions{}); report.NotRun != nil {
		t.Errorf("all granted: %q", report.NotRun)
	}
	execute(t, s.conn, "CREATE ROLE "+role)
	s.write("base/schema.sql", after+"\nALTER TABLE b OWNER TO "+role+";", "shop/schema.sql", after+"\nREVOKE SELECT ON a FROM PUBLIC;\nGRANT UPDATE (id) ON b TO PUBLIC;")
	want := []string{
		"base/schema.sql: not run where what it is for was there before: ALTER in line 5 (sync does not change rows or privileges; what schemas lack needs a migration)",
		"shop/schema.sql: not run where what it is for was there before: REVOKE in line 5, GRANT in line 6 (sync does not change rows or privileges; what schemas lack needs a migration)",
	}
	if report := s.sync(t, migrate.SyncOptions{}); !slices.Equal(report.NotRun, want) {
		t.Errorf("not run: %q, want %q", report.NotRun, want)
	}
}

// What the files of public do to other schemas, such as to the table of tenants, is not
// done once more to learn what they create; and where no app has a schema.sql that is
// synced, there is nothing to learn.
func TestPlanSyncVerifyWhatIsElsewhere(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop",
		"base/migrations/1_a.sql", "CREATE TABLE a (id int PRIMARY KEY); ALTER TABLE cotenant.tenants ADD COLUMN paid_until date",
		"shop/schema.sql", "CREATE TABLE x (a int REFERENCES a)")
	s.add(t, "acme")
	verify := migrate.SyncOptions{Migrate: true, RunOptions: migrate.RunOptions{Verify: true}}
	s.sync(t, verify)
	s.plans(t, planSyncOf(t, verify), "1 public: ", "1 acme: ")

	s.shared = append(s.shared, "more")
	s.write("base/migrations/1_a.sql", "CREATE TABLE a (id int PRIMARY KEY); ALTER TABLE cotenant.tenants ADD COLUMN paid_until date",
		"more/schema.sql", "CREATE TABLE m (id int); ALTER TABLE cotenant.tenants ADD COLUMN note text; UPDATE cotenant.tenants SET note = ''")
	execute(t, s.conn, "DELETE FROM public.cotenant_migrations WHERE app = 'base'; ALTER TABLE cotenant.tenants DROP COLUMN paid_until; DROP TABLE a CASCADE; DELETE FROM cotenant.schema_versions")
	s.sync(t, migrate.SyncOptions{Migrate: true})
	s.sync(t, verify)
	s.plans(t, planSyncOf(t, verify), "1 public: ", "1 acme: ")
	execute(t, s.conn, "DROP TABLE m")
	s.plans(t, planSyncOf(t, verify), "1 public: sync more/schema.sql", "1 acme: ")
}
