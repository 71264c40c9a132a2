package migrate_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// turns counts how often a connection has waited for an answer: a read that brings
// something after a write.
type turns struct {
	net.Conn
	asked atomic.Bool
	n     *atomic.Int64
}

func (c *turns) Write(b []byte) (int, error) {
	c.asked.Store(true)
	return c.Conn.Write(b)
}

func (c *turns) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && c.asked.Swap(false) {
		c.n.Add(1)
	}
	return n, err
}

// counted returns a connection whose turns are counted.
func counted(t *testing.T, url string) (*pgx.Conn, *atomic.Int64) {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	n := &atomic.Int64{}
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return &turns{Conn: conn, n: n}, err
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn, n
}

// built is a site that is ready for creations.
func built(t *testing.T, shared, tenants string, pairs ...string) *site {
	t.Helper()
	s := newSite(t, shared, tenants, pairs...)
	execute(t, s.conn, "CREATE SCHEMA cotenant; CREATE TABLE cotenant.tenants (id bigint PRIMARY KEY, schema_name text NOT NULL)")
	s.sync(t, migrate.SyncOptions{Migrate: true})
	return s
}

// create makes tenants by BuildSchema.
func (s *site) create(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		s.last++
		if err := build(t.Context(), s.migrator(t), s.conn, s.last, name); err != nil {
			t.Fatalf("create %s: %v", name, err)
		}
	}
	execute(t, s.conn, "DISCARD ALL")
}

// refuses wants that a tenant cannot be created, and that nothing of it is left.
func (s *site) refuses(t *testing.T, texts ...string) error {
	t.Helper()
	before := s.snapshot(t, true)
	err := build(t.Context(), s.migrator(t), s.conn, s.last+1, "never")
	has(t, err, texts...)
	s.unchanged(t, before, true)
	return err
}

// A schema is built in one turn, however much there is in it, and has the digest of one
// that was migrated there.
func TestCreation(t *testing.T) {
	t.Parallel()

	s := built(t, "base", "shop crm doc",
		"base/migrations/1_x.sql", "CREATE TABLE plans (id int PRIMARY KEY)",
		"shop/schema.sql", "CREATE TABLE a (id int PRIMARY KEY, plan int REFERENCES plans);\nCREATE INDEX a_plan ON a (plan);\nINSERT INTO a VALUES (1);",
		"shop/migrations/1_a.sql", "CREATE TABLE other (id int)", "shop/migrations/2_b.sql", "ALTER TABLE other RENAME TO a",
		"crm/schema.sql", "CREATE TABLE people (id int)",
		"doc/migrations/1_d.sql", "CREATE TABLE d (id int)", "doc/migrations/2_e.sql", "CREATE INDEX CONCURRENTLY d_id ON d (id);\nVACUUM d;")
	m := s.migrator(t)
	conn, n := counted(t, s.url)
	for i, name := range []string{"t1", "t2", "t3"} {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "INSERT INTO cotenant.tenants VALUES ($1, $2)", pgx.QueryExecModeSimpleProtocol, i+1, name); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "CREATE SCHEMA "+name); err != nil {
			t.Fatal(err)
		}
		before := n.Load()
		if err := m.BuildSchema(t.Context(), tx, &tenant.Tenant{ID: int64(i + 1), Schema: tenant.MustParseSchema(name)}); err != nil {
			t.Fatal(err)
		}
		// The first two times the program has to look at what it does not know yet.
		if got := n.Load() - before; i == 2 && got != 1 {
			t.Errorf("the creation of %s took %d turns", name, got)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.last = 3
	s.add(t, "migrated")
	s.sync(t, migrate.SyncOptions{Migrate: true, RunOptions: schemas("migrated")})
	for _, name := range []string{"t1", "t3", "migrated"} {
		s.is(t, name, "a d people", "crm/schema.sql doc/1_d doc/2_e shop/1_a* shop/2_b* shop/schema.sql")
	}
	if got := column(t, s.conn, "SELECT DISTINCT digest FROM cotenant.schema_versions WHERE tenant_id > 0"); len(got) != 1 {
		t.Errorf("digests: %q", got)
	}
	if got := column(t, s.conn, "SELECT indexname::text FROM pg_indexes WHERE schemaname = 't1' AND indexname IN ('a_plan', 'd_id')"); len(got) != 2 {
		t.Errorf("indexes: %q", got)
	}
	adds(t, s.sync(t, migrate.SyncOptions{Migrate: true}), 0, 0, 0, 5)
	adds(t, s.sync(t, migrate.SyncOptions{Migrate: true, RunOptions: migrate.RunOptions{Verify: true}}), 0, 0, 0, 5)
}

// By a setting the migrations run in place of schema.sql.
func TestCreationRunsMigrations(t *testing.T) {
	t.Parallel()

	s := built(t, "", "shop", "shop/schema.sql", "CREATE TABLE a (id int)",
		"shop/migrations/1_a.sql", "CREATE TABLE a (id int)", "shop/migrations/2_b.sql", "CREATE TABLE trace (id int)")
	s.config.CreationRunsMigrations = true
	s.create(t, "acme")
	s.add(t, "beta")
	s.migrate(t, migrate.MigrateOptions{})
	for _, name := range []string{"acme", "beta"} {
		s.is(t, name, "a trace", "shop/1_a shop/2_b")
	}
	s.config.CreationRunsMigrations = false
	s.create(t, "later")
	s.is(t, "later", "a", "shop/1_a* shop/2_b* shop/schema.sql")
	adds(t, s.migrate(t, migrate.MigrateOptions{}), 0, 0, 0, 4)
}

// Go migrations run at creation, in their place among the files, in the schema and on its
// path; what they do to the session is undone for the next.
func TestCreationWithGoMigrations(t *testing.T) {
	t.Parallel()

	fail := false
	s := built(t, "", "")
	s.config.TenantApps = []migrate.App{{Name: "shop", FS: files("migrations/1_a.sql", "CREATE TABLE a (id int)", "migrations/3_c.sql", "CREATE TABLE c AS SELECT * FROM b"), Migrations: []migrate.Migration{
		{Name: "2_b", Up: func(ctx context.Context, tx pgx.Tx) error {
			who, err := tenant.FromContext(ctx)
			if err != nil {
				return err
			}
			if fail {
				return errors.New("it is meant to fail")
			}
			_, err = tx.Exec(ctx, "CREATE TABLE b AS SELECT $1::text AS schema FROM (SELECT 1) AS s LEFT JOIN a ON true", pgx.QueryExecModeExec, who.Schema.String())
			return err
		}},
	}}}
	s.create(t, "acme")
	s.is(t, "acme", "a b c", "shop/1_a shop/2_b shop/3_c")
	if got := column(t, s.conn, "SELECT schema FROM acme.c"); !slices.Equal(got, []string{"acme"}) {
		t.Errorf("c: %q", got)
	}
	fail = true
	s.refuses(t, "migration 2_b of app shop", `schema "never"`, "it is meant to fail")
	// One that leads away from the schema is undone.
	s.config.TenantApps[0].Migrations[0].Up = func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SET LOCAL search_path = public")
		return err
	}
	s.refuses(t, "migration 2_b of app shop", "search path")
}

// The keys to shared tables come last: what is slow does not hold the locks on them.
func TestCreationAddsKeysLast(t *testing.T) {
	t.Parallel()

	s := built(t, "base", "shop crm",
		"base/migrations/1_x.sql", "CREATE TABLE plans (id int PRIMARY KEY)",
		"shop/schema.sql", `CREATE TABLE a (id int PRIMARY KEY, plan int);
ALTER TABLE ONLY a ADD CONSTRAINT a_plan FOREIGN KEY (plan) REFERENCES plans (id);
CREATE TABLE locks_then AS SELECT l.mode FROM pg_catalog.pg_locks AS l WHERE l.relation = 'plans'::regclass AND l.pid = pg_catalog.pg_backend_pid();`,
		"crm/schema.sql", `CREATE TABLE locks_later AS SELECT l.mode FROM pg_catalog.pg_locks AS l WHERE l.relation = 'plans'::regclass AND l.pid = pg_catalog.pg_backend_pid();`)
	s.create(t, "acme")
	if got := column(t, s.conn, "SELECT mode FROM acme.locks_then UNION ALL SELECT mode FROM acme.locks_later"); slices.ContainsFunc(got, func(mode string) bool { return mode != "AccessShareLock" }) {
		t.Errorf("locks on the shared table: %q", got)
	}
	if got := column(t, s.conn, "SELECT conname::text FROM pg_constraint WHERE conrelid = 'acme.a'::regclass AND contype = 'f'"); !slices.Equal(got, []string{"a_plan"}) {
		t.Errorf("keys: %q", got)
	}
}

// An older program creates no tenants beside newer ones, and leaves nothing.
func TestCreationByOlderProgram(t *testing.T) {
	t.Parallel()

	s := built(t, "base", "shop",
		"base/migrations/1_x.sql", "CREATE TABLE x (id int)",
		"shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	s.create(t, "t1", "t2", "t3")
	older := *s
	older.fsys = files("base/migrations/1_x.sql", "CREATE TABLE x (id int)", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	running := older.migrator(t) // a program that has created tenants before
	for i, name := range []string{"t4", "t5"} {
		if err := build(t.Context(), running, s.conn, int64(i+4), name); err != nil {
			t.Fatal(err)
		}
	}
	s.last, older.last = 5, 5

	s.write("base/migrations/2_y.sql", "CREATE TABLE y (id int)")
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("public")})
	newer := func(err error) {
		t.Helper()
		if !errors.Is(err, migrate.ErrNewer) {
			t.Errorf("%v is not ErrNewer", err)
		}
	}
	newer(older.refuses(t, "this program is older than the database, and what it creates would lack what others have (create tenants with the newer program): public: ", "base/2_y"))
	before := s.snapshot(t, true)
	err := build(t.Context(), running, s.conn, 6, "never")
	newer(err)
	s.unchanged(t, before, true)

	// A tenant that goes ahead of the others is not all of the database.
	older.write("base/migrations/2_y.sql", "CREATE TABLE y (id int)")
	s.write("shop/migrations/2_b.sql", "CREATE TABLE b (id int)")
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("t3")})
	older.create(t, "t6")
	s.last = older.last
	s.migrate(t, migrate.MigrateOptions{})
	older.last++
	newer(older.refuses(t, "this program is older than the database", `: most tenants, such as "t`, "shop/2_b"))
	s.create(t, "t7")
	s.is(t, "t7", "a b", "shop/1_a shop/2_b")
	// A tenant that is gone says nothing.
	execute(t, s.conn, "DROP SCHEMA t1, t2, t3, t4, t5, t6, t7 CASCADE; DELETE FROM cotenant.tenants")
	older.last = 10
	older.create(t, "t8")
}

// A tenant is not created where public lacks what its apps require.
func TestCreationBeforeSharedApps(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop", "base/migrations/1_x.sql", "CREATE TABLE x (id int)",
		"shop/schema.sql", "CREATE TABLE a (id int)", "shop/migrations/1_a.sql", "-- cotenant:requires base/2_y\nCREATE TABLE a (id int)",
		"base/migrations/2_y.sql", "CREATE TABLE y (id int)")
	execute(t, s.conn, "CREATE SCHEMA cotenant; CREATE TABLE cotenant.tenants (id bigint PRIMARY KEY, schema_name text NOT NULL)")
	s.refuses(t, `schema "never"`, "migrate the shared apps first")
	s.migrate(t, migrate.MigrateOptions{App: "base", Target: "1_x"})
	s.refuses(t, "shop/1_a requires base/2_y", "migrate the shared apps first")
	s.migrate(t, migrate.MigrateOptions{})
	s.create(t, "acme")
	s.is(t, "acme", "a", "shop/1_a* shop/schema.sql")
}

// A statement that fails at creation is named with its line.
func TestCreationThatFails(t *testing.T) {
	t.Parallel()

	s := built(t, "", "shop crm", "shop/schema.sql", "CREATE TABLE a (id int)", "crm/migrations/1_x.sql", "CREATE TABLE x (id int)")
	s.write("crm/migrations/1_x.sql", "CREATE TABLE x (\n\tid itn\n)")
	err := s.refuses(t, "crm/migrations/1_x.sql:2", `schema "never"`, `type "itn" does not exist`)
	var stmtErr *migrate.StatementError
	if !errors.As(err, &stmtErr) {
		t.Errorf("%v is no StatementError", err)
	}
	s.write("crm/migrations/1_x.sql", "DO $$BEGIN PERFORM pg_catalog.set_config('search_path', 'public', true); END$$;")
	s.refuses(t, "crm/migrations/1_x.sql", "search path")
}
