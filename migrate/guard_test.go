package migrate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// guarded is a site with a migrator role of its own and a login that migrates.
type guarded struct {
	*site
	login string // its URL
	role  string
	name  string // of the login
}

// newGuarded makes a site with what tenants share. The login has the attributes; super is
// the superuser of the server.
func newGuarded(t *testing.T, attributes string) *guarded {
	t.Helper()
	s := newSite(t, "base", "shop",
		"base/migrations/1_shared.sql", `CREATE TABLE plans (id int PRIMARY KEY, name text); INSERT INTO plans VALUES (1, 'free');
			CREATE TYPE mood AS ENUM ('sad'); CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n'; CREATE SEQUENCE numbers;
			CREATE VIEW names AS SELECT name FROM plans`,
		"shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	execute(t, s.conn, "CREATE SCHEMA cotenant; CREATE TABLE cotenant.tenants (id bigint PRIMARY KEY, schema_name text NOT NULL)")
	g := &guarded{site: s, login: s.url, role: testdb.RoleName(t, s.url), name: s.conn.Config().User}
	s.config.MigratorRole = g.role
	if attributes != "super" {
		g.login = testdb.Role(t, s.url, attributes)
		config, err := pgx.ParseConfig(g.login)
		if err != nil {
			t.Fatal(err)
		}
		g.name = config.User
		execute(t, s.conn, "GRANT CREATE ON SCHEMA public TO "+g.name)
		execute(t, s.conn, "ALTER SCHEMA cotenant OWNER TO "+g.name)
		execute(t, s.conn, "ALTER TABLE cotenant.tenants OWNER TO "+g.name)
	}
	execute(t, s.conn, "REVOKE CREATE ON SCHEMA public FROM PUBLIC") // as it is from PostgreSQL 15 on
	return g
}

// create makes a tenant as the registry does, by BuildSchema.
func (g *guarded) create(t *testing.T, names ...string) {
	t.Helper()
	conn := connect(t, g.login)
	for _, name := range names {
		g.last++
		if err := build(t.Context(), g.migrator(t), conn, g.last, name); err != nil {
			t.Fatal(err)
		}
	}
}

// build creates a tenant's schema over a connection.
func build(ctx context.Context, m migrator, conn *pgx.Conn, id int64, name string) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO cotenant.tenants VALUES ($1, $2)", id, name); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{name}.Sanitize()); err != nil {
			return err
		}
		return m.BuildSchema(ctx, tx, &tenant.Tenant{ID: id, Schema: tenant.MustParseSchema(name)})
	})
}

// run migrates as the login.
func (g *guarded) run(t *testing.T) (*migrate.Report, error) {
	t.Helper()
	return g.fleetOver(t, g.login).Migrate(t.Context(), nil)
}

// unread puts a statement where no reader of the file sees what it is.
func unread(sql string) string {
	return "DO $do$ BEGIN EXECUTE $sql$" + sql + "$sql$; END $do$;\n"
}

// logins are the kinds of login that the guard is for.
func logins() []string { return []string{"super", "CREATEROLE"} }

// What a tenant's migration does to what is shared fails, rolls that back, and is named
// with the cure.
func TestGuard(t *testing.T) {
	t.Parallel()

	harm := []struct{ name, sql string }{
		{"a table in public", unread("CREATE TABLE public.mine (id int)")},
		{"a function in public", unread("CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")},
		{"a column", unread("ALTER TABLE public.plans ADD COLUMN more int")},
		{"a column, through the path", "ALTER TABLE plans ADD COLUMN more int;"},
		{"an index, through the path", "CREATE INDEX ON plans (name);"},
		{"drop", unread("DROP TABLE public.plans CASCADE")},
		{"drop, through the path", "DROP TABLE plans;"},
		{"truncate", "TRUNCATE plans;"},
		{"delete", "DELETE FROM plans;"},
		{"insert", "INSERT INTO plans VALUES (7, 'mine');"},
		{"update", "UPDATE plans SET name = 'mine';"},
		{"a value of an enum", "ALTER TYPE mood ADD VALUE 'glad';"},
		{"a function", "CREATE OR REPLACE FUNCTION public.twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 3 * n';"},
		{"the function of all", unread("CREATE OR REPLACE FUNCTION public.twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 3 * n'")},
		{"a trigger", "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; " + unread("CREATE TRIGGER mine AFTER INSERT ON public.plans EXECUTE FUNCTION f()")},
		{"a sequence", "SELECT nextval('numbers');"},
		{"a role", unread("CREATE ROLE cotenant_test_never")},
		{"a publication", unread("CREATE PUBLICATION mine")},
		{"a schema", unread("CREATE SCHEMA mine")},
		{"the tenants", "DELETE FROM cotenant.tenants;"},
		{"the versions", "UPDATE cotenant.schema_versions SET digest = 'x';"},
		{"a comment", unread("COMMENT ON TABLE public.plans IS 'mine'")},
	}
	for _, login := range logins() {
		t.Run(login, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t, login)
			if report, err := g.run(t); err != nil || report.Unguarded != "" {
				t.Fatalf("%+v, %v", report, err)
			}
			g.create(t, "acme")
			if extension := column(t, g.conn, "SELECT name::text FROM pg_available_extensions WHERE installed_version IS NULL ORDER BY name <> 'citext' LIMIT 1"); len(extension) > 0 {
				harm = append(slices.Clone(harm), struct{ name, sql string }{"an extension", unread("CREATE EXTENSION " + extension[0])})
			}
			for _, h := range harm {
				g.write("shop/migrations/2_harm.sql", "CREATE TABLE b (id int);\n"+h.sql)
				if _, err := migrate.New(&migrate.Config{TenantApps: migrate.Dirs(g.fsys, "shop")}); err != nil {
					g.write("shop/migrations/2_harm.sql", "CREATE TABLE b (id int);\n"+unread(strings.TrimSuffix(h.sql, ";"))) // refused before it runs
				}
				before := g.snapshot(t, true)
				report, err := g.run(t)
				if err == nil {
					t.Errorf("%s: it was done", h.name)
					continue
				}
				has(t, err, "shop/migrations/2_harm.sql:", `schema "acme"`, "SQLSTATE 42501", "tenants' migrations may not change what is shared", "shared app")
				adds(t, report, 0, 1, 0, 1)
				g.unchanged(t, before, true)
				if t.Failed() {
					t.Fatalf("at %s: %v", h.name, err)
				}
			}
		})
	}
}

// What a tenant's migration needs of what is shared works: also of what a shared
// migration has made in the same run, and at creation.
func TestGuardLetsPass(t *testing.T) {
	t.Parallel()

	for _, login := range logins() {
		t.Run(login, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t, login)
			g.write("shop/migrations/1_a.sql", `CREATE TABLE a (id int PRIMARY KEY, plan int REFERENCES plans DEFAULT 1, mood mood, n int DEFAULT twice(1));
				INSERT INTO a (id) SELECT id FROM plans;
				CREATE TABLE names_then AS SELECT * FROM names;
				CREATE VIEW v AS SELECT a.id, p.name FROM a JOIN plans AS p ON p.id = a.plan;`)
			if _, err := g.run(t); err != nil {
				t.Fatal(err)
			}
			g.create(t, "acme", "beta")
			g.is(t, "acme", "a names_then", "shop/1_a")
			g.write("base/migrations/2_more.sql", "CREATE TABLE coupons (id int PRIMARY KEY); CREATE TYPE size AS ENUM ('s')",
				"shop/migrations/2_b.sql", `CREATE TABLE b (id int, coupon int REFERENCES coupons, size size);
				ALTER TABLE a ADD COLUMN coupon int REFERENCES coupons;
				ALTER TABLE a DROP CONSTRAINT a_plan_fkey;
				ALTER TABLE a ADD CONSTRAINT again FOREIGN KEY (plan) REFERENCES plans;
				DROP TABLE names_then;
				CREATE TEMP TABLE stage ON COMMIT DROP AS SELECT * FROM plans;
				GRANT SELECT ON b TO PUBLIC;`,
				"shop/migrations/3_c.sql", "CREATE INDEX CONCURRENTLY a_plan ON a (plan);\nVACUUM a;\nCREATE TABLE c (id int);")
			report, err := g.run(t)
			if err != nil {
				t.Fatal(err)
			}
			adds(t, report, 3, 0, 0, 0)
			g.create(t, "late")
			for _, schema := range []string{"acme", "beta", "late"} {
				g.is(t, schema, "a b c", "shop/1_a shop/2_b shop/3_c")
			}
			owners := column(t, g.conn, "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace IN ('acme'::regnamespace, 'late'::regnamespace)")
			if !slices.Equal(owners, []string{g.role}) {
				t.Errorf("owners: %q, want %q", owners, g.role)
			}
			// A run of public alone gives what it made, too.
			g.write("base/migrations/3_last.sql", "CREATE TABLE last (id int PRIMARY KEY)")
			if _, err := g.fleetOver(t, g.login).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: schemas("public")}); err != nil {
				t.Fatal(err)
			}
			g.write("shop/migrations/4_d.sql", "CREATE TABLE d (id int REFERENCES last)")
			g.create(t, "later")
			g.is(t, "later", "a b c d", "shop/1_a shop/2_b shop/3_c shop/4_d")
		})
	}
}

// A login that may not make the role is told what an administrator has to do; done, the
// guard works.
func TestUnguarded(t *testing.T) {
	t.Parallel()

	g := newGuarded(t, "")
	if _, err := g.run(t); err != nil {
		t.Fatal(err)
	}
	g.create(t, "before")
	g.write("shop/migrations/2_b.sql", "CREATE TABLE b (id int)")
	report, err := g.run(t)
	if err != nil {
		t.Fatal(err)
	}
	cure := func(report *migrate.Report) string {
		_, cure, _ := strings.Cut(report.Unguarded, "administrator: ")
		return strings.TrimSuffix(cure, ")")
	}
	grant := fmt.Sprintf("GRANT %q TO %q", g.role, g.name)
	if column(t, g.conn, "SHOW server_version_num")[0] >= "160000" {
		grant += " WITH INHERIT TRUE, SET TRUE"
	}
	if want := fmt.Sprintf("CREATE ROLE %q; %s", g.role, grant); cure(report) != want {
		t.Fatalf("unguarded: %s; want %s", report.Unguarded, want)
	}
	g.is(t, "before", "a b", "shop/1_a shop/2_b")
	// Half of it is not enough.
	execute(t, g.conn, "CREATE ROLE "+g.role)
	g.write("shop/migrations/3_c.sql", "CREATE TABLE c (id int)")
	if report, err = g.run(t); err != nil {
		t.Fatal(err)
	}
	if cure(report) != grant {
		t.Fatalf("unguarded: %s; want %s", report.Unguarded, grant)
	}
	execute(t, g.conn, cure(report))

	g.write("shop/migrations/4_d.sql", "CREATE TABLE d (id int)")
	report, err = g.run(t)
	if err != nil {
		t.Fatal(err)
	}
	g.is(t, "before", "a b c d", "shop/1_a shop/2_b shop/3_c shop/4_d") // a schema of before goes on without
	if !strings.Contains(report.Unguarded, `schema "before"`) {
		t.Errorf("unguarded: %q, want the schema that is not the role's", report.Unguarded)
	}
	g.create(t, "after")
	g.write("shop/migrations/5_harm.sql", "INSERT INTO plans VALUES (7, 'x')")
	report, err = g.run(t)
	has(t, err, `schema "after"`, "tenants' migrations may not change what is shared")
	adds(t, report, 1, 1, 0, 1)
	if got := column(t, g.conn, "SELECT count(*)::text FROM plans"); got[0] != "2" {
		t.Errorf("%s plans", got[0])
	}
}

// A login that is a member and may still not act as the role is told what lacks.
func TestMemberThatMayNot(t *testing.T) {
	t.Parallel()

	for _, attributes := range []string{"NOINHERIT", "NOINHERIT CREATEROLE"} {
		g := newGuarded(t, attributes)
		execute(t, g.conn, "CREATE ROLE "+g.role)
		if column(t, g.conn, "SHOW server_version_num")[0] >= "160000" {
			execute(t, g.conn, "GRANT "+g.role+" TO "+g.name+" WITH SET FALSE")
		} else {
			execute(t, g.conn, "GRANT "+g.role+" TO "+g.name)
		}
		g.add(t, "acme")
		execute(t, g.conn, "ALTER SCHEMA acme OWNER TO "+g.name)
		report, err := g.run(t)
		if err != nil {
			t.Fatal(err)
		}
		if report.Unguarded == "" {
			t.Error("guarded")
			continue
		}
		_, cure, _ := strings.Cut(report.Unguarded, "administrator: ")
		execute(t, g.conn, strings.TrimSuffix(cure, ")"))
		g.create(t, "beta")
		if got := column(t, g.conn, "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'beta'"); got[0] != g.role {
			t.Errorf("beta is %s's", got[0])
		}
	}
}

// Whoever may create in public is not held back from that, and that is told.
func TestUnguardedPublic(t *testing.T) {
	t.Parallel()

	g := newGuarded(t, "super")
	execute(t, g.conn, "GRANT CREATE ON SCHEMA public TO PUBLIC")
	if _, err := g.run(t); err != nil {
		t.Fatal(err)
	}
	g.create(t, "acme")
	g.write("shop/migrations/2_b.sql", "CREATE TABLE b (id int)")
	report, err := g.run(t)
	if err != nil || !strings.Contains(report.Unguarded, "REVOKE CREATE ON SCHEMA public FROM PUBLIC") {
		t.Fatalf("%+v, %v", report, err)
	}
	execute(t, g.conn, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	g.write("shop/migrations/3_c.sql", "CREATE TABLE c (id int)")
	if report, err := g.run(t); err != nil || report.Unguarded != "" {
		t.Errorf("%+v, %v", report, err)
	}
}

// Another login that is a member of the migrator role uses the tenants' tables, creates
// tenants, and runs migrations in those that the first created, and the other way round.
func TestMembersOfTheMigratorRole(t *testing.T) {
	t.Parallel()

	g := newGuarded(t, "CREATEROLE")
	if _, err := g.run(t); err != nil {
		t.Fatal(err)
	}
	g.create(t, "acme")
	url := testdb.Role(t, g.url)
	app := connect(t, url)
	name := app.Config().User
	execute(t, g.conn, "GRANT "+g.role+" TO "+name)
	execute(t, app, "INSERT INTO acme.a VALUES (1)")
	execute(t, app, "SELECT * FROM public.plans")

	execute(t, g.conn, "GRANT SELECT, INSERT ON cotenant.tenants, cotenant.schema_versions TO "+name)
	g.last++
	if err := build(t.Context(), g.migrator(t), app, g.last, "beta"); err != nil {
		t.Fatal(err)
	}
	g.write("shop/migrations/2_b.sql", "ALTER TABLE a ADD COLUMN b int")
	report, err := g.run(t)
	if err != nil {
		t.Fatal(err)
	}
	adds(t, report, 2, 0, 0, 1)
	if report.Unguarded != "" {
		t.Errorf("unguarded: %s", report.Unguarded)
	}
	execute(t, app, "INSERT INTO acme.a (b) VALUES (1); INSERT INTO beta.a (b) VALUES (1)")
	execute(t, g.conn, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cotenant TO "+name)
	g.write("shop/migrations/3_c.sql", "ALTER TABLE a ADD COLUMN c int")
	report, err = g.fleetOver(t, url).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: schemas("*")})
	if err != nil {
		t.Fatal(err)
	}
	adds(t, report, 2, 0, 0, 0)
}

// A shared table that is newer than the last run is out of the role's reach. Who creates a
// tenant is told what mends that, and it does.
func TestSharedTableSinceTheLastRun(t *testing.T) {
	t.Parallel()

	g := newGuarded(t, "super")
	if _, err := g.run(t); err != nil {
		t.Fatal(err)
	}
	execute(t, g.conn, "CREATE TABLE public.late (id int PRIMARY KEY)")
	g.write("shop/migrations/1_a.sql", "CREATE TABLE a (late int REFERENCES late)")
	err := build(t.Context(), g.migrator(t), connect(t, g.login), 9, "t9")
	has(t, err, "permission denied for table late", "if it only reads a shared table or refers to it, run \"cotenant migrate\"")
	if strings.Contains(err.Error(), "give_all") {
		t.Errorf("%v: the schema is the role's", err)
	}
	if _, err := g.run(t); err != nil {
		t.Fatal(err)
	}
	g.create(t, "t1")
}
