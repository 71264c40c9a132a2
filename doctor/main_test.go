package doctor_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/doctor"
	"github.com/cotenant/cotenant/internal/devpg"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// clinic is a tenancy whose database is made ill.
type clinic struct {
	admin   *pgx.Conn
	config  *doctor.Config
	tenancy *cotenant.Tenancy
	url     string
}

// newClinic makes a tenancy with tenants at a database.
func newClinic(tb testing.TB, url string, tenants ...string) *clinic {
	tb.Helper()
	return clinicWith(tb, cotenant.Config{DatabaseURL: url}, tenants...)
}

// clinicWith makes one with settings.
func clinicWith(tb testing.TB, config cotenant.Config, tenants ...string) *clinic {
	tb.Helper()
	apps := fstest.MapFS{
		"plans/migrations/0001_initial.sql": {Data: []byte("CREATE TABLE plans (id int PRIMARY KEY)")},
		"shop/migrations/0001_initial.sql": {Data: []byte(`CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, plan int REFERENCES plans, total numeric NOT NULL);
			CREATE INDEX orders_total_idx ON orders (total);`)},
	}
	config.SharedApps, config.TenantApps = migrate.Dirs(apps, "plans"), migrate.Dirs(apps, "shop")
	tenancy, err := cotenant.Open(tb.Context(), &config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(tenancy.Close)
	if err := tenancy.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	for _, name := range append([]string{"public"}, tenants...) {
		_, err := tenancy.Registry().Create(tb.Context(), registry.CreateParams{
			Schema: tenant.MustParseSchema(name), Domains: []tenant.Domain{tenant.MustParseDomain(strings.ToLower(name) + ".example.com")},
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	url := cmp.Or(config.DirectURL, config.DatabaseURL)
	c := &clinic{admin: connect(tb, url), tenancy: tenancy, url: url}
	c.config = &doctor.Config{Connect: tenancy.Connect, DB: tenancy.DB(), Fleet: tenancy.Fleet(), MaxConns: tenancy.MaxConns()}
	return c
}

func connect(tb testing.TB, url string) *pgx.Conn {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close(context.WithoutCancel(tb.Context())) })
	return conn
}

// execute executes statements as the administrator.
func (c *clinic) execute(tb testing.TB, statements ...string) {
	tb.Helper()
	for _, sql := range statements {
		if _, err := c.admin.Exec(tb.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			tb.Fatalf("%.200s: %v", sql, err)
		}
	}
}

// one returns what a query returns as one text.
func (c *clinic) one(tb testing.TB, sql string) string {
	tb.Helper()
	var text string
	if err := c.admin.QueryRow(tb.Context(), "SELECT ("+sql+")::text").Scan(&text); err != nil {
		tb.Fatalf("%.200s: %v", sql, err)
	}
	return text
}

func (c *clinic) examine(tb testing.TB) *doctor.Report {
	tb.Helper()
	report, err := doctor.Examine(tb.Context(), c.config)
	if err != nil {
		tb.Fatal(err)
	}
	return report
}

// of returns the findings of a check.
func of(report *doctor.Report, check string) []doctor.Finding {
	return slices.DeleteFunc(slices.Clone(report.Findings), func(f doctor.Finding) bool { return f.Check != check })
}

// text is a finding as people read it.
func text(f doctor.Finding) string {
	return fmt.Sprintf("%s %s\n  why: %s\n  cure: %s\n  fix: %s", f.Severity, f.String(), f.Reason, f.Cure, f.Fix)
}

// noticed wants one finding of a check, of a severity, with texts.
func noticed(tb testing.TB, report *doctor.Report, check string, severity doctor.Severity, texts ...string) doctor.Finding {
	tb.Helper()
	found := of(report, check)
	if len(found) != 1 {
		tb.Errorf("%s: %d findings, want one", check, len(found))
		for _, f := range report.Findings {
			tb.Log(text(f))
		}
		return doctor.Finding{}
	}
	f := found[0]
	if f.Severity != severity {
		tb.Errorf("%s: severity %s, want %s", check, f.Severity, severity)
	}
	for _, want := range texts {
		if !strings.Contains(text(f), want) {
			tb.Errorf("no %q in\n%s", want, text(f))
		}
	}
	if f.Reason == "" || f.Cure == "" {
		tb.Errorf("no reason or no cure in\n%s", text(f))
	}
	return f
}

// nothingElse wants no error and no warning but those of some checks.
func nothingElse(t *testing.T, report *doctor.Report, checks ...string) {
	t.Helper()
	for _, f := range report.Findings {
		if f.Severity != doctor.Note && !slices.Contains(checks, f.Check) {
			t.Errorf("not expected: %s", text(f))
		}
	}
}

// silent wants no finding of some checks.
func silent(t *testing.T, report *doctor.Report, checks ...string) {
	t.Helper()
	for _, check := range checks {
		for _, f := range of(report, check) {
			t.Errorf("not expected: %s", text(f))
		}
	}
}

// until waits for what another session does.
func until(t *testing.T, reached func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 12_000 {
		if reached() {
			return
		}
		<-tick.C
	}
	t.Fatal("a minute has passed")
}

// exampleTenancy opens a tenancy of which globex has lost its schema, in a database that
// goes with it.
func exampleTenancy(ctx context.Context) *illTenancy {
	server, err := devpg.Start(ctx, &devpg.Options{BinDir: os.Getenv("COTENANT_TEST_POSTGRES"), Fast: true})
	must(err)
	admin, err := pgx.Connect(ctx, server.URL())
	must(err)
	name := "cotenant_test_" + strings.ToLower(rand.Text())
	_, err = admin.Exec(ctx, "CREATE DATABASE "+name)
	must(err)
	pool, err := pgxpool.ParseConfig(server.URL())
	must(err)
	pool.ConnConfig.Database = name
	tenancy, err := cotenant.Open(ctx, &cotenant.Config{Pool: pool})
	must(err)
	must(tenancy.Migrate(ctx))
	for _, schema := range []string{"acme", "globex"} {
		_, err := tenancy.Registry().Create(ctx, registry.CreateParams{Schema: tenant.MustParseSchema(schema)})
		must(err)
	}
	_, err = tenancy.DB().Exec(tenant.Public(ctx), "DROP SCHEMA globex CASCADE")
	must(err)
	return &illTenancy{tenancy, func() {
		_, err := admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		must(errors.Join(err, admin.Close(ctx), server.Stop()))
	}}
}

// illTenancy is a tenancy with what goes with it.
type illTenancy struct {
	*cotenant.Tenancy
	drop func()
}

// Close closes it and drops its database.
func (i *illTenancy) Close() {
	i.Tenancy.Close()
	i.drop()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
