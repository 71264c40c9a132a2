package migrate_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// Runs that share a small pool come to an end, and do the work once.
func TestRunsShareAPool(t *testing.T) {
	t.Parallel()

	s := newShops(t, 20)
	pool := smallPool(t, s.url)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for round := 2; round < 5; round++ {
		fleet := withConfig(t, shopConfig(round)).Fleet(pool)
		reports := make(chan *migrate.Report, 3)
		for range cap(reports) {
			go func() {
				report, err := fleet.Migrate(ctx, nil)
				if err != nil {
					t.Errorf("round %d: %v", round, err)
				}
				reports <- report
			}()
		}
		done := 0
		for range cap(reports) {
			if report := <-reports; report != nil {
				done += report.Done
			}
		}
		if done < 20 {
			t.Errorf("round %d: %d done", round, done)
		}
	}
}

// smallPool has four connections.
func smallPool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 4
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// More statuses and plans at once than the pool has connections come to an end, and so do
// their hooks, which need connections of it, too.
func TestLooksShareAPool(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop crm", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)", "crm/schema.sql", "CREATE TABLE people (id int)")
	s.add(t, "t1", "t2", "t3", "t4", "t5")
	s.sync(t, migrate.SyncOptions{Migrate: true})
	execute(t, s.conn, "DELETE FROM t1.cotenant_migrations WHERE app = 'shop'; DROP TABLE t2.people; DELETE FROM cotenant.schema_versions WHERE tenant_id IN (SELECT id FROM cotenant.tenants WHERE schema_name IN ('t3', 't4', 't5'))")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pool := smallPool(t, s.url)
	s.config.OnSchemaNeedsSync = func(ctx context.Context, _ *tenant.Tenant) error {
		_, err := pool.Exec(ctx, "SELECT pg_sleep(0.01)")
		return err
	}
	fleet := s.migrator(t).Fleet(pool)
	verify := migrate.RunOptions{Verify: true}
	for name, look := range map[string]func() error{
		"status": func() error {
			status, err := fleet.Status(ctx, nil)
			if err == nil && (status.Count(migrate.Current) != 5 || status.Count(migrate.Behind) != 1) {
				err = fmt.Errorf("%+v", status.Groups)
			}
			return err
		},
		"verified status": func() error {
			_, err := fleet.VerifiedStatus(ctx, nil)
			return err
		},
		"plan": func() error {
			_, err := fleet.Plan(ctx, nil)
			return err
		},
		"inspection": func() error {
			_, err := fleet.PlanSync(ctx, &migrate.SyncOptions{RunOptions: verify})
			return err
		},
	} {
		var looks sync.WaitGroup
		for range 8 {
			looks.Go(func() {
				for range 3 {
					if err := look(); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		}
		looks.Wait()
	}
}
