package doctor_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/doctor"
	"github.com/cotenant/cotenant/internal/devpg"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant"
)

// ownServer starts a server for one test, which it may make ill. Where the tests are to use
// somebody else's, the test is skipped.
func ownServer(t *testing.T, dir string, settings map[string]string) *devpg.Server {
	t.Helper()
	bin := os.Getenv("COTENANT_TEST_POSTGRES")
	if os.Getenv("DATABASE_URL") != "" && bin == "" {
		t.Skip("somebody else's server")
	}
	s, err := devpg.Start(t.Context(), &devpg.Options{BinDir: bin, Dir: dir, Fast: true, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// A server with little room: for locks and connections, without autovacuum.
func TestServer(t *testing.T) {
	t.Parallel()
	s := ownServer(t, "", map[string]string{
		"autovacuum": "off", "max_connections": "30", "max_locks_per_transaction": "10", "max_prepared_transactions": "5",
	})
	c := newClinic(t, s.URL(), "acme", "globex")
	c.config.MaxConns, c.config.Processes = 10, 3
	healthy := c.examine(t)
	nothingElse(t, healthy, "autovacuum-off", "connections")
	noticed(t, healthy, "autovacuum-off", doctor.Warning, "autovacuum = on")
	noticed(t, healthy, "connections", doctor.Warning, "3 processes", "may open 30 connections", "max_connections is 30, of which 3 are reserved")

	c.execute(t, "SET ROLE cotenant_migrator")
	for range 10 { // in one transaction they would not fit
		c.execute(t, "DO $$ BEGIN FOR i IN 1..60 LOOP EXECUTE format('CREATE TABLE globex.t%s (id int PRIMARY KEY, name text)', (SELECT count(*) FROM pg_tables)); COMMIT; END LOOP; END $$")
	}
	c.execute(t, "RESET ROLE")
	func() { // with its end what a session counted is known
		conn, err := pgx.Connect(t.Context(), c.url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		_, err = conn.Exec(t.Context(), `DO $$ BEGIN FOR i IN 1..40 LOOP
			EXECUTE 'CREATE TABLE wide (' || (SELECT string_agg(format('c%s int', n), ', ') FROM generate_series(1, 1500) AS n) || ')'; DROP TABLE wide; COMMIT; END LOOP; END $$`)
		if err != nil {
			t.Fatal(err)
		}
	}()
	until(t, func() bool {
		return c.one(t, "SELECT pg_stat_get_dead_tuples('pg_attribute'::regclass) > 55000") == "true"
	})
	c.execute(t, "CREATE TABLE public.t (id int)", "BEGIN", "INSERT INTO public.t VALUES (1)", "PREPARE TRANSACTION 'it''s open'", "DROP TABLE IF EXISTS public.u",
		"SELECT pg_create_physical_replication_slot('gone_standby', true)")
	idle := connect(t, c.url)
	if _, err := idle.Exec(t.Context(), "SET application_name = 'sleepy'; BEGIN; SELECT count(*) FROM acme.orders", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	for c.one(t, "SELECT sum(numbackends) >= 25 FROM pg_stat_database") != "true" {
		connect(t, c.url)
	}
	c.config.Patience = time.Microsecond
	report := c.examine(t)
	noticed(t, report, "locks-of-tenant", doctor.Warning, `schema "globex"`, "max_locks_per_transaction = ")
	noticed(t, report, "locks-of-dump", doctor.Warning, "pg_dump", "max_locks_per_transaction = ")
	noticed(t, report, "catalog-bloat", doctor.Warning, `pg_catalog."pg_attribute"`, "rows are dead", "VACUUM")
	noticed(t, report, "prepared-transaction", doctor.Warning, `"it's open"`, "ROLLBACK PREPARED 'it''s open'")
	noticed(t, report, "replication-slot", doctor.Warning, `"gone_standby"`, "pg_drop_replication_slot('gone_standby')")
	noticed(t, report, "transaction-old", doctor.Warning, "(sleepy)", "and idle", "pg_terminate_backend")
	noticed(t, report, "connections-in-use", doctor.Warning, "of 27 connections are taken")
	nothingElse(t, report, "autovacuum-off", "connections", "locks-of-tenant", "locks-of-dump", "catalog-bloat", "prepared-transaction", "replication-slot", "transaction-old", "connections-in-use")

	// It is as was said: the tenant cannot be dropped.
	fails(t, c, "DROP SCHEMA globex CASCADE", "53200")
	// What one is patient with is not told.
	c.config.Patience = time.Hour
	silent(t, c.examine(t), "prepared-transaction", "transaction-old")
}

// The estimate of the locks that DROP SCHEMA CASCADE takes is what it takes.
func TestLocksOfTenant(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme", "globex")
	c.execute(
		t, "SET search_path = globex", "DO $$ BEGIN FOR i IN 1..20 LOOP EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, parent int REFERENCES orders, name text, at timestamptz DEFAULT now(), CHECK (parent > 0))', i); END LOOP; END $$",
		"CREATE VIEW v AS SELECT * FROM t1", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE TYPE mood AS ENUM ('good')", "CREATE DOMAIN d AS int CHECK (VALUE > 0)",
		"CREATE MATERIALIZED VIEW m AS SELECT * FROM t2", "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id)", "CREATE TABLE p1 PARTITION OF p DEFAULT", "RESET search_path",
	)
	schema, want, err := doctor.LocksOfLargest(t.Context(), c.config)
	if err != nil || schema != "globex" {
		t.Fatalf("%q, %v", schema, err)
	}
	c.execute(t, "BEGIN", "DROP SCHEMA globex CASCADE")
	got := 0
	if err := c.admin.QueryRow(t.Context(), "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype IN ('relation', 'object')").Scan(&got); err != nil {
		t.Fatal(err)
	}
	c.execute(t, "ROLLBACK")
	if got < want*9/10 || got > want*11/10 {
		t.Errorf("%d locks, and %d were told", got, want)
	}
}

// A large catalog is told with what takes up most of it.
func TestCatalogSize(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme")
	found, err := doctor.CatalogOver(t.Context(), c.config, 1<<20)
	if err != nil || len(found) != 1 || found[0].Severity != doctor.Note || !strings.Contains(found[0].Message, "pg_attribute ") || !strings.Contains(found[0].Message, "kB: ") {
		t.Errorf("%+v, %v", found, err)
	}
}

// The age of the oldest transaction, where the server begins to be in a hurry at once.
func TestTransactionIDs(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme")
	c.config.Connect = func(ctx context.Context) (*pgx.Conn, error) {
		conn, err := c.tenancy.Connect(ctx)
		if err == nil {
			_, err = conn.Exec(ctx, "SET vacuum_failsafe_age = 0")
		}
		return conn, err
	}
	c.execute(t, "SELECT pg_current_xact_id()", "SELECT pg_current_xact_id()")
	noticed(t, c.examine(t), "transaction-ids", doctor.Error, "oldest transaction id", "VACUUM (FREEZE)")
}

// The time-outs that the login has are those of its sessions to come.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	address := testdb.New(t)
	c := newClinic(t, address, "acme")
	if found := of(c.examine(t), "timeouts"); len(found) != 2 || found[0].Severity != doctor.Note || !strings.Contains(found[0].Cure, "SET lock_timeout = '5s'") {
		t.Errorf("%+v", found)
	}
	database := c.admin.Config().Database
	c.execute(t, "ALTER DATABASE "+database+" SET lock_timeout = '5s'", "ALTER DATABASE "+database+" SET idle_in_transaction_session_timeout = '5min'")
	silent(t, c.examine(t), "timeouts")
}

// A limit of the database's, or of the login's, counts where it is the lowest.
func TestConnectionLimits(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme")
	database := c.admin.Config().Database
	c.execute(t, "ALTER DATABASE "+database+" CONNECTION LIMIT 15")
	noticed(t, c.examine(t), "connections", doctor.Warning, "CONNECTION LIMIT 15", "1 process")
	c.config.MaxConns = 15
	silent(t, c.examine(t), "connections")
}

// A pooler on the way of migrations, and a mode for one that is not there.
func TestPooler(t *testing.T) {
	t.Parallel()
	address := testdb.New(t)
	pooled := testdb.PgBouncer(t, address, "transaction")
	c := clinicWith(t, cotenant.Config{DatabaseURL: pooled, DirectURL: address, DB: &pgxtenant.Config{Mode: pgxtenant.Transaction}}, "acme")
	report := c.examine(t)
	silent(t, report, "pooler")
	nothingElse(t, report)

	c.config.Connect = func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, pooled) }
	noticed(t, c.examine(t), "pooler", doctor.Error, "the way of migrations", "pools transactions", "direct_url")

	conn := connect(t, pooled) // nothing is left in the pooler's sessions
	for range 3 {
		var path, only string
		if err := conn.QueryRow(t.Context(), "SELECT current_setting('search_path'), current_setting('transaction_read_only')", pgx.QueryExecModeExec).Scan(&path, &only); err != nil || path != `"$user", public` || only != "off" {
			t.Errorf("%s, read only %s, %v", path, only, err)
		}
	}

	without := clinicWith(t, cotenant.Config{DatabaseURL: testdb.New(t), DB: &pgxtenant.Config{Mode: pgxtenant.Transaction}})
	noticed(t, without.examine(t), "pooler", doctor.Note, "there is no pooler")
}

// A standby is examined, and not mended.
func TestStandby(t *testing.T) {
	t.Parallel()
	parent, err := os.MkdirTemp("", "cotenant-doctor") //nolint:usetesting // t.TempDir is closed to whoever runs the server for root
	if err == nil {
		err = os.Chmod(parent, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(parent) })
	dir := filepath.Join(parent, "data")
	s := ownServer(t, dir, nil)
	c := newClinic(t, s.URL(), "acme")
	c.execute(t, "INSERT INTO cotenant.schema_versions VALUES (4711, 1, 'd')")
	c.tenancy.Close()
	c.admin.Close(t.Context())
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	var signal string
	_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error {
		if filepath.Base(path) == "PG_VERSION" && signal == "" {
			signal = filepath.Join(filepath.Dir(path), "standby.signal")
		}
		return nil
	})
	if err := os.WriteFile(signal, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s = ownServer(t, dir, nil)
	config := &doctor.Config{Connect: func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, s.URL()) }}
	report, err := doctor.Examine(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	noticed(t, report, "standby", doctor.Note, "the primary")
	noticed(t, report, "version-without-tenant", doctor.Note)
	nothingElse(t, report)
	if err := doctor.Fix(t.Context(), config, report, func(doctor.Fixed) {}); err == nil || !strings.Contains(err.Error(), "standby") {
		t.Errorf("%v", err)
	}
}

// What cannot be examined is refused in one line.
func TestRefused(t *testing.T) {
	t.Parallel()
	address := testdb.New(t)
	connect := func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, address) }
	failed := errors.New("no")
	for _, tt := range []struct {
		config *doctor.Config
		want   []string
	}{
		{nil, []string{"Config.Connect is not set"}},
		{&doctor.Config{Connect: connect}, []string{"is no tenancy", "cotenant migrate"}},
		{&doctor.Config{Connect: connect, Patience: -1}, []string{"negative"}},
		{&doctor.Config{Connect: connect, Skip: []string{"timeout"}}, []string{`no check "timeout"`, "timeouts"}},
		{&doctor.Config{Connect: func(context.Context) (*pgx.Conn, error) { return nil, failed }}, []string{"connect: no"}},
	} {
		_, err := doctor.Examine(t.Context(), tt.config)
		if err == nil {
			t.Errorf("%+v: no error", tt.config)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("no %q in %q", want, err)
			}
		}
	}
}

// A check that costs the session is said, and the others go on with another one.
func TestSessionLost(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme")
	c.execute(t, "CREATE SCHEMA theirs", "CREATE FUNCTION theirs.kill() RETURNS boolean LANGUAGE sql AS 'SELECT pg_terminate_backend(pg_backend_pid())'",
		"CREATE VIEW theirs.domains AS SELECT domain, tenant_id, is_primary FROM cotenant.domains WHERE theirs.kill()", "UPDATE cotenant.tenants SET schema_name = 'gone' WHERE schema_name = 'acme'",
		"DELETE FROM cotenant.schema_versions WHERE tenant_id > 0")
	c.config.DomainsTable = pgx.Identifier{"theirs", "domains"}
	report := c.examine(t)
	noticed(t, report, "domain-ambiguous", doctor.Warning, "could not be checked", "terminat")
	noticed(t, report, "tenant-without-schema", doctor.Error)
	if report.Checks != len(doctor.Checks()) {
		t.Errorf("%d checks", report.Checks)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := doctor.Examine(ctx, c.config); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// Checks that are not wanted are not made.
func TestSkip(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme")
	c.config.Skip = []string{"timeouts", "pooler"}
	report := c.examine(t)
	silent(t, report, "timeouts")
	if report.Checks != len(doctor.Checks())-2 {
		t.Errorf("%d checks", report.Checks)
	}
	if names := doctor.Checks(); !slices.Contains(names, "index-invalid") || len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
		t.Errorf("%q", names)
	}
}
