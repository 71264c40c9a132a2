package migrate_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cotenant/cotenant/migrate"
)

// lock takes a lock in a transaction of another session, and returns what undoes that.
func lock(t *testing.T, url, sql string) (release func()) {
	t.Helper()
	conn := connect(t, url)
	execute(t, conn, "BEGIN")
	execute(t, conn, sql)
	return func() { execute(t, conn, "ROLLBACK") }
}

// A schema that a long transaction locks fails after its retries, and the others are done.
func TestSchemaLocked(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct{ sql, schema, where, held string }{
		"a table":             {"LOCK TABLE s7.items IN ACCESS EXCLUSIVE MODE", "s7", "shop/migrations/0002_c.sql:1", `table "s7.items"`},
		"the history":         {"LOCK TABLE s7.cotenant_migrations IN ACCESS EXCLUSIVE MODE", "s7", "", `table "s7.cotenant_migrations"`},
		"that of the first":   {"LOCK TABLE s1.cotenant_migrations IN ACCESS EXCLUSIVE MODE", "s1", "", `table "s1.cotenant_migrations"`},
		"one that is dropped": {"DROP SCHEMA s1 CASCADE", "s1", "", "the schema"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := newShops(t, 20)
			release := lock(t, s.url, tt.sql)
			config := shopConfig(2)
			config.Retries, config.LockTimeout = 2, 100*time.Millisecond
			_, err := newFleet(t, withConfig(t, config), s.url).Migrate(t.Context(), nil)
			report := runFailure(t, err).Report
			if report.Done != 19 || report.Failed != 1 || report.Untouched != 0 {
				t.Errorf("run: %v", report)
			}
			for _, want := range []string{tt.where, `schema "` + tt.schema + `"`, "SQLSTATE 55P03", "(tried 3 times); ", tt.held + " is locked by process ", `, idle in transaction for `} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want one that says %q", err, want)
				}
			}
			s.checkContents(t, 2, []string{tt.schema})
			release()
			if again := s.migrate(t, 2); again.Done != 1 {
				t.Errorf("after the lock: %v", again)
			}
			s.check(t, 2)
		})
	}
}

// A shared table that is locked does not hold a run up while the migrator role gets what it
// may do with it: versions of PostgreSQL differ in whether that waits for the lock.
func TestSharedTableLocked(t *testing.T) {
	t.Parallel()

	s := newShops(t, 2)
	execute(t, s.conn, "CREATE TABLE public.plans (id int)")
	release := lock(t, s.url, "LOCK TABLE public.plans IN ACCESS EXCLUSIVE MODE")
	config := shopConfig(2)
	config.Retries, config.LockTimeout = 1, 100*time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := newFleet(t, withConfig(t, config), s.url).Migrate(ctx, nil)
	if err != nil && !strings.Contains(err.Error(), "SQLSTATE 55P03") {
		t.Errorf("run: %v", err)
	}
	release()
	s.migrate(t, 2)
	execute(t, s.conn, "DROP TABLE public.plans")
	s.check(t, 2)
}

// A lock that is released while a schema is tried again lets it through.
func TestLockReleasedDuringRetries(t *testing.T) {
	t.Parallel()

	s := newShops(t, 5)
	release := sync.OnceFunc(lock(t, s.url, "LOCK TABLE s2.items IN ACCESS EXCLUSIVE MODE"))
	config := shopConfig(3)
	config.LockTimeout = 50 * time.Millisecond
	config.Logger = hear(slog.LevelWarn, func(string) { release() })
	report, err := newFleet(t, withConfig(t, config), s.url).Migrate(t.Context(), nil)
	if err != nil || report.Done != 5 {
		t.Errorf("run: %v, %v", report, err)
	}
	s.check(t, 3)
}

// A shared migration that waits for a reader lets the look-ups of tenants through all
// the time: they wait for no more than LockTimeout.
func TestSharedMigrationBehindReader(t *testing.T) {
	t.Parallel()

	s := newShops(t, 1)
	release := sync.OnceFunc(lock(t, s.url, "SELECT FROM cotenant.tenants"))
	looker := connect(t, s.url)
	config := shopConfig(1)
	config.SharedApps = migrate.Dirs(files("plans/migrations/1_a.sql", "ALTER TABLE cotenant.tenants ADD COLUMN plan text"), "plans")
	config.LockTimeout = 200 * time.Millisecond
	warnings := make(chan string, 100)
	config.Logger = hear(slog.LevelWarn, func(text string) { warnings <- text })
	wait := background(t.Context(), newFleet(t, withConfig(t, config), s.url), nil)
	execute(t, looker, "SET statement_timeout = '5s'") // more than one timeout, less than all the retries
	for range 3 {
		<-warnings
		execute(t, looker, "SELECT FROM cotenant.tenants")
	}
	release()
	report, err := wait()
	if err != nil || report.Done != 1 || report.Current != 1 {
		t.Errorf("run: %v, %v", report, err)
	}
	if got := column(t, s.conn, "SELECT attname::text FROM pg_attribute WHERE attrelid = 'cotenant.tenants'::regclass AND attname = 'plan'"); len(got) != 1 {
		t.Error("the column is not there")
	}
}
