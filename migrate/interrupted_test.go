package migrate_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
)

// When ctx ends, the server may be faster to say that it has cancelled the statement than
// the client is to give up: that is an interruption too, and no failure of the schema.
func TestInterruptedByTheServer(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "")
	s.add(t, "acme")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	up := func(ctx context.Context, tx pgx.Tx) error {
		cancel()
		_, err := tx.Exec(context.WithoutCancel(ctx), "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)", pgx.QueryExecModeExec)
		return err
	}
	s.config.TenantApps = []migrate.App{{Name: "shop", Migrations: []migrate.Migration{{Name: "1_a", Up: up}}}}
	report, err := s.fleet(t).Migrate(ctx, nil)
	if report == nil {
		t.Fatal(err)
	}
	has(t, err, migrate.ErrInterrupted.Error())
	if report.Interrupted != 1 || report.Failed != 0 {
		t.Errorf("report: %v; want one that was interrupted", report)
	}
	s.is(t, "acme", "", "")
}
