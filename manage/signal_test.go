package manage_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
)

// project is a folder with a project whose one migration waits for an advisory lock,
// and whose tenants are behind.
func project(t *testing.T, address string, tenants ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{
		"cotenant.toml": `tenant_apps = ["shop"]`,
		"apps/shop/migrations/0001_initial.sql": "SELECT pg_advisory_xact_lock_shared(42);\n" +
			"CREATE TABLE orders (id int);\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := cotenantIn(t, dir, address, "migrate", "--shared").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	conn := connect(t, address)
	for _, name := range tenants {
		for _, sql := range []string{"INSERT INTO cotenant.tenants (schema_name) VALUES ('" + name + "')", "CREATE SCHEMA " + name} {
			if _, err := conn.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// cotenantIn is the program as a process of its own, in dir.
func cotenantIn(t *testing.T, dir, address string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(programs(t), "cotenant"), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DATABASE_URL="+address)
	return cmd
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

// inFlight is a migrate whose first schema waits for the lock of the test.
type inFlight struct {
	*exec.Cmd
	conn   *pgx.Conn // holds the lock
	stdout bytes.Buffer
	stderr *bufio.Reader
}

func startMigrate(t *testing.T) *inFlight {
	t.Helper()
	address := testdb.New(t)
	dir := project(t, address, "acme", "globex", "initech")
	f := &inFlight{Cmd: cotenantIn(t, dir, address, "migrate", "--jobs=1"), conn: connect(t, address)}
	if _, err := f.conn.Exec(t.Context(), "SELECT pg_advisory_lock(42)"); err != nil {
		t.Fatal(err)
	}
	f.Stdout = &f.stdout
	stderr, err := f.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	f.stderr = bufio.NewReader(stderr)
	if err := f.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		return one[bool](t, f.conn, "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))")
	})
	return f
}

// interrupt sends the signal, and waits for what the process says of it.
func (f *inFlight) interrupt(t *testing.T) {
	t.Helper()
	if err := f.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	line, err := f.stderr.ReadString('\n')
	if err != nil || line != "cotenant: stopping: the schemas in flight are finished (Ctrl-C again interrupts them)\n" {
		t.Fatalf("after the interrupt: %q, %v", line, err)
	}
}

// end returns the status and what else was printed.
func (f *inFlight) end(t *testing.T) (status int, stdout, stderr string) {
	t.Helper()
	rest, err := io.ReadAll(f.stderr)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Wait()
	return f.ProcessState.ExitCode(), f.stdout.String(), string(rest)
}

// The first interrupt lets the schema in flight finish, and the others are left.
func TestInterrupt(t *testing.T) {
	t.Parallel()

	f := startMigrate(t)
	f.interrupt(t)
	if _, err := f.conn.Exec(t.Context(), "SELECT pg_advisory_unlock(42)"); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := f.end(t)
	if status != 1 || !strings.HasPrefix(stdout, "migrate: 1 done, 2 untouched, 1 up to date (") || !strings.HasSuffix(stderr, "cotenant: migrate: the run was stopped; the same command again does what is left\n") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	if n := one[int](t, f.conn, "SELECT count(*) FROM pg_tables WHERE tablename = 'orders'"); n != 1 {
		t.Errorf("%d schemas are migrated, want 1", n)
	}
}

// The second one interrupts it: nothing is half done.
func TestInterruptTwice(t *testing.T) {
	t.Parallel()

	f := startMigrate(t)
	f.interrupt(t)
	if err := f.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := f.end(t)
	if status != 1 || !strings.HasPrefix(stdout, "migrate: 1 interrupted, 2 untouched, 1 up to date (") || strings.Contains(stderr, "failed") ||
		!strings.HasSuffix(stderr, "\ncotenant: migrate: interrupted: in 1 schema the migration in flight was rolled back, or stopped where it runs outside of a transaction, what was done before stays; the same command again does what is left\n") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	if n := one[int](t, f.conn, "SELECT count(*) FROM pg_tables WHERE tablename = 'orders'"); n != 0 {
		t.Errorf("%d schemas are migrated, want none", n)
	}
}

// A run goes on where nobody reads what it prints.
func TestReaderGone(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme", "globex", "initech")
	for _, how := range []string{"-v", "--json"} {
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
		cmd := cotenantIn(t, dir, address, "migrate", how)
		cmd.Stdout = writer
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		writer.Close()
	}
	if n := one[int](t, connect(t, address), "SELECT count(*) FROM pg_tables WHERE tablename = 'orders'"); n != 3 {
		t.Errorf("%d schemas are migrated, want 3", n)
	}
}

// A command of the program's own is interrupted at the first.
func TestInterruptOwnCommand(t *testing.T) {
	t.Parallel()

	cmd := exec.CommandContext(t.Context(), filepath.Join(programs(t), "shopctl"), "wait")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "waiting\n" {
		t.Fatal(line, err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != 1 || stderr.String() != "shopctl: wait: interrupted\n" {
		t.Errorf("status %d, %s", cmd.ProcessState.ExitCode(), &stderr)
	}
}

func one[T any](t *testing.T, conn *pgx.Conn, sql string) (value T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// until waits for what another process does, and nothing here tells of.
func until(t *testing.T, reached func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 6000 {
		if reached() {
			return
		}
		<-tick.C
	}
	t.Fatal("a minute has passed")
}

// What loaddata reads from a pipe may have been cut by the same Ctrl-C that it gets: the rows
// before that are rolled back.
func TestInterruptLoad(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme")
	if out, err := cotenantIn(t, dir, address, "migrate").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := cotenantIn(t, dir, address, "loaddata", "-", "--format=csv", "--table=orders", "--schema=acme")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, "id\n"+strings.Repeat("1\n", 200_000)); err != nil { // more than a pipe holds
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait() // standard input is open: it ends of itself
	if cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%v\n%s", err, &out)
	}
	var rows int
	if err := connect(t, address).QueryRow(t.Context(), "SELECT count(*) FROM acme.orders").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

// A load that is interrupted says so of the schema that it was at, and in the end.
func TestInterruptedLoad(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme", "globex")
	if err := os.WriteFile(filepath.Join(dir, "x.sql"), []byte("SELECT pg_advisory_xact_lock_shared(42)"), 0o600); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, address)
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_lock(42)"); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := cotenantIn(t, dir, address, "loaddata", "x.sql", "--skip-public")
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		return one[bool](t, conn, "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))")
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	before, after, _ := strings.Cut(stderr.String(), " (")
	if before != "=== acme\ncotenant: loaddata: acme: interrupted\nloaddata: 0 done, 1 failed, 1 untouched" || !strings.HasSuffix(after, ")\ncotenant: loaddata: interrupted\n") {
		t.Errorf("it says %s", stderr.String())
	}
}

// An adopt that is interrupted says what it has registered, and its next run does the rest.
func TestInterruptedAdopt(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address)
	other := connect(t, address)
	for _, sql := range []string{"CREATE SCHEMA tone; CREATE SCHEMA ttwo", "BEGIN; INSERT INTO cotenant.tenants (schema_name) VALUES ('ttwo')"} {
		if _, err := other.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	adopt := func() *exec.Cmd { return cotenantIn(t, dir, address, "adopt", "--schemas=t*", "--jobs=1") }
	cmd := adopt()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, address)
	until(t, func() bool {
		return one[bool](t, conn, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	_ = cmd.Wait()
	want := "cotenant: adopt: interrupted: 1 schema registered before that; the same command again does what is left\n"
	if cmd.ProcessState.ExitCode() != 1 || !strings.HasSuffix(stderr.String(), want) {
		t.Errorf("status %d\n%s", cmd.ProcessState.ExitCode(), &stderr)
	}
	if _, err := other.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if out, err := adopt().CombinedOutput(); err != nil || !strings.Contains(string(out), "adopt: 1 adopted, 1 there before, 0 left, 0 refused (") {
		t.Errorf("%v\n%s", err, out)
	}
}
