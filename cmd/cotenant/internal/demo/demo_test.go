package demo_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/cmd/cotenant/internal/demo"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/manage"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// asCommand has the test binary run the command line in place of the tests.
const asCommand = "COTENANT_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	testdb.Main(m)
}

// command is the command line as a process of its own.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(append(os.Environ(), asCommand+"=1"), env...)
	return cmd
}

// run is the command line of cotenant, with demo alone.
func run(args []string, stdout, stderr io.Writer) int {
	return manage.Main(manage.Config{Args: args, Commands: []*cobra.Command{demo.Command()}, Stderr: stderr, Stdout: stdout})
}

// here runs the command line in this process.
func here(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

// The transcript of a server that was started for it, and of one that was there:
// they are what the README shows.
func TestOnce(t *testing.T) {
	t.Parallel()

	readme, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "```console\n")
	shown, _, _ = strings.Cut(shown, "\nServing ")

	there := []string{"DATABASE_URL=" + testdb.New(t)}
	for name, env := range map[string][]string{"started": {"DATABASE_URL="}, "there": there} {
		if got := once(t, env); steady(got) != steady(shown) {
			t.Errorf("%s: it printed\n%s\nand README.md shows\n%s", name, steady(got), steady(shown))
		}
	}
	again := once(t, there)
	for _, want := range []string{`tenant "tenant1" is there from an earlier run`, "order 2 taken"} {
		if !strings.Contains(again, want) {
			t.Errorf("again: no %q in\n%s", want, again)
		}
	}
}

// once is the transcript.
func once(t *testing.T, env []string) string {
	t.Helper()
	cmd := command(t, env, "demo", "--once")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() != 0 {
		t.Fatalf("%v\n%s\n%s", err, out, &stderr)
	}
	return string(out)
}

// steady takes out of a transcript what differs from run to run.
func steady(transcript string) string {
	for pattern, steady := range map[string]string{
		`localhost:\d+`:      "localhost:8080",
		`in \d+ ms`:          "in 20 ms",
		`(?m)^PostgreSQL .*`: "PostgreSQL",
	} {
		transcript = regexp.MustCompile(pattern).ReplaceAllString(transcript, steady)
	}
	return transcript
}

// Until it is interrupted the demo serves; then it ends with status 0 and leaves
// no process.
func TestInterrupt(t *testing.T) {
	t.Parallel()

	cmd := command(t, []string{"DATABASE_URL="}, "demo", "--addr", "localhost:0")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	serving := regexp.MustCompile(`^Serving http://tenant1\.localhost:(\d+),`)
	var port string
	for port == "" && lines.Scan() {
		if match := serving.FindStringSubmatch(lines.Text()); match != nil {
			port = match[1]
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "tenant2.localhost"
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || !strings.Contains(string(body), "Touring bike") {
		t.Errorf("GET /: %s, %v", body, err)
	}

	children := descendants(t, cmd.Process.Pid)
	if len(children) == 0 {
		t.Error("the demo has no processes below it: the test looks in the wrong place")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest := ""
	for lines.Scan() {
		rest += lines.Text() + "\n"
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after the interrupt: %v", err)
	}
	if !strings.Contains(rest, "Stopping.") {
		t.Errorf("after the interrupt it printed %q", rest)
	}
	for _, pid := range children {
		if name := processName(pid); name != "" {
			t.Errorf("process %d, %s, is left", pid, name)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tt := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"demo", "--addr", taken.Addr().String()}, 1, []string{"address already in use", "--addr"}},
		{[]string{"demo", "--addr", "nowhere"}, 2, []string{"nowhere", "--addr"}},
		{[]string{"demo", "--onec"}, 2, []string{"--onec"}},
		{[]string{"demo", "extra"}, 2, []string{"extra"}},
		{[]string{"dmeo"}, 2, []string{"dmeo", "did you mean demo?"}},
	} {
		code, stdout, stderr := here(t, tt.args...)
		if code != tt.code || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, stdout %q, stderr %q", tt.args, code, stdout, stderr)
		}
		for _, want := range tt.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%q: %q; want %q", tt.args, stderr, want)
			}
		}
	}
	cmd := command(t, []string{"DATABASE_URL=postgres://127.0.0.1:1/x"}, "demo", "--once")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || strings.Count(string(out), "\n") > 2 || !strings.Contains(string(out), "DATABASE_URL") {
		t.Errorf("with a database that does not answer: %v\n%s", err, out)
	}
	if code, stdout, _ := here(t, "--help"); code != 0 || !strings.Contains(stdout, "demo") {
		t.Errorf("--help: status %d, %s", code, stdout)
	}
}

// A database with the tenancy of somebody else is refused, and left as it was: one with other
// tenants, with other apps, and with apps of the same names.
func TestForeignTenancy(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		shared, tenant string // their apps
		tenants        []string
		want           string
	}{
		"tenants":     {tenants: []string{"acme"}, want: "tenant acme"},
		"apps":        {shared: "prices", want: "prices/0001_initial in schema public"},
		"same name":   {shared: "customers", want: "schema public: "},
		"same tenant": {tenant: "orders", tenants: []string{"tenant1"}, want: "orders/0001_initial in schema tenant1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := testdb.New(t)
			theirs(t, address, c.shared, c.tenant, c.tenants)
			before := contents(t, address)
			cmd := command(t, []string{"DATABASE_URL=" + address}, "demo", "--once")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			_ = cmd.Run()
			if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), "not the demo's: "+c.want) || !strings.Contains(stderr.String(), "unset DATABASE_URL") {
				t.Errorf("status %d, %s", cmd.ProcessState.ExitCode(), &stderr)
			}
			if after := contents(t, address); after != before {
				t.Errorf("before there was\n%s\nand after\n%s", before, after)
			}
		})
	}
}

// theirs makes the tenancy of somebody else.
func theirs(t *testing.T, address, shared, own string, tenants []string) {
	t.Helper()
	config := &cotenant.Config{DatabaseURL: address}
	files := fstest.MapFS{}
	for _, app := range []string{shared, own} {
		files[app+"/migrations/0001_initial.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE plans (id int PRIMARY KEY)")}
	}
	if shared != "" {
		config.SharedApps = migrate.Dirs(files, shared)
	}
	if own != "" {
		config.TenantApps = migrate.Dirs(files, own)
	}
	tenancy, err := cotenant.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer tenancy.Close()
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range tenants {
		if _, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema(name)}); err != nil {
			t.Fatal(err)
		}
	}
}

// contents are the columns of all tables, and the tenants.
func contents(t *testing.T, address string) (text string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	const query = `SELECT concat_ws(E'\n', (SELECT string_agg(attrelid::regclass || ' ' || attname, E'\n' ORDER BY attrelid::regclass::text, attnum) FROM pg_attribute WHERE attrelid > 16384),
		(SELECT string_agg(schema_name, ' ' ORDER BY id) FROM cotenant.tenants))`
	if err := conn.QueryRow(t.Context(), query).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}
