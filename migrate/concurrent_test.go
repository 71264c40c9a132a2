package migrate_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
)

// Programs that run at once share the work, and all of them succeed.
func TestTwoPrograms(t *testing.T) {
	t.Parallel()

	s := newShops(t, many(200))
	programs := []*child{s.start(t, 5), s.start(t, 5)}
	for _, c := range programs {
		if output := c.wait(t); output != "" {
			t.Error(output)
		}
	}
	s.check(t, 5)
}

// A program that is newer than others goes on, and the others say why they do not.
func TestThreeProgramsOneNewer(t *testing.T) {
	t.Parallel()

	s := newShops(t, many(200))
	old, newer := []*child{s.start(t, 3), s.start(t, 3)}, s.start(t, 6)
	if output := newer.wait(t); output != "" {
		t.Error(output)
	}
	for _, c := range old {
		output := c.wait(t)
		for line := range strings.Lines(output) {
			if !strings.Contains(line, "newer than the program") && !strings.Contains(line, " done, ") && !strings.HasPrefix(line, "\t") && !strings.Contains(line, "no tenant's schema was touched") && !strings.Contains(line, "the others had been seen to") {
				t.Errorf("an older program: %s", line)
			}
		}
	}
	s.check(t, 6)
}

// wait waits for the end of a program, and returns what it says of errors.
func (c *child) wait(t *testing.T) string {
	t.Helper()
	for c.results.Scan() { // all of them, so that it does not wait for us
	}
	err := c.Wait()
	if output := c.Stderr.(*bytes.Buffer).String(); output != "" || err == nil {
		return output
	}
	return err.Error()
}

// A run that is stopped finishes the schemas in flight, and begins no others.
func TestStoppedInTheMiddle(t *testing.T) {
	t.Parallel()

	s := newShops(t, 40)
	stop := make(chan struct{})
	results := 0
	report, err := newFleet(t, withConfig(t, shopConfig(3)), s.url).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{
		Stop: stop,
		OnResult: func(migrate.Result) {
			if results++; results == 10 {
				close(stop)
			}
		},
	}})
	if !errors.Is(err, migrate.ErrStopped) {
		t.Fatalf("Migrate: %v", err)
	}
	if report.Done < 10 || report.Done > 10+8 || report.Failed != 0 || report.Untouched != 40-report.Done || report.Done != results {
		t.Errorf("run: %v", report)
	}
	again := s.migrate(t, 3)
	if again.Done != report.Untouched {
		t.Errorf("next run: %v, want %d done", again, report.Untouched)
	}
	s.check(t, 3)
}

// A run whose context ends interrupts the schemas in flight, and leaves nothing open.
func TestContextEnds(t *testing.T) {
	t.Parallel()

	s := newShops(t, 40)
	pool, err := newPool(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	results := 0
	report, err := withConfig(t, shopConfig(3)).Fleet(pool).Migrate(ctx, &migrate.MigrateOptions{RunOptions: migrate.RunOptions{
		OnResult: func(migrate.Result) {
			if results++; results == 10 {
				cancel()
			}
		},
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Migrate: %v", err)
	}
	if !errors.Is(err, migrate.ErrInterrupted) || report.Done < 10 || report.Failed != 0 || report.Interrupted > 8 || report.Untouched == 0 || report.Done+report.Interrupted+report.Untouched != 40 {
		t.Errorf("run: %v", report)
	}
	tick := time.NewTicker(5 * time.Millisecond) // the pool closes those that were interrupted by and by
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); pool.Stat().AcquiredConns() > 0; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections were not given back", pool.Stat().AcquiredConns())
		}
	}
	again := s.migrate(t, 3)
	if again.Done > report.Interrupted+report.Untouched || again.Done < report.Untouched {
		t.Errorf("next run: %v", again)
	}
	s.check(t, 3)
}

// Few connections, few tenants and another table of them make no difference.
func TestSmallFleets(t *testing.T) {
	t.Parallel()

	s := newShops(t, 1)
	pool, err := newPool(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if report, err := withConfig(t, shopConfig(2)).Fleet(pool).Migrate(t.Context(), nil); err != nil || report.Done != 1 {
		t.Errorf("one tenant: %v, %v", report, err)
	}
	if report, err := withConfig(t, shopConfig(2)).Fleet(pool).Migrate(t.Context(), nil); err != nil || report.Done != 0 || report.Current != 2 {
		t.Errorf("nothing to do: %v, %v", report, err)
	}
	execute(t, s.conn, "DROP SCHEMA s1 CASCADE; DELETE FROM cotenant.tenants")
	if report, err := withConfig(t, shopConfig(2)).Fleet(pool).Migrate(t.Context(), nil); err != nil || report.Done != 0 || report.Current != 1 {
		t.Errorf("no tenants: %v, %v", report, err)
	}
}

// Three connections are enough, whatever a run does.
func TestThreeConnections(t *testing.T) {
	t.Parallel()

	s := newShops(t, 5)
	for conns, want := range map[int32]string{2: "allow 3 or more", 3: ""} {
		pool := tappedPool(t, s.url, conns, func(net.Conn, []byte) error { return nil })
		fsys := shopFiles(2)
		fsys["shop/migrations/0003_index.sql"] = files("x", "CREATE INDEX CONCURRENTLY items_c2 ON items (c2)")["x"]
		fsys["crm/schema.sql"] = files("x", "CREATE TABLE people (id int)")["x"]
		report, err := newMigrator(t, fsys, nil, []string{"shop", "crm"}).Fleet(pool).Sync(t.Context(), &migrate.SyncOptions{Migrate: true, RunOptions: migrate.RunOptions{Jobs: 4}})
		switch {
		case want != "":
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%d connections: %v", conns, err)
			}
		case err != nil || report.Done != 5:
			t.Errorf("%d connections: %v, %v", conns, report, err)
		}
		if total := pool.Stat().TotalConns(); total > conns {
			t.Errorf("%d connections of %d", total, conns)
		}
	}
}

// The tenants' table may have another name, in another schema.
func TestTenantsTable(t *testing.T) {
	t.Parallel()

	url := testdb.New(t)
	conn := connect(t, url)
	execute(t, conn, `CREATE SCHEMA "my app"; CREATE TABLE "my app"."Customers" (id bigint PRIMARY KEY, schema_name text NOT NULL, plan text);
		CREATE SCHEMA a; CREATE SCHEMA b; INSERT INTO "my app"."Customers" VALUES (1, 'a'), (2, 'b'), (3, 'gone')`)
	config := shopConfig(2)
	config.TenantsTable = pgx.Identifier{"my app", "Customers"}
	_, err := newFleet(t, withConfig(t, config), url).Migrate(t.Context(), nil)
	report := runFailure(t, err).Report
	if report.Done != 2 || report.Failed != 1 || len(report.Orphans) != 0 || !strings.Contains(err.Error(), `schema "gone"`) {
		t.Errorf("run: %v", err)
	}
	for _, schema := range []string{"a", "b"} {
		if got := history(t, conn, schema); len(got) != 2 {
			t.Errorf("history of %s: %q", schema, got)
		}
	}
}
