package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// newShop is a site of tenants t1 to tn, in each of which one migration is to run.
func newShop(t *testing.T, n int) *site {
	t.Helper()
	s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	for i := range n {
		s.add(t, fmt.Sprintf("t%d", i+1))
	}
	return s
}

// spoil makes the migration fail in schemas.
func (s *site) spoil(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		execute(t, s.conn, "CREATE TABLE "+name+".a (id int)")
	}
}

func TestRunOptions(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name    string
		options migrate.RunOptions
		spoil   []string
		want    [4]int // done, failed, untouched, current
		is      error
		text    string
		starts  []int
		results int
	}{
		{name: "all", want: [4]int{6, 0, 0, 1}, starts: []int{6}, results: 6},
		{name: "one at a time", options: migrate.RunOptions{Jobs: 1}, want: [4]int{6, 0, 0, 1}, starts: []int{6}, results: 6},
		{name: "more at a time than the pool has", options: migrate.RunOptions{Jobs: 1000}, want: [4]int{6, 0, 0, 1}, starts: []int{6}, results: 6},
		{name: "others go on", spoil: []string{"t2", "t5"}, want: [4]int{4, 2, 0, 1}, text: "\t2 schemas: t", starts: []int{6}, results: 6},
		{name: "fail fast", options: migrate.RunOptions{Jobs: 1, FailFast: true}, spoil: []string{"t2", "t5"}, want: [4]int{1, 1, 4, 1}, text: "the run ended because schemas failed", starts: []int{6}, results: 2},
		{name: "one failure is allowed", options: migrate.RunOptions{Jobs: 1, MaxFailures: 1}, spoil: []string{"t2", "t4"}, want: [4]int{2, 2, 2, 1}, text: "the run ended because schemas failed", starts: []int{6}, results: 4},
		{name: "as many failures as are allowed", options: migrate.RunOptions{Jobs: 1, MaxFailures: 2}, spoil: []string{"t2", "t4"}, want: [4]int{4, 2, 0, 1}, text: "\t2 schemas: t2, t4\n", starts: []int{6}, results: 6},
		{name: "canaries", options: migrate.RunOptions{Canary: 2}, want: [4]int{6, 0, 0, 1}, starts: []int{2, 4}, results: 6},
		{name: "a canary fails", options: migrate.RunOptions{Canary: 2}, spoil: []string{"t1", "t5"}, want: [4]int{1, 1, 4, 1}, is: migrate.ErrCanary, starts: []int{2}, results: 2},
		{name: "no canary fails", options: migrate.RunOptions{Canary: 2}, spoil: []string{"t3"}, want: [4]int{5, 1, 0, 1}, text: `schema "t3"`, starts: []int{2, 4}, results: 6},
		{name: "more canaries than schemas", options: migrate.RunOptions{Canary: 20}, want: [4]int{6, 0, 0, 1}, starts: []int{6}, results: 6},
		{name: "some", options: schemas("t1", "t2"), want: [4]int{2, 0, 0, 0}, starts: []int{2}, results: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, 6)
			s.spoil(t, tt.spoil...)
			var starts []int
			results := 0
			tt.options.OnStart = func(n int) { starts = append(starts, n) }
			tt.options.OnResult = func(r migrate.Result) {
				if (r.Err != nil) != slices.Contains(tt.spoil, r.Schema.String()) {
					t.Errorf("result of %s: %v", r.Schema, r.Err)
				}
				results++
			}
			report, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: tt.options})
			adds(t, report, tt.want[0], tt.want[1], tt.want[2], tt.want[3])
			switch {
			case tt.text == "" && tt.is == nil:
				if err != nil {
					t.Error(err)
				}
			case tt.is != nil && !errors.Is(err, tt.is):
				t.Errorf("%v is not %v", err, tt.is)
			default:
				has(t, err, tt.text)
			}
			var failed *migrate.RunError
			if err != nil && (!errors.As(err, &failed) || failed.Report != report || !strings.HasSuffix(err.Error(), report.String())) {
				t.Errorf("error: %v", err)
			}
			if !slices.Equal(starts, tt.starts) || results != tt.results {
				t.Errorf("OnStart %v, %d results; want %v, %d", starts, results, tt.starts, tt.results)
			}
			var done []string
			for i := range 6 {
				if schema := fmt.Sprintf("t%d", i+1); column(t, s.conn, "SELECT (to_regclass($1) IS NOT NULL)::text", schema+".cotenant_migrations")[0] == "true" {
					done = append(done, schema)
				}
			}
			if len(done) != tt.want[0] {
				t.Errorf("done: %q", done)
			}
		})
	}
}

// When public fails, no tenant's schema is touched, and all are counted.
func TestSharedAppsFail(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop", "base/migrations/1_x.sql", "CREATE TABLE x (id itn)", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	s.add(t, "t1", "t2", "t3")
	newRow(t, s.conn, 100, "gone")
	if _, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: schemas("t1")}); err != nil {
		t.Fatal(err)
	}
	report, err := s.fleet(t).Migrate(t.Context(), nil)
	adds(t, report, 0, 1, 3, 1)
	has(t, err, "base/migrations/1_x.sql:1", `schema "public"`, "no tenant's schema was touched")
	s.is(t, "t2", "", "")
}

// A schema that is missing is a failure, and does not keep the others.
func TestMissingSchemas(t *testing.T) {
	t.Parallel()

	s := newShop(t, 2)
	newRow(t, s.conn, 100, "gone")
	report, err := s.fleet(t).Migrate(t.Context(), nil)
	adds(t, report, 2, 1, 0, 1)
	has(t, err, `schema "gone"`, "restore it from a backup")
	if !errors.Is(err, tenant.ErrSchemaNotFound) {
		t.Errorf("%v is not ErrSchemaNotFound", err)
	}
	report, err = s.fleet(t).Migrate(t.Context(), nil)
	adds(t, report, 0, 1, 0, 3)
	has(t, err, `schema "gone"`)
	newRow(t, s.conn, 101, "gone2")
	report, err = s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{FailFast: true}})
	adds(t, report, 0, 2, 0, 3)
	has(t, err, "2 schemas: gone, gone2")
}

// A run that is stopped finishes what is in flight, and the same run again does the rest.
func TestStop(t *testing.T) {
	t.Parallel()

	s := newShop(t, 4)
	stop := make(chan struct{})
	report, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{
		Jobs: 1, Stop: stop, OnResult: func(migrate.Result) { close(stop) },
	}})
	adds(t, report, 1, 0, 3, 1)
	if !errors.Is(err, migrate.ErrStopped) {
		t.Errorf("Migrate: %v", err)
	}
	before := s.snapshot(t, true)
	if report, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Stop: stop}}); !errors.Is(err, migrate.ErrStopped) || report != nil {
		t.Errorf("stopped before it began: %v, %v", report, err)
	}
	s.unchanged(t, before, true)
	adds(t, s.migrate(t, migrate.MigrateOptions{}), 3, 0, 0, 2)
}

// As many schemas are worked on at a time as is said.
func TestJobs(t *testing.T) {
	t.Parallel()

	s := newShop(t, 4)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var there atomic.Int32
	all := make(chan struct{})
	s.config.OnMigrating = func(context.Context, pgx.Tx, *tenant.Tenant, migrate.Applied) error {
		if there.Add(1) == 4 {
			close(all)
		}
		select {
		case <-all:
			return nil
		case <-ctx.Done():
			return errors.New("the others have not come")
		}
	}
	report, err := s.fleet(t).Migrate(ctx, &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Jobs: 4}})
	if err != nil {
		t.Error(err)
	}
	adds(t, report, 4, 0, 0, 1)

	s = newShop(t, 4)
	var now, most atomic.Int32
	s.config.OnMigrating = func(context.Context, pgx.Tx, *tenant.Tenant, migrate.Applied) error {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		return nil
	}
	s.migrate(t, migrate.MigrateOptions{RunOptions: migrate.RunOptions{Jobs: 1}})
	if most.Load() != 1 {
		t.Errorf("%d at a time", most.Load())
	}
}

// A schema that belongs to no tenant is named, and left alone.
func TestOrphans(t *testing.T) {
	t.Parallel()

	s := newShop(t, 3)
	s.migrate(t, migrate.MigrateOptions{})
	execute(t, s.conn, "DELETE FROM cotenant.tenants WHERE schema_name = 't2'")
	s.add(t, "t4")
	report := s.migrate(t, migrate.MigrateOptions{})
	if !slices.Equal(report.Orphans, []string{"t2"}) {
		t.Errorf("orphans: %q", report.Orphans)
	}
	adds(t, report, 1, 0, 0, 3)
}
