//go:build linux || darwin || freebsd

package devpg_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/devpg"
)

func TestStartStop(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	data := query(t, s.URL(), `SHOW data_directory`)
	info, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("mode of the data directory = %v, want -rwx------", info.Mode())
	}
	if !strings.HasPrefix(query(t, s.URL(), `SHOW server_version`), s.Version()) {
		t.Errorf("Version = %q, which is not the server's", s.Version())
	}
	if !strings.HasPrefix(s.Source(), "PostgreSQL "+s.Version()+" from /") {
		t.Errorf("Source = %q", s.Source())
	}

	// Clients do not keep a server from stopping, even busy ones.
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	busy := make(chan error)
	go func() {
		_, err := conn.Exec(t.Context(), `SELECT pg_sleep(3600)`)
		busy <- err
	}()
	top := filepath.Dir(data)
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		if left := processes(t, top); left != nil {
			t.Errorf("processes after Stop: %q", left)
		}
		if !missing(top) {
			t.Errorf("%s is there after Stop", top)
		}
	}
	if err := <-busy; err == nil {
		t.Error("query of an hour came to its end")
	}
}

// What /bin/sh is differs: dash on Debian, ash (BusyBox) on Alpine, bash elsewhere.
func TestStartInEveryShell(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ash", "bash", "dash", "ksh93", "zsh"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(name)
			if err != nil {
				t.Skip(err)
			}
			o := &devpg.Options{Fast: true}
			o.Shell(path)
			s := start(t, o)
			top := filepath.Dir(query(t, s.URL(), `SHOW data_directory`))
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			if !missing(top) {
				t.Errorf("%s is there after Stop", top)
			}
			cancelDuringInitdb(t, o)
		})
	}
}

func TestServerIsPrivate(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	if got := query(t, s.URL(), `SHOW unix_socket_directories`); got != "" {
		t.Errorf("unix_socket_directories = %q, want none", got)
	}
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		ip := a.(*net.IPNet).IP
		if ip.Equal(net.IPv4(127, 0, 0, 1)) {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(ip.String(), u.Port()))
		cancel()
		if err == nil {
			_ = conn.Close()
			t.Errorf("listens on %s", ip)
		}
	}
	for _, user := range []*url.Userinfo{url.User("postgres"), url.UserPassword("postgres", "postgres")} {
		u.User = user
		_, err := ask(t.Context(), u.String(), `SELECT 'in'`)
		wantError(t, err, "password")
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := start(t, &devpg.Options{
		Fast:     true,
		Settings: map[string]string{"max_connections": "123", "fsync": "on", "application_name": "a 'b' \"c\" $d;\\"},
	})
	for name, want := range map[string]string{
		"max_connections":    "123",
		"fsync":              "on", // what is asked for by name counts more
		"full_page_writes":   "off",
		"synchronous_commit": "off",
	} {
		if got := query(t, s.URL(), `SHOW `+name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if got, want := query(t, s.URL(), `SELECT reset_val FROM pg_settings WHERE name = 'application_name'`), "a 'b' \"c\" $d;\\"; got != want {
		t.Errorf("application_name = %q, want %q", got, want)
	}

	_, err := devpg.Start(t.Context(), &devpg.Options{Settings: map[string]string{"Listen_Addresses": "*"}})
	wantError(t, err, `setting "Listen_Addresses"`, "devpg's own")
	_, err = devpg.Start(t.Context(), &devpg.Options{Settings: map[string]string{"a=b": "c"}})
	wantError(t, err, `setting "a=b"`)
}

func TestFailureShowsLog(t *testing.T) {
	t.Parallel()
	h := openDir(t)
	o := &devpg.Options{Dir: filepath.Join(h, "kept"), Settings: map[string]string{"max_connections": "many"}}
	_, err := devpg.Start(t.Context(), o)
	wantError(t, err, "start PostgreSQL", `invalid value for parameter "max_connections": "many"`)
	if left := processes(t, h); left != nil {
		t.Errorf("processes after a failed Start: %q", left)
	}
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	var chosen []int
	o := &devpg.Options{Fast: true}
	o.PortChosen(func(port int) {
		chosen = append(chosen, port)
		if len(chosen) > 2 {
			return
		}
		l, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { _ = l.Close() })
	})
	s := start(t, o)
	if len(chosen) != 3 {
		t.Errorf("ports tried: %v, want three", chosen)
	}
	if got := query(t, s.URL(), `SHOW port`); got != strconv.Itoa(chosen[len(chosen)-1]) {
		t.Errorf("port = %s, want the last of %v", got, chosen)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := devpg.Start(ctx, nil)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v, want context.Canceled", err)
		}
	})
	t.Run("initdb", func(t *testing.T) {
		t.Parallel()
		cancelDuringInitdb(t, new(devpg.Options))
	})
	t.Run("deadline", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // no initdb is that fast
		defer cancel()
		dir := filepath.Join(openDir(t), "kept")
		_, err := devpg.Start(ctx, &devpg.Options{Dir: dir})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want context.DeadlineExceeded", err)
		}
		if left := processes(t, dir); left != nil {
			t.Errorf("processes after a cancelled Start: %q", left)
		}
	})
}

// cancelDuringInitdb fails the test unless nothing is left of a Start that is
// cancelled then.
func cancelDuringInitdb(t *testing.T, o *devpg.Options) {
	t.Helper()
	fake := newSlowInitdb(t)
	o.BinDir = fake.bin
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result := make(chan error)
	go func() {
		_, err := devpg.Start(ctx, o)
		result <- err
	}()
	top := filepath.Dir(fake.waitRunning(t))
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
	if left := append(processes(t, top), processes(t, fake.bin)...); left != nil {
		t.Errorf("processes after a cancelled Start: %q", left)
	}
	if !missing(top) {
		t.Errorf("%s is there after a cancelled Start", top)
	}
}

func TestStopWithoutSupervisor(t *testing.T) {
	t.Parallel()
	s := start(t, &devpg.Options{Fast: true})
	top := filepath.Dir(query(t, s.URL(), `SHOW data_directory`))
	if err := syscall.Kill(parent(t, pid(t, s.URL())), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if left := processes(t, top); left != nil {
		t.Errorf("processes after Stop: %q", left)
	}
	if !missing(top) {
		t.Errorf("%s is there after Stop", top)
	}
}

// parent returns the parent of a process.
func parent(t *testing.T, pid int) int {
	t.Helper()
	output, err := exec.Command("ps", "-o", "ppid=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(output)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
