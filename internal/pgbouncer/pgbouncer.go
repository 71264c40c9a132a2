// Package pgbouncer runs a PgBouncer in front of a database: for tests and
// benchmarks. It is no part of what an application imports.
package pgbouncer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a PgBouncer that runs. Its methods are safe for concurrent use.
type Server struct {
	url  string
	stop func()
}

// URL returns the address of the database through it.
func (s *Server) URL() string { return s.url }

// Stop ends it, and returns when it is gone. Calling it again is harmless.
func (s *Server) Stop() { s.stop() }

// Start starts a PgBouncer in front of the database at address, a URL or a
// keyword/value string, and returns once it answers. mode is its pool_mode, such as
// "transaction"; the address's user is its administrator. It ends with Stop, or when our process is gone for whatever reason.
// Once Start has returned, ctx no longer matters. Where the program is missing, the
// error wraps exec.ErrNotFound.
func Start(ctx context.Context, address, mode string) (*Server, error) {
	binary, err := exec.LookPath("pgbouncer")
	if err != nil {
		return nil, fmt.Errorf("pgbouncer: %w (install pgbouncer)", err)
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("pgbouncer: %w", err)
	}
	for range 3 { // another process may take the port that was free
		var s *Server
		if s, err = start(ctx, binary, config, mode); err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("pgbouncer: %w", err)
}

// script runs the program and ends it when our end of the pipe closes, so that it does
// not outlive us whatever happens. The shell ends when the program does, and takes the
// directory $0 with it.
const script = `exec 3<&0; "$@" & program=$!; (read -r _ <&3; kill $program) >/dev/null 2>&1 & wait $program; kill $!; rm -r "$0"`

// start runs the program below a shell.
func start(ctx context.Context, binary string, config *pgx.ConnConfig, mode string) (_ *Server, err error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "cotenant-pgbouncer-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	file, err := configure(dir, config, port, mode)
	if err != nil {
		return nil, err
	}
	args := []string{"-c", script, dir, binary, file}
	if os.Geteuid() == 0 {
		args = append(args, "-u", "nobody") // it refuses root
	}
	var log bytes.Buffer
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "/bin/sh", args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // the shell's status is that of the signal
	}()
	s := &Server{
		url: (&url.URL{
			Scheme: "postgres", User: url.User(config.User), Host: fmt.Sprintf("127.0.0.1:%d", port), Path: config.Database,
			RawQuery: "sslmode=disable",
		}).String(),
		stop: sync.OnceFunc(func() {
			_ = lifeline.Close() // Wait does so too
			<-exited
		}),
	}
	if err := s.answers(ctx, exited); err != nil {
		s.stop() // only then is the log all there
		return nil, fmt.Errorf("%w\n%s", err, &log)
	}
	return s, nil
}

// configure writes the program's settings, and returns the file that has them.
func configure(dir string, config *pgx.ConnConfig, port int, mode string) (string, error) {
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
server_login_retry = 1
max_client_conn = 1000
`, config.Database, config.Host, config.Port, config.User, password, port, config.User, mode)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // read by another user when we are root
		return "", err
	}
	return file, os.WriteFile(file, []byte(text), 0o644) //nolint:gosec // so is this
}

// answers waits until the server answers, or is gone.
func (s *Server) answers(ctx context.Context, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.url)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-tick.C:
		case <-exited:
			return err
		case <-ctx.Done():
			return err
		}
	}
}

func freePort(ctx context.Context) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	return port, listener.Close()
}
