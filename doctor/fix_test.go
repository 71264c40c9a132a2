package doctor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/doctor"
	"github.com/cotenant/cotenant/internal/testdb"
)

// fixed mends what a report has, and returns what came of it.
func fixed(t *testing.T, c *clinic, report *doctor.Report) []string {
	t.Helper()
	var outcomes []string
	err := doctor.Fix(t.Context(), c.config, report, func(f doctor.Fixed) {
		outcome := f.Check + " " + f.Subject
		if f.Err != nil {
			outcome += ": " + f.Err.Error()
		}
		outcomes = append(outcomes, outcome)
	})
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

// What is safe to mend is mended, the rest is left, and a second time there is nothing.
func TestFix(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme", "globex")
	c.execute(t, "INSERT INTO cotenant.schema_versions VALUES (4711, 1, 'd'), (4712, 1, 'd')",
		`INSERT INTO cotenant.migration_progress VALUES (4711, 4711, 'shop', '0002_index', 1, 1, '')`,
		`INSERT INTO cotenant.migration_progress SELECT id, schema_name::regnamespace, 'shop', '0002_index', 1, 1, '' FROM cotenant.tenants WHERE schema_name = 'acme'`,
		"INSERT INTO acme.orders (total) VALUES (1), (1)")
	fails(t, c, "CREATE UNIQUE INDEX CONCURRENTLY total_key ON acme.orders (total)", "23505")
	leaveOver(t, c, "acme")
	leaveOver(t, c, "globex")

	report := c.examine(t)
	got := fixed(t, c, report)
	want := []string{
		"version-without-tenant tenant 4711", "version-without-tenant tenant 4712", "progress-stale tenant 4711",
		`index-leftover schema "acme": index "orders_total_idx_ccnew" on "orders"`, `index-leftover schema "globex": index "orders_total_idx_ccnew" on "orders"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("mended:\n%s", strings.Join(got, "\n"))
	}
	after := c.examine(t)
	silent(t, after, "version-without-tenant", "progress-stale", "index-leftover")
	noticed(t, after, "index-invalid", doctor.Error, "total_key")
	noticed(t, after, "migration-half-done", doctor.Warning)
	if c.one(t, "SELECT count(*) FROM pg_indexes WHERE indexname = 'orders_total_idx'") != "2" {
		t.Error("the indexes themselves are gone")
	}
	if n := c.one(t, "SELECT count(*) FROM cotenant.schema_versions"); n != "4" { // 0, public and two
		t.Logf("%s versions", n)
	}
	if got := fixed(t, c, report); len(got) != 0 { // of before
		t.Errorf("mended twice: %q", got)
	}
	if got := fixed(t, c, after); len(got) != 0 {
		t.Errorf("mended: %q", got)
	}
}

// What is in use, or has changed since, is left and told.
func TestFixLooksAgain(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme")
	c.execute(t, "INSERT INTO cotenant.schema_versions VALUES (4711, 1, 'd'), (4712, 1, 'd'), (4713, 1, 'd')")
	leaveOver(t, c, "acme")
	report := c.examine(t)
	other := connect(t, c.url)
	if _, err := other.Exec(t.Context(), "SELECT pg_advisory_lock((x'7C07'::bigint << 48) | 4711)"); err != nil {
		t.Fatal(err)
	}
	tx, err := other.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), "LOCK TABLE acme.orders IN ACCESS SHARE MODE"); err != nil {
		t.Fatal(err)
	}
	var outcomes []string
	err = doctor.Fix(t.Context(), c.config, report, func(f doctor.Fixed) {
		outcome := f.Subject
		if f.Err != nil {
			outcome += ": " + f.Err.Error()
		}
		outcomes = append(outcomes, outcome)
		if f.Subject == "tenant 4711" { // the next ones are listed already
			c.execute(t, "INSERT INTO cotenant.tenants (id, schema_name) VALUES (4712, 'newcomer')")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"tenant 4711: another program is at work", "tenant 4712: it has changed since", "tenant 4713", "orders_total_idx_ccnew\" on \"orders\": lock table \"orders\": ERROR: canceling statement due to lock timeout"} {
		if i >= len(outcomes) || !strings.Contains(outcomes[i], want) {
			t.Errorf("no %q in\n%s", want, strings.Join(outcomes, "\n"))
		}
	}
	if c.one(t, "SELECT array_agg(tenant_id ORDER BY 1) FROM cotenant.schema_versions WHERE tenant_id > 4000") != "{4711,4712}" {
		t.Error("rows are gone, or left, that should not be")
	}
}
