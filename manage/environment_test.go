package manage_test

import (
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
)

// seen is what psql finds by the variables that a program of a tenant gets, and by DATABASE_URL.
type seen struct{ variables, url string }

// see runs psql for acme, twice, in a process that has these variables besides.
func see(t *testing.T, dir, address, sql string, variables ...string) seen {
	t.Helper()
	for _, program := range []string{"psql", "sh"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	script := `psql -XAtc "$1" && psql -X "$DATABASE_URL" -Atc "$1"`
	cmd := cotenantIn(t, dir, address, "tenant_command", "--schema=acme", "--", "sh", "-c", script, "sh", sql)
	cmd.Env = append(cmd.Env, variables...)
	out, err := cmd.CombinedOutput()
	first, second, ok := strings.Cut(strings.TrimSuffix(string(out), "\n"), "\n")
	if err != nil || !ok {
		t.Errorf("%v of %q: %v\n%s", variables, address, err, out)
	}
	return seen{first, second}
}

func both(text string) seen { return seen{text, text} }

// pairsOf is a URL as pairs.
func pairsOf(t *testing.T, address string) string {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	return "host='" + config.Host + "' port=" + pgPort(config) + " user=" + config.User + " dbname = '" + config.Database + "' password='" + strings.ReplaceAll(config.Password, "'", `\'`) + "'"
}

func pgPort(config *pgx.ConnConfig) string { return strconv.Itoa(int(config.Port)) }

// Whatever the connection string and the variables around are, a program gets to where the
// proof was: to the tenant, with the settings that were asked for.
func TestProgramEnvironment(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme")
	with := func(parameters string) string {
		if strings.Contains(address, "?") {
			return address + "&" + parameters
		}
		return address + "?" + parameters
	}
	service := filepath.Join(t.TempDir(), "services")
	if err := os.WriteFile(service, []byte("[elsewhere]\nhost=nowhere.invalid\ndbname=none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const where = "SELECT current_schema(), current_setting('work_mem'), current_setting('application_name')"
	for name, tt := range map[string]struct {
		address   string
		sql       string
		variables []string
		want      string
	}{
		"PGOPTIONS is kept":              {address, where, []string{"PGOPTIONS=-c work_mem=5MB", "PGAPPNAME=mine"}, "acme|5MB|mine"},
		"options of a URL are":           {with("options=-c%20work_mem%3D6MB&application_name=mine"), where, []string{"PGOPTIONS=-c work_mem=5MB"}, "acme|6MB|mine"},
		"options of pairs are":           {pairsOf(t, address) + ` options='-c work_mem=6MB -c myapp.text=it\'s\\\ so' application_name=mine`, "SELECT current_schema(), current_setting('work_mem'), current_setting('myapp.text')", nil, "acme|6MB|it's so"},
		"settings become options":        {with("work_mem=7MB&application_name=mine&statement_timeout=12000"), where, nil, "acme|7MB|mine"},
		"settings of pairs do":           {pairsOf(t, address) + " work_mem=7MB myapp.text='a b\\\\\\\\c'", "SELECT current_schema(), current_setting('work_mem'), current_setting('myapp.text')", nil, `acme|7MB|a b\\c`},
		"pgx's own are left out":         {with("default_query_exec_mode=exec&statement_cache_capacity=7&description_cache_capacity=7&pool_max_conns=3&application_name=mine"), where, []string{"PGOPTIONS=-c work_mem=5MB"}, "acme|5MB|mine"},
		"those of pairs are":             {pairsOf(t, address) + " default_query_exec_mode=exec pool_max_conns=3 application_name='my own'", where, []string{"PGOPTIONS=-c work_mem=5MB"}, "acme|5MB|my own"},
		"a time zone wins over PGTZ":     {with("timezone=Asia/Tokyo"), "SELECT current_schema(), current_setting('timezone')", []string{"PGTZ=UTC"}, "acme|Asia/Tokyo"},
		"PGTZ is kept":                   {address, "SELECT current_schema(), current_setting('timezone')", []string{"PGTZ=Asia/Tokyo"}, "acme|Asia/Tokyo"},
		"PGHOSTADDR leads nowhere":       {address, "SELECT current_schema()", []string{"PGHOSTADDR=192.0.2.1"}, "acme"},
		"nor do a service and its file":  {address, "SELECT current_schema()", []string{"PGSERVICE=elsewhere", "PGSERVICEFILE=" + service}, "acme"},
		"nor PGHOST, PGPORT, PGDATABASE": {address, "SELECT current_schema()", []string{"PGHOST=nowhere.invalid", "PGPORT=1", "PGDATABASE=none", "PGUSER=nobody"}, "acme"},
		"extra schemas are searched":     {address, "SHOW search_path", []string{"COTENANT_EXTRA_SEARCH_PATHS=Extra"}, `"acme",public,"Extra",pg_temp`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := see(t, dir, tt.address, tt.sql, tt.variables...); got != both(tt.want) {
				t.Errorf("psql says %q, and by DATABASE_URL %q, want %q", got.variables, got.url, tt.want)
			}
		})
	}
}

// Programs go to the direct URL, where there is one.
func TestProgramDirect(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme")
	u, err := url.Parse(address)
	if err != nil {
		t.Skip("DATABASE_URL is no URL")
	}
	query := u.Query()
	query.Set("application_name", "direct")
	u.RawQuery = query.Encode()
	if got := see(t, dir, address, "SHOW application_name", "COTENANT_DIRECT_URL="+u.String()); got != both("direct") {
		t.Errorf("it goes to %q, want direct", got)
	}
}

// Of several hosts a program gets the one that was reached, by its name.
func TestProgramHosts(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme")
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, closed, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	several := pairsOf(t, address) + " host='127.0.0.1," + config.Host + "' port=" + closed + "," + pgPort(config)
	for _, attrs := range []string{"any", "read-write", "prefer-standby"} {
		cmd := cotenantIn(t, dir, several+" target_session_attrs="+attrs, "tenant_command", "--schema=acme", "--", "sh", "-c", `echo $PGHOST $PGPORT $PGTARGETSESSIONATTRS; psql -XAtc "SELECT current_schema()"`)
		out, err := cmd.CombinedOutput()
		if want := config.Host + " " + pgPort(config) + " " + attrs + "\nacme\n"; err != nil || string(out) != want {
			t.Errorf("%s: %v\n%swant\n%s", attrs, err, out, want)
		}
	}
}

// What TLS asks of a program is what it asks of us.
func TestProgramTLS(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme")
	service := filepath.Join(t.TempDir(), "services")
	if err := os.WriteFile(service, []byte("[mine]\nsslmode=prefer\nconnect_timeout=7\nsslsni=0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ address, want string }{
		{pairsOf(t, address) + " sslmode=allow sslsni=0 connect_timeout=9 passfile=/nowhere", "allow 0 9 /nowhere\n"},
		{pairsOf(t, address) + " service=mine connect_timeout=9 servicefile='" + service + "'", "prefer 0 9 /around\n"},
	} {
		cmd := cotenantIn(t, dir, tt.address, "tenant_command", "--schema=acme", "--", "sh", "-c", `echo $PGSSLMODE $PGSSLSNI $PGCONNECT_TIMEOUT $PGPASSFILE$PGSERVICE`)
		cmd.Env = append(cmd.Env, "PGSSLMODE=disable", "PGSSLSNI=1", "PGPASSFILE=/around")
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != tt.want {
			t.Errorf("%s: %v\n%swant %s", tt.address, err, out, tt.want)
		}
	}
}

// A program that would not get to the schema is not started.
func TestProgramUnproven(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	dir := project(t, address, "acme")
	if _, err := connect(t, address).Exec(t.Context(), "DROP SCHEMA acme"); err != nil {
		t.Fatal(err)
	}
	out, err := cotenantIn(t, dir, address, "tenant_command", "--schema=acme", "--", "echo", "started").CombinedOutput()
	if err == nil || strings.Contains(string(out), "started") || !strings.Contains(string(out), `schema "acme": a program would not get there by PGOPTIONS (is the schema there?`) {
		t.Errorf("%v\n%s", err, out)
	}
}

// The help's way to dump each schema, and pg_dump by itself, know a schema by its exact name.
func TestProgramDump(t *testing.T) {
	t.Parallel()

	if _, err := exec.LookPath("pg_dump"); err != nil {
		t.Skip(err)
	}
	address := testdb.New(t)
	dir := project(t, address)
	if out, err := cotenantIn(t, dir, address, "tenant", "create", "Big", "--noinput").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	conn := connect(t, address)
	for _, sql := range []string{"CREATE SCHEMA big", "CREATE TABLE big.none (id int)"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	help, err := cotenantIn(t, dir, address, "run", "--help").Output()
	_, example, ok := strings.Cut(string(help), "cotenant run --schema='eu_*' -- ")
	example, _, _ = strings.Cut(example, "\n")
	if err != nil || !ok {
		t.Fatalf("%v\n%s", err, help)
	}
	for _, dump := range []string{example, "pg_dump -f Big.sql"} {
		_ = os.Remove(filepath.Join(dir, "Big.sql"))
		shell := exec.CommandContext(t.Context(), "sh", "-c", filepath.Join(programs(t), "cotenant")+" run --schema='Big' -- "+dump)
		shell.Dir, shell.Env = dir, append(os.Environ(), "DATABASE_URL="+address)
		if out, err := shell.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", dump, err, out)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "Big.sql")); err != nil || !strings.Contains(string(text), `CREATE TABLE "Big".orders`) || strings.Contains(string(text), "none") {
			t.Errorf("%s: %v\n%s", dump, err, text)
		}
	}
}
