package testdb

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// requireEnv lists the programs without which tests fail instead of being
// skipped: for build servers, where a skipped test would go unnoticed.
const requireEnv = "COTENANT_TEST_REQUIRE"

// PgBouncer starts a PgBouncer in front of the database at address and returns the
// URL of the database through it. It ends with the test, or with the test binary.
// mode is its pool_mode, such as "transaction". Where PgBouncer is not installed
// the test is skipped, or fails if COTENANT_TEST_REQUIRE names pgbouncer.
func PgBouncer(tb testing.TB, address, mode string) string {
	tb.Helper()
	binary, err := exec.LookPath("pgbouncer")
	if err != nil {
		if strings.Contains(os.Getenv(requireEnv), "pgbouncer") {
			tb.Fatalf("testdb: %v (install pgbouncer)", err)
		}
		tb.Skipf("testdb: %v (install pgbouncer to run this test)", err)
	}
	var problem error
	for range 3 { // another process may take the port that was free
		var through string
		if through, problem = startPgBouncer(tb, binary, address, mode); problem == nil {
			return through
		}
	}
	tb.Fatalf("testdb: pgbouncer: %v", problem)
	return ""
}

// startPgBouncer runs PgBouncer below a shell that ends it when our end of the
// pipe closes, so that it does not outlive us whatever happens.
func startPgBouncer(tb testing.TB, binary, address, mode string) (string, error) {
	tb.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	file := filepath.Join(tb.TempDir(), "pgbouncer.ini")
	password := ""
	if config.Password != "" {
		password = " password=" + config.Password
	}
	text := fmt.Sprintf(`[databases]
%s = host=%s port=%d user=%s%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
admin_users = %s
pool_mode = %s
ignore_startup_parameters = extra_float_digits
`, config.Database, config.Host, config.Port, config.User, password, port, config.User, mode)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // read by another user when we are root
		return "", err
	}
	args := []string{"-c", `"$@" & read -r _; kill $!; wait $!`, "sh", binary, file}
	if os.Geteuid() == 0 {
		args = append(args, "-u", "nobody") // it refuses root
	}
	var log bytes.Buffer
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), "/bin/sh", args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	stop := func() error {
		_ = stdin.Close()
		return cmd.Wait()
	}
	through := (&url.URL{
		Scheme: "postgres", User: url.User(config.User), Host: fmt.Sprintf("127.0.0.1:%d", port), Path: config.Database,
		RawQuery: "sslmode=disable",
	}).String()
	if err := answers(tb.Context(), through); err != nil {
		_ = stop()
		return "", fmt.Errorf("%w\n%s", err, &log)
	}
	tb.Cleanup(func() { _ = stop() }) // the shell's status is that of the signal
	return through, nil
}

// answers waits until a server answers at address.
func answers(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, address)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		return 0, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	return port, listener.Close()
}
