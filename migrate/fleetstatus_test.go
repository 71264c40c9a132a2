package migrate_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
		"1 diverged both: latest [shop/0002_b] lacks [shop/0003_c] unknown [shop/0009_later] ",
		"1 diverged changed: latest [shop/0003_c] lacks [] unknown [] shop/migrations/0001_a.sql changed since it ran",
		"1 missing moved: latest [] lacks [] unknown [] schema \"moved\": schema does not exist: it is named \"elsewhere\" now",
		"1 missing gone: latest [] lacks [] unknown [] schema does not exist (restore",
	)
	if n := status.Count(migrate.Current); n != 3 {
		t.Errorf("%d are current", n)
	}
	if !slices.Equal(status.Orphans, []string{"nobodys"}) {
		t.Errorf("orphans: %q", status.Orphans)
	}
	s.stands(t, &migrate.Selection{Schemas: []string{"a?", "public"}}, "1 current public: ", "2 current a1 a2: ")
	err = s.fleet(t).Ready(t.Context())
	has(t, err, `schemas "b1", "b3", "b2": behind`)

	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("b?")})
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
