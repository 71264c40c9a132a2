//go:build linux || darwin || freebsd

package migrate_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/devpg"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// server is a PostgreSQL server of a test's own, whose data outlive it.
type server struct {
	*devpg.Server
	options devpg.Options
}

// startServer starts a server that forgets much when it is killed: what was committed
// without waiting is written by and by.
func startServer(t *testing.T) *server {
	t.Helper()
	bin := os.Getenv("COTENANT_TEST_POSTGRES")
	if bin == "" && os.Getenv("DATABASE_URL") != "" {
		t.Skip("the server of DATABASE_URL is not ours to kill")
	}
	dir, err := os.MkdirTemp("", "migrate test ") //nolint:usetesting // t.TempDir is below a directory that only we may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	s := &server{options: devpg.Options{
		BinDir: bin, Dir: filepath.Join(dir, "kept"),
		Settings: map[string]string{"fsync": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB", "wal_buffers": "64MB"}, // the machine is not what dies
	}}
	s.start(t)
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

// start starts the server, at the address that it had before.
func (s *server) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server, err := devpg.Start(ctx, &s.options)
	if err != nil {
		t.Fatal(err)
	}
	if s.Server != nil && s.URL() != server.URL() {
		t.Fatalf("the server came back at another address: %s, not %s", server.URL(), s.URL())
	}
	s.Server = server
}

// kill kills all processes of the server at once.
func (s *server) kill(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.options.Dir, "server", "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	postmaster := 0
	if _, err := fmt.Sscan(string(text), &postmaster); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(postmaster, syscall.SIGSTOP); err != nil { // so that it makes no more
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), "ps", "-axo", "pid=,ppid=").Output()
	if err != nil {
		t.Fatal(err)
	}
	pids := []int{postmaster}
	for line := range strings.Lines(string(output)) {
		var pid, parent int
		if _, err := fmt.Sscan(line, &pid, &parent); err == nil && parent == postmaster {
			pids = append(pids, pid)
		}
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err := s.Stop(); err != nil { // what is left is the shell that watches it
		t.Fatal(err)
	}
}

// A server that dies ends the run. It has forgotten some of what was done, and the next run
// does that again, too.
func TestServerKilled(t *testing.T) {
	t.Parallel()

	server := startServer(t)
	s := newShopsIn(t, server.URL(), many(500))
	config := shopConfig(3)
	config.Retries = 1
	reached, killed := make(chan struct{}), make(chan struct{})
	done := 0
	wait := background(t.Context(), newFleet(t, withConfig(t, config), s.url), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{
		OnResult: func(r migrate.Result) {
			if done++; r.Err == nil && done == s.n/3 {
				close(reached)
				<-killed // nobody goes on meanwhile
			}
		},
	}})
	<-reached
	server.kill(t)
	close(killed)
	_, err := wait()
	report := runFailure(t, err).Report
	if report.Done < s.n/3 || report.Untouched == 0 || report.Failed > 2*8 || report.Current+report.Done+report.Failed+report.Untouched != s.n+1 {
		t.Errorf("run: %v", err)
	}
	server.start(t)
	s.conn = connect(t, s.url)
	again := s.migrate(t, 3)
	if again.Done+again.Current != s.n+1 {
		t.Errorf("next run: %v", again)
	}
	t.Logf("%d were done, and %d of them forgotten", report.Done, again.Done-report.Failed-report.Untouched)
	s.check(t, 3)
}

// A server that comes back soon is waited for, and what it has forgotten is done again
// before success is told.
func TestServerComesBack(t *testing.T) {
	t.Parallel()

	server := startServer(t)
	s := newShopsIn(t, server.URL(), many(500))
	config := shopConfig(3)
	config.Retries = 40
	reached := make(chan struct{})
	var results atomic.Int64
	wait := background(t.Context(), newFleet(t, withConfig(t, config), s.url), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{
		OnResult: func(migrate.Result) {
			if results.Add(1) == int64(s.n/2) {
				close(reached)
			}
		},
	}})
	<-reached
	server.kill(t)
	server.start(t)
	report, err := wait()
	if err != nil || report.Done != s.n || report.Failed+report.Untouched != 0 || report.Current != 1 {
		t.Errorf("run: %v, %v", report, err)
	}
	t.Logf("%d results", results.Load())
	s.conn = connect(t, s.url)
	s.check(t, 3)
}

// What a run said to be done is there, and a tenant that was created, after a crash, whatever the server's settings are.
func TestServerKilledAfterSuccess(t *testing.T) {
	t.Parallel()

	server := startServer(t)
	server.options.Settings["synchronous_commit"] = "off"
	server.kill(t)
	server.start(t)
	s := newShopsIn(t, server.URL(), 40)
	server.kill(t)
	server.start(t)
	s.conn = connect(t, s.url)
	s.check(t, 1)

	s.create(t, shopConfig(1))
	server.kill(t)
	server.start(t)
	s.conn = connect(t, s.url)
	s.check(t, 1)

	s.migrate(t, 2)
	server.kill(t)
	server.start(t)
	s.conn = connect(t, s.url)
	s.check(t, 2)
}

// create creates one more tenant, with its schema.
func (s *shops) create(t *testing.T, config migrate.Config) {
	t.Helper()
	s.n++
	who := &tenant.Tenant{ID: int64(s.n), Schema: tenant.MustParseSchema(fmt.Sprintf("s%d", s.n))}
	err := pgx.BeginFunc(t.Context(), s.conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), fmt.Sprintf("CREATE SCHEMA %s; INSERT INTO cotenant.tenants VALUES (%d, '%[1]s')", who.Schema, who.ID), pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			return err
		}
		return withConfig(t, config).BuildSchema(t.Context(), tx, who)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A hook is not told of what a crash could undo.
func TestServerKilledInHook(t *testing.T) {
	t.Parallel()

	server := startServer(t)
	server.options.Settings["synchronous_commit"] = "off"
	server.kill(t)
	server.start(t)
	s := newShopsIn(t, server.URL(), 8)
	config := shopConfig(2)
	config.Retries = 1
	var told []string
	config.OnMigrated = func(_ context.Context, who *tenant.Tenant, _ []migrate.Applied) error {
		if told = append(told, who.Schema.String()); len(told) == 4 {
			server.kill(t)
		}
		return nil
	}
	_, err := newFleet(t, withConfig(t, config), s.url).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Jobs: 1}})
	runFailure(t, err)
	server.start(t)
	s.conn = connect(t, s.url)
	for _, schema := range told {
		if got := history(t, s.conn, schema); len(got) != 2 {
			t.Errorf("%s was told of, and has %q", schema, got)
		}
	}
	s.migrate(t, 2)
	s.check(t, 2)
}
