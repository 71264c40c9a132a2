package migrate_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// What happens to schemas between the plan and the change is seen, and nothing lands in
// public.
func TestSchemasMoveUnderTheRun(t *testing.T) {
	t.Parallel()

	s := newShops(t, 14)
	execute(t, s.conn, "CREATE TABLE public.items (id int); CREATE TABLE public.runs (name text)") // what could be hit instead
	moves := map[string]string{
		"s2":  "DROP SCHEMA s2 CASCADE; DELETE FROM cotenant.tenants WHERE schema_name = 's2'",
		"s4":  "DROP SCHEMA s4 CASCADE",
		"s6":  "ALTER SCHEMA s6 RENAME TO six; UPDATE cotenant.tenants SET schema_name = 'six' WHERE schema_name = 's6'",
		"s8":  "ALTER SCHEMA s8 RENAME TO eight",
		"s10": "DROP SCHEMA s10 CASCADE; CREATE SCHEMA s10",
	}
	var mu sync.Mutex
	mover := connect(t, s.url)
	pool := tappedPool(t, s.url, 5, func(_ net.Conn, data []byte) error {
		mu.Lock()
		defer mu.Unlock()
		for schema, sql := range moves {
			if changes(data, schema) {
				delete(moves, schema)
				if _, err := mover.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
					t.Error(err)
				}
			}
		}
		return nil
	})
	_, err := withConfig(t, shopConfig(3)).Fleet(pool).Migrate(t.Context(), nil)
	report := runFailure(t, err).Report
	if len(moves) > 0 {
		t.Errorf("these were not moved: %q", slices.Collect(maps.Keys(moves)))
	}
	if report.Done != 11 || report.Failed != 2 || report.Untouched != 0 || report.Current != 2 {
		t.Errorf("run: %v", err)
	}
	for _, f := range report.Failures {
		want := map[string]string{
			"s4": `schema "s4": schema does not exist (restore it from a backup`,
			"s8": `it is named "eight" now (ALTER SCHEMA "eight" RENAME TO "s8"; or set the schema_name of its tenant in "cotenant"."tenants")`,
		}[f.Schema.String()]
		if want == "" || !strings.Contains(f.Err.Error(), want) || !errors.Is(f.Err, tenant.ErrSchemaNotFound) {
			t.Errorf("%s: %v", f.Schema, f.Err)
		}
	}
	for table, want := range map[string]int{"items": 1, "runs": 1} {
		if got := column(t, s.conn, "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped", "public."+table); len(got) != want {
			t.Errorf("columns of public.%s: %q", table, got)
		}
	}
	if got := column(t, s.conn, "SELECT name FROM public.runs"); len(got) != 0 {
		t.Errorf("runs in public: %q", got)
	}
	execute(t, s.conn, "DROP TABLE public.items, public.runs; DELETE FROM cotenant.tenants WHERE schema_name = 's4'; ALTER SCHEMA six RENAME TO s6; ALTER SCHEMA eight RENAME TO s8; UPDATE cotenant.tenants SET schema_name = 's6' WHERE schema_name = 'six'")
	s.migrate(t, 3)
	s.check(t, 3, "s2", "s4")
}

// A schema that is renamed in the middle of a transaction leads its path to public.
func TestSchemaRenamedWhileItIsChanged(t *testing.T) {
	t.Parallel()

	s := newShops(t, 3)
	execute(t, s.conn, "CREATE TABLE public.gate (id int)")
	s.migrate(t, 2) // which also lets the migrator role read the table
	fsys := shopFiles(2)
	fsys["shop/migrations/0003_gate.sql"] = files("x", "SELECT count(*) FROM gate;\nCREATE TABLE landed (id int)")["x"]
	m := withConfig(t, migrate.Config{TenantApps: migrate.Dirs(fsys, "shop"), LockTimeout: time.Minute})
	release := lock(t, s.url, "LOCK TABLE public.gate IN ACCESS EXCLUSIVE MODE")
	wait := background(t.Context(), newFleet(t, m, s.url), nil)
	eventually(t, s.conn, "three that wait", "SELECT count(*) = 3 FROM pg_locks WHERE relation = 'public.gate'::regclass AND NOT granted")
	execute(t, s.conn, "ALTER SCHEMA s1 RENAME TO one; UPDATE cotenant.tenants SET schema_name = 'one' WHERE id = 1; ALTER SCHEMA s2 RENAME TO two")
	release()
	_, err := wait()
	report := runFailure(t, err).Report
	if report.Done != 2 || report.Failed != 1 || !strings.Contains(err.Error(), `schema "s2": schema does not exist: it is named "two" now`) {
		t.Errorf("run: %v", err)
	}
	if got := column(t, s.conn, "SELECT n.nspname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relname = 'landed' ORDER BY 1"); !slices.Equal(got, []string{"one", "s3"}) {
		t.Errorf("the table landed in %q", got)
	}
}

// eventually waits until a condition in SQL holds.
func eventually(t *testing.T, conn *pgx.Conn, what, condition string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		var there bool
		if err := conn.QueryRow(ctx, condition).Scan(&there); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if there {
			return
		}
		<-tick.C
	}
}

// Rows without schemas and schemas without rows are said.
func TestRowsAndSchemasApart(t *testing.T) {
	t.Parallel()

	s := newShops(t, 6)
	execute(t, s.conn, "DROP SCHEMA s2 CASCADE; ALTER SCHEMA s3 RENAME TO three; DELETE FROM cotenant.tenants WHERE schema_name = 's5'")
	_, err := newFleet(t, withConfig(t, shopConfig(2)), s.url).Migrate(t.Context(), nil)
	report := runFailure(t, err).Report
	if report.Done != 3 || report.Failed != 2 || !slices.Equal(report.Orphans, []string{"s5"}) {
		t.Errorf("run: %v, orphans %q", err, report.Orphans)
	}
	for _, want := range []string{
		`schema "s2": schema does not exist (restore it from a backup; or have it made anew, with nothing in it: tenant create-missing; or delete the tenant)`,
		`schema "s3": schema does not exist: it is named "three" now`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q, want one that says %q", err, want)
		}
	}
	plan, err := newFleet(t, withConfig(t, shopConfig(2)), s.url).Plan(t.Context(), nil)
	if err != nil || !slices.Equal(plan.Orphans, []string{"s5"}) {
		t.Errorf("Plan = %+v, %v", plan, err)
	}
	for schema, want := range map[string]string{"s2": "restore it", "s3": `"three"`} {
		if !slices.ContainsFunc(plan.Groups, func(g migrate.PlanGroup) bool {
			return errors.Is(g.Err, tenant.ErrSchemaNotFound) && strings.Contains(g.Err.Error(), want) && g.Count == 1 && g.Schemas[0].String() == schema
		}) {
			t.Errorf("Plan = %+v, want %s in a group", plan, schema)
		}
	}
	s.checkContents(t, 1, []string{"s1", "s2", "s3", "s4", "s6"})
}

// A schema that was restored from a dump has the history that it had then.
func TestSchemaRestored(t *testing.T) {
	t.Parallel()

	s := newShops(t, 4)
	restore := dump(t, s, "s2")
	s.migrate(t, 3)
	restore()
	if report := s.migrate(t, 3); report.Done != 1 {
		t.Errorf("with an older one: %v", report)
	}
	s.check(t, 3)

	restore = dump(t, s, "s3")
	restore()
	_, err := newFleet(t, withConfig(t, shopConfig(2)), s.url).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Selection: migrate.Selection{Schemas: []string{"s3"}}}})
	if !errors.Is(err, migrate.ErrNewer) || !strings.Contains(err.Error(), `"s3"`) || !strings.Contains(err.Error(), "shop/0003_c") {
		t.Errorf("with a newer one: %v", err)
	}
	s.check(t, 3)
}

// dump dumps a schema, and returns what puts it back in the place of the one that is there.
func dump(t *testing.T, s *shops, schema string) func() {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "pg_dump", "--schema="+schema, s.url).CombinedOutput()
	if err != nil && (errors.Is(err, exec.ErrNotFound) || bytes.Contains(text, []byte("server version mismatch"))) {
		t.Skipf("there is no pg_dump for this server: %v", err)
	}
	if err != nil {
		t.Fatalf("pg_dump: %v: %s", err, text)
	}
	return func() {
		execute(t, s.conn, "DROP SCHEMA "+schema+" CASCADE")
		psql := exec.CommandContext(t.Context(), "psql", "--quiet", "--set=ON_ERROR_STOP=1", s.url)
		psql.Stdin = bytes.NewReader(text)
		if output, err := psql.CombinedOutput(); err != nil {
			t.Fatalf("psql: %v: %s", err, output)
		}
	}
}
