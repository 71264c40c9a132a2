package migrate_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
)

// Programs that start at once do the work once.
func TestConcurrentRuns(t *testing.T) {
	t.Parallel()

	url := testdb.New(t)
	conn := connect(t, url)
	acme := newTenant(t, conn, 1, "acme")
	m := newMigrator(t, files("base/migrations/1_a.sql", "CREATE TABLE a (id int)", "shop/migrations/1_b.sql", "CREATE TABLE b (id int)"), []string{"base"}, []string{"shop"})
	var mu sync.Mutex
	var ran []migrate.Applied
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close(t.Context())
			shared, err := m.MigrateShared(t.Context(), conn)
			if err != nil {
				t.Error(err)
			}
			own, err := m.MigrateTenant(t.Context(), conn, acme)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ran = append(ran, append(shared, own...)...)
		})
	}
	wg.Wait()
	if len(ran) != 2 {
		t.Errorf("ran: %v; want each once", ran)
	}
}

// notices is a slog.Handler that passes messages on.
type notices struct {
	slog.Handler
	messages chan string
}

func (n notices) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelInfo {
		n.messages <- r.Message
	}
	return nil
}

func (n notices) Enabled(context.Context, slog.Level) bool { return true }

// A run that finds the schema locked polls, without waiting in the lock, and ends
// with its context.
func TestLockIsTriedNotAwaited(t *testing.T) {
	t.Parallel()

	url := testdb.New(t)
	conn, other := connect(t, url), connect(t, url)
	acme := newTenant(t, conn, 1, "acme")
	execute(t, other, "SELECT pg_advisory_lock((31751::bigint << 48) | 1)") // as another run has it
	handler := notices{messages: make(chan string, 1)}
	m := withConfig(t, migrate.Config{
		Logger:     slog.New(handler),
		TenantApps: migrate.Dirs(files("shop/schema.sql", "CREATE TABLE a (id int)"), "shop"),
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error)
	go func() {
		_, err := m.MigrateTenant(ctx, conn, acme)
		failed <- err
	}()
	if message := <-handler.messages; !strings.Contains(message, "waiting") {
		t.Errorf("logged %q", message)
	}
	if waiting := column(t, other, "SELECT pid::text FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"); len(waiting) != 0 {
		t.Errorf("sessions that wait in a lock: %q", waiting)
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("MigrateTenant: %v", err)
	}
	if got := tables(t, other, "acme"); len(got) != 0 {
		t.Errorf("tables: %q", got)
	}
}

// hearing is a slog.Handler that passes what is told at a level to a function.
type hearing struct {
	slog.Handler
	level slog.Level
	f     func(text string)
}

func (h hearing) Handle(_ context.Context, r slog.Record) error {
	if r.Level == h.level {
		h.f(r.Message)
	}
	return nil
}

func (h hearing) Enabled(_ context.Context, level slog.Level) bool { return level == h.level }

// hear returns a logger that passes what is told at a level to f.
func hear(level slog.Level, f func(text string)) *slog.Logger {
	return slog.New(hearing{slog.DiscardHandler, level, f})
}
