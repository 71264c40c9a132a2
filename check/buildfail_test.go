package check_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/check"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// A file that PostgreSQL refuses is told once, and does not hide what else is wrong.
func TestBuildsGoOn(t *testing.T) {
	t.Parallel()

	p := newProject(t, "base", "shop crm last",
		"base/schema.sql", "CREATE TABLE plans (id int);\nCREATE TABLE more (\n\tid itn\n);",
		"base/migrations/1_a.sql", "CREATE TABLE plans (id int)",
		"shop/schema.sql", "CREATE TABLE a (id int)",
		"shop/migrations/1_a.sql", "CREATE TABLE a (id int)",
		"shop/migrations/2_b.sql", "SELECT 1;\nALTER TABLE aa ADD COLUMN b int",
		"crm/migrations/1_x.sql", "-- cotenant:requires shop/2_b\nCREATE TABLE x (id int)",
		"last/schema.sql", "CREATE TABLE z (id int)",
		"last/migrations/1_z.sql", "CREATE TABLE z (id bigint)")
	p.finds(t,
		`error build-fails base base/schema.sql:3 type "itn" does not exist (SQLSTATE 42704)`,
		`error schema-differs last last/schema.sql:1 column z.id: it is "integer" by schema.sql, and "bigint" by the migrations`,
		`error build-fails shop shop/migrations/2_b.sql:2 relation "aa" does not exist (SQLSTATE 42P01)`)
}

// What requires a shared app that fails is not told beside it.
func TestBuildsGoOnBehindSharedApp(t *testing.T) {
	t.Parallel()

	p := newProject(t, "base", "shop crm",
		"base/migrations/1_a.sql", "CREATE TABLE plans (id itn)",
		"shop/migrations/1_a.sql", "-- cotenant:requires base/1_a\n"+goose("CREATE TABLE a (plan int)", "SELECT 1"),
		"crm/migrations/1_x.sql", "CREATE TABLE x (id int);\nSELECT no")
	p.finds(t,
		`error build-fails base base/migrations/1_a.sql:1 type "itn" does not exist (SQLSTATE 42704)`,
		`error build-fails crm crm/migrations/1_x.sql:2 column "no" does not exist (SQLSTATE 42703)`)
}

// What fails in a function, or changes the search path, is told too.
func TestBuildsFailOtherwise(t *testing.T) {
	t.Parallel()

	p := newProject(t, "", "shop crm",
		"shop/migrations/1_a.sql", "DO $$ BEGIN PERFORM pg_catalog.set_config('search_path', 'public', true); END $$",
		"crm/migrations/1_x.sql", "CREATE TABLE x (id int)")
	p.options.Migrate.TenantApps[1].Migrations = []migrate.Migration{{Name: "2_go", Up: func(context.Context, pgx.Tx) error { return errors.New("not today") }}}
	p.finds(t,
		"error build-fails crm migration 2_go of app crm: not today",
		`error build-fails shop shop/migrations/1_a.sql it changes the search path to "public", which cotenant sets to the schema that the file is for (qualify names instead)`)
}

// All that a new tenant gets is made in one transaction, which some files do not bear.
func TestBuildsCreation(t *testing.T) {
	t.Parallel()

	pairs := []string{
		"shop/migrations/1_a.sql", "CREATE TYPE mood AS ENUM ('sad')",
		"shop/migrations/2_b.sql", "ALTER TYPE mood ADD VALUE 'glad'",
		"shop/migrations/3_c.sql", "\nCREATE TABLE a (m mood DEFAULT 'glad')",
	}
	p := newProject(t, "", "shop", pairs...)
	const want = `error creation-fails shop shop/migrations/3_c.sql:2 a new tenant cannot be created: ` +
		`unsafe use of new value "glad" of enum type mood (SQLSTATE 55P04); New enum values must be committed before they can be used.`
	p.finds(t, want)
	p = newProject(t, "", "shop", append(pairs, "shop/schema.sql", "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE a (m mood DEFAULT 'glad')")...)
	p.finds(t)
	p.options.Migrate.CreationRunsMigrations = true
	p.finds(t, want)
}

// A tenant's names hide those of public, unless the app is in both lists.
func TestBuildsNames(t *testing.T) {
	t.Parallel()

	p := newProject(t, "base both", "both shop",
		"base/schema.sql", "CREATE TABLE users (id serial PRIMARY KEY); CREATE VIEW names AS SELECT 1 AS a; CREATE TYPE mood AS ENUM (); CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE numbers",
		"both/schema.sql", "CREATE TABLE settings (id int)",
		"shop/schema.sql", "CREATE VIEW users AS SELECT 1 AS a; CREATE TABLE names (id int); CREATE DOMAIN mood AS int; CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';"+
			"CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE numbers (users int)")
	p.finds(t,
		`warning hides-shared shop shop/schema.sql:1 domain mood: public has a type mood, too, of app "base"`,
		`warning hides-shared shop shop/schema.sql:1 function f(integer): public has a function f(integer), too, of app "base"`,
		`warning hides-shared shop shop/schema.sql:1 table names: public has a view names, too, of app "base"`,
		`warning hides-shared shop shop/schema.sql:1 table numbers: public has a sequence numbers, too, of app "base"`,
		`warning hides-shared shop shop/schema.sql:1 view users: public has a table users, too, of app "base"`)
}

// Where there is no schema.sql, what is found is in the newest migration that makes it, or
// else in the first.
func TestBuildsNamesOfMigrations(t *testing.T) {
	t.Parallel()

	const f = "CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'"
	p := newProject(t, "base", "shop",
		"base/migrations/1_a.sql", f+"; CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'",
		"shop/migrations/1_a.sql", f, "shop/migrations/2_b.sql", "SELECT 1;\n"+f,
		"shop/migrations/3_c.sql", "DO $$ BEGIN EXECUTE 'CREATE FUNCTION g() RETURNS int LANGUAGE sql AS $f$ SELECT 1 $f$'; END $$")
	p.finds(t,
		`warning hides-shared shop shop/migrations/1_a.sql function g(): public has a function g(), too, of app "base"`,
		`warning hides-shared shop shop/migrations/2_b.sql:2 function f(integer): public has a function f(integer), too, of app "base"`)
}

// login is one of its own, so that what it leaves can be told from what others make.
func login(t *testing.T, p *project, attributes string) {
	t.Helper()
	p.url = testdb.Role(t, p.url, attributes)
}

// leavesNothing wants no database and no role of the login's.
func (p *project) leavesNothing(t *testing.T) {
	t.Helper()
	for _, name := range column(t, pool(t, p.url), `SELECT d.datname::text FROM pg_database AS d JOIN pg_roles AS r ON r.oid = d.datdba WHERE r.rolname = current_user
		UNION ALL SELECT r.rolname::text FROM pg_auth_members AS m JOIN pg_roles AS r ON r.oid = m.roleid JOIN pg_roles AS l ON l.oid = m.member WHERE l.rolname = current_user`) {
		t.Errorf("%s is left", name)
	}
}

// Nothing is left on the server, whatever the end: databases, the migrator role, roles that
// the files make.
func TestBuildsLeaveNothing(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		files    string
		findings string
		end      bool
		want     string
	}{
		"good":        {"CREATE TABLE a (id int); DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '@') THEN CREATE ROLE @; END IF; END $$; GRANT SELECT ON a TO @", "", false, ""},
		"bad":         {"SELECT no", `error build-fails base migration 1_a of app base: column "no" does not exist (SQLSTATE 42703)`, false, ""},
		"interrupted": {"CREATE TABLE a (id int)", "", true, "context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, "base", "shop", "shop/schema.sql", "CREATE TABLE b (id int)")
			login(t, p, "CREATEDB CREATEROLE")
			role := "cotenant_test_of_check_" + strings.ToLower(name)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p.options.Migrate.SharedApps[0] = migrate.App{Name: "base", Migrations: []migrate.Migration{{Name: "1_a", SQL: strings.ReplaceAll(tt.files, "@", role)}}}
			p.options.Migrate.TenantApps[0].Migrations = []migrate.Migration{{Name: "1_b", Down: func(ctx context.Context, tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "DROP TABLE b")
				return err
			}, Up: func(ctx context.Context, tx pgx.Tx) error {
				if tt.end {
					cancel()
					return ctx.Err()
				}
				_, err := tx.Exec(ctx, "CREATE TABLE b (id int)")
				return err
			}}}
			findings, err := check.Builds(ctx, pool(t, p.url), &p.options)
			if got := strings.Join(told(findings), "\n"); got != tt.findings {
				t.Errorf("findings: %s, want %s", got, tt.findings)
			}
			if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !errors.Is(err, context.Canceled)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			p.leavesNothing(t)
			if n := len(column(t, pool(t, p.url), "SELECT rolname::text FROM pg_roles WHERE rolname IN ($1, $2)", role, p.options.Migrate.MigratorRole)); n > 0 {
				t.Errorf("%d roles are left", n)
			}
		})
	}
}

// A migrator role that is there is used as it is, and stays as it was.
func TestBuildsWithMigratorRole(t *testing.T) {
	t.Parallel()

	p := newProject(t, "base", "shop", "base/schema.sql", "CREATE TABLE plans (id int)",
		"shop/schema.sql", "DO $$ BEGIN IF current_user <> 'ROLE' THEN RAISE EXCEPTION 'as %', current_user; END IF; END $$; CREATE TABLE a (id int)")
	role := p.options.Migrate.MigratorRole
	admin := pool(t, p.url)
	login(t, p, "CREATEDB")
	user := column(t, pool(t, p.url), "SELECT current_user::text")[0]
	for _, sql := range []string{"CREATE ROLE " + role, "GRANT " + role + " TO " + user} {
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	p.options.Migrate.TenantApps = []migrate.App{{Name: "shop", Migrations: []migrate.Migration{
		{Name: "1_a", SQL: "DO $$ BEGIN IF current_user <> '" + role + "' THEN RAISE EXCEPTION 'as %', current_user; END IF; END $$; CREATE TABLE a (id int)"},
		{Name: "2_b", SQL: "DROP TABLE plans"},
	}}}
	p.finds(t, `error build-fails shop migration 2_b of app shop: must be owner of table plans (SQLSTATE 42501)`)
	if got := column(t, admin, "SELECT count(*)::text FROM pg_auth_members WHERE roleid = $1::regrole", role); got[0] != "1" {
		t.Errorf("role %s has %s members", role, got[0])
	}
}

// What cannot be done is said with its cure, before anything is made.
func TestBuildsRefused(t *testing.T) {
	t.Parallel()

	p := newProject(t, "", "shop", "shop/schema.sql", "CREATE TABLE a (id int)")
	good := p.url
	login(t, p, "")
	_, err := check.Builds(t.Context(), pool(t, p.url), &p.options)
	if !errors.Is(err, check.ErrMayNotBuild) || !strings.Contains(err.Error(), "CREATEDB") {
		t.Errorf("without CREATEDB: %v", err)
	}
	p.url = good
	p.options.Template = "cotenant_test_nothing"
	_, err = check.Builds(t.Context(), pool(t, p.url), &p.options)
	if err == nil || !strings.Contains(err.Error(), "create the template") {
		t.Errorf("without the template: %v", err)
	}
	p.options.Migrate.TenantApps = append(p.options.Migrate.TenantApps, migrate.App{Name: "No"})
	if _, err = check.Builds(t.Context(), nil, &p.options); err == nil || !strings.Contains(err.Error(), "not a name for an app") {
		t.Errorf("with an app that is none: %v", err)
	}
	p.options.Migrate.TenantApps = nil
	down, err := pgxpool.New(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=5")
	if err != nil {
		t.Fatal(err)
	}
	defer down.Close()
	if _, err = check.Builds(t.Context(), down, &p.options); err == nil || !strings.Contains(err.Error(), "is the server up") {
		t.Errorf("without a server: %v", err)
	}
}

// A template has what the files take for granted.
func TestBuildsFromTemplate(t *testing.T) {
	t.Parallel()

	p := newProject(t, "", "shop", "shop/schema.sql", "CREATE TABLE a (id extra.mood)")
	p.options.Migrate.ExtraSchemas = []tenant.Schema{tenant.MustParseSchema("extra")}
	p.finds(t, `error build-fails shop shop/schema.sql:1 schema "extra" does not exist (SQLSTATE 3F000)`)
	template, err := pgx.Connect(t.Context(), testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := template.Exec(t.Context(), "CREATE SCHEMA extra; CREATE TYPE extra.mood AS ENUM ('sad')"); err != nil {
		t.Fatal(err)
	}
	p.options.Template = template.Config().Database
	if err := template.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.finds(t)
}

// What a killed program has left is dropped a day later.
func TestBuildsDropLeftovers(t *testing.T) {
	t.Parallel()

	p := newProject(t, "", "shop", "shop/schema.sql", "CREATE TABLE a (id int)")
	admin := pool(t, p.url)
	old, young := "cotenant_check_20200102030405_abc_schema", "cotenant_check_29990102030405_abc_schema"
	for _, sql := range []string{"CREATE DATABASE " + old, "CREATE DATABASE " + young, "CREATE ROLE " + old} {
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(context.WithoutCancel(t.Context()), "DROP DATABASE "+young); err != nil {
			t.Error(err)
		}
	})
	var log bytes.Buffer
	p.options.Migrate.Logger = slog.New(slog.NewTextHandler(&log, nil))
	p.finds(t)
	if got := column(t, admin, "SELECT datname::text FROM pg_database WHERE datname IN ($1, $2) UNION ALL SELECT rolname::text FROM pg_roles WHERE rolname = $1", old, young); len(got) != 1 || got[0] != young {
		t.Errorf("left: %q", got)
	}
	if strings.Count(log.String(), old) != 2 {
		t.Errorf("log: %s", &log)
	}
}
