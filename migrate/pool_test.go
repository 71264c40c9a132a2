package migrate_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/migrate"
)

// Runs that share a small pool come to an end, and do the work once.
func TestRunsShareAPool(t *testing.T) {
	t.Parallel()

	s := newShops(t, 20)
	config, err := pgxpool.ParseConfig(s.url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 4
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
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
