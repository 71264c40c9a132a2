package migrate_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// stands compares a status with lines, a group each, of which each has to begin one of
// its own, and wants that nothing was changed by it.
func (s *site) stands(t *testing.T, selection *migrate.Selection, want ...string) *migrate.Status {
	t.Helper()
	before := s.snapshot(t, true)
	status, err := s.fleet(t).Status(t.Context(), selection)
	if err != nil {
		t.Errorf("status: %v", err)
		return &migrate.Status{}
	}
	s.unchanged(t, before, true)
	var got []string
	for _, g := range status.Groups {
		var names []string
		for _, schema := range g.Schemas {
			names = append(names, schema.String())
		}
		slices.Sort(names)
		line := fmt.Sprintf("%d %s %s: latest %v lacks %v unknown %v", g.Count, g.State, strings.Join(names, " "), g.Latest, g.Lacks, g.Unknown)
		if g.Err != nil {
			line += " " + g.Err.Error()
		}
		got = append(got, line)
	}
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("status:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return status
}

func TestStatus(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop", append(shopWithWaysBack("shop"), "base/migrations/1_x.sql", "CREATE TABLE x (id int)")...)
	s.stands(t, nil, "1 behind public: latest [] lacks [base/1_x]")
	s.add(t, "a1", "a2")
	s.migrate(t, migrate.MigrateOptions{})
	if err := s.fleet(t).Ready(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
	s.add(t, "b1", "b2", "b3", "ahead", "both", "changed", "gone", "moved")
	err := s.fleet(t).Ready(t.Context())
	if !errors.Is(err, migrate.ErrBehind) {
		t.Errorf("ready: %v", err)
	}
	has(t, err, `"b1"`, "5 more", "run the migrations")

	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0002", RunOptions: schemas("both")})
	s.migrate(t, migrate.MigrateOptions{RunOptions: migrate.RunOptions{Selection: migrate.Selection{Exclude: []string{"both", "b?"}}}})
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0002", RunOptions: schemas("b?")})
	record := "INSERT INTO %q.cotenant_migrations (app, name, checksum) VALUES ('shop', '0009_later', '')"
	execute(t, s.conn, fmt.Sprintf(record, "ahead"))
	execute(t, s.conn, fmt.Sprintf(record, "both"))
	execute(t, s.conn, "UPDATE changed.cotenant_migrations SET checksum = 'x' WHERE name = '0001_a'")
	execute(t, s.conn, "DELETE FROM cotenant.schema_versions WHERE tenant_id IN (SELECT id FROM cotenant.tenants WHERE schema_name IN ('ahead', 'both', 'changed', 'b2'))")
	execute(t, s.conn, "DROP SCHEMA gone CASCADE; ALTER SCHEMA moved RENAME TO elsewhere; CREATE SCHEMA nobodys; CREATE TABLE nobodys.cotenant_migrations (LIKE a1.cotenant_migrations)")
	status := s.stands(
		t, nil,
		"1 current public: latest [",
		"3 behind b1 b2 b3: latest [shop/0002_b] lacks [shop/0003_c] unknown []",
		"2 current a1 a2: latest [shop/0003_c] lacks [] unknown []",
		"1 ahead ahead: latest [shop/0003_c] lacks [] unknown [shop/0009_later] the schema is newer",
		"1 ahead both: latest [shop/0002_b] lacks [shop/0003_c] unknown [shop/0009_later] ",
		"1 diverged changed: latest [shop/0003_c] lacks [] unknown [] shop/migrations/0001_a.sql changed since it ran",
		"1 missing gone: latest [] lacks [] unknown [] schema does not exist (restore",
		"1 missing moved: latest [] lacks [] unknown [] schema \"moved\": schema does not exist: it is named \"elsewhere\" now",
	)
	if n := status.Count(migrate.Current); n != 3 {
		t.Errorf("%d are current", n)
	}
	if !slices.Equal(status.Orphans, []string{"nobodys"}) {
		t.Errorf("orphans: %q", status.Orphans)
	}
	s.stands(t, &migrate.Selection{Schemas: []string{"a?", "public"}}, "1 current public: ", "2 current a1 a2: ")
	err = s.fleet(t).Ready(t.Context())
	if !errors.Is(err, migrate.ErrBehind) {
		t.Errorf("ready: %v", err)
	}
	has(t, err, `schemas "b1", "b3": behind the program's files (run`, `schemas "b2", "ahead", "both" and 1 more: not in the index, and so taken to be behind`)

	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("b?")})
	if _, err := s.fleet(t).Migrate(t.Context(), nil); err == nil { // which indexes those that no run changes
		t.Error("no error")
	}
	if err := s.fleet(t).Ready(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
}

// What the index says of a digest can be wrong of one of its schemas, or that one cannot be
// read: the others are told as they are.
func TestStatusOfUnlike(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", shopWithWaysBack("shop")...)
	s.add(t, "t1", "t2", "t3", "t4")
	s.migrate(t, migrate.MigrateOptions{})
	execute(t, s.conn, "DELETE FROM t1.cotenant_migrations WHERE name = '0003_c'")
	s.stands(t, &migrate.Selection{Tenant: true}, "3 current t2 t3 t4: ", "1 behind t1: latest [shop/0002_b] lacks [shop/0003_c]")

	execute(t, s.conn, "DROP TABLE t1.cotenant_migrations; CREATE VIEW t1.cotenant_migrations AS SELECT 1 AS one")
	status := s.stands(t, &migrate.Selection{Tenant: true}, "3 current t2 t3 t4: ", "1 unread t1: ")
	if schema := status.Groups[1].Schemas[0]; schema != tenant.MustParseSchema("t1") {
		t.Errorf("unread is %q", schema)
	}
	if err := s.fleet(t).Ready(t.Context()); err == nil {
		t.Error("ready, although a schema cannot be read")
	}
}

// A program that is older than a squash sees schemas that have it ahead, not diverged.
func TestStatusByOlderProgramThanSquash(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", shopWithWaysBack("shop")...)
	s.add(t, "t1", "t2")
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("t1")})
	older := *s
	s.fsys = files("shop/migrations/0004_all.sql", squashed)
	s.migrate(t, migrate.MigrateOptions{})
	older.stands(t, &migrate.Selection{Tenant: true}, "2 ahead t1 t2: latest [] lacks [shop/0001_a shop/0002_b shop/0003_c] unknown [shop/0004_all] the schema is newer")
	if err := older.fleet(t).Ready(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
}

// Ready asks no more of a database whose schemas the index does not know, and Status asks
// once for each of them, over more than one connection. What it tells is bounded.
func TestStatusWithoutIndex(t *testing.T) {
	t.Parallel()

	var ready, status [2]int64
	var s *shops
	counts := []int{10, many(1100)}
	for i, n := range counts {
		s = newShops(t, n)
		execute(t, s.conn, "DELETE FROM cotenant.schema_versions WHERE tenant_id > 0")
		var sent atomic.Int64
		pool := tappedPool(t, s.url, 8, func(net.Conn, []byte) error {
			sent.Add(1)
			return nil
		})
		if _, err := pool.Exec(t.Context(), ""); err != nil { // connected
			t.Fatal(err)
		}
		sent.Store(0)
		fleet := withConfig(t, shopConfig(1)).Fleet(pool)
		if err := fleet.Ready(t.Context()); !errors.Is(err, migrate.ErrBehind) {
			t.Errorf("ready: %v", err)
		}
		ready[i] = sent.Swap(0)
		if got, err := fleet.Status(t.Context(), nil); err != nil || len(got.Groups) != 2 || got.Count(migrate.Current) != n+1 {
			t.Errorf("status: %+v, %v", got, err)
		}
		status[i] = sent.Load()
		if conns := pool.Stat().TotalConns(); conns < 3 {
			t.Errorf("%d connections", conns)
		}
	}
	if ready[0] != ready[1] {
		t.Errorf("ready took %d messages of 10 schemas, %d of %d", ready[0], ready[1], counts[1])
	}
	more := int64(counts[1] - counts[0])
	if took := status[1] - status[0]; took > more+more/5 { // pages, and connections that are given back
		t.Errorf("status took %d messages more for %d schemas more", took, more)
	}
	t.Logf("ready %v, status %v", ready, status)

	if s.n <= 1000 {
		return
	}
	execute(t, s.conn, `DO $do$ BEGIN FOR i IN 1..1100 LOOP
		EXECUTE format($$INSERT INTO s%s.cotenant_migrations VALUES ('shop', '0009_%s', 'x')$$, i, i); IF i % 100 = 0 THEN COMMIT; END IF;
	END LOOP; END $do$`)
	got, err := newFleet(t, withConfig(t, shopConfig(1)), s.url).Status(t.Context(), nil)
	if err != nil || len(got.Groups) > 1001 || got.Count(migrate.Ahead) != s.n {
		t.Fatalf("%d groups, %d schemas, %v", len(got.Groups), got.Count(migrate.Ahead), err)
	}
	if g := got.Groups[1]; g.Count != s.n-999 || g.Err == nil || !strings.Contains(g.Err.Error(), "in more than 1000 ways") {
		t.Errorf("the largest group: %+v", g)
	}
}
