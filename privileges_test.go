package cotenant_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// privileges is a database in which a login may nothing at first.
type privileges struct {
	admin   *pgx.Conn
	url     string // of the login
	login   string
	role    string // the migrator's
	fsys    fstest.MapFS
	created int
}

func newPrivileges(t *testing.T) *privileges {
	t.Helper()
	address := testdb.New(t)
	admin, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	p := &privileges{admin: admin, role: testdb.RoleName(t, address), fsys: fstest.MapFS{
		"base/schema.sql":         file("CREATE TABLE plans (id int PRIMARY KEY)"),
		"shop/migrations/1_a.sql": file("CREATE TABLE a (id int, plan int REFERENCES plans)"),
	}}
	t.Cleanup(func() { _ = admin.Close(t.Context()) })
	p.url, p.login = p.newLogin(t, address)
	p.grant(t, "REVOKE CONNECT, TEMPORARY ON DATABASE DATABASE FROM PUBLIC", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	return p
}

// newLogin makes a login that may nothing.
func (p *privileges) newLogin(t *testing.T, address string) (url, name string) {
	t.Helper()
	url = testdb.Role(t, address)
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	p.grant(t, "REVOKE ALL ON DATABASE DATABASE FROM "+config.User)
	return url, config.User
}

// grant executes statements as the administrator, with the names filled in.
func (p *privileges) grant(t *testing.T, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		sql = strings.NewReplacer("DATABASE DATABASE", "DATABASE "+p.admin.Config().Database, "LOGIN", p.login, "MIGRATOR", p.role).Replace(sql)
		if _, err := p.admin.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// use opens the tenancy as a login and calls f.
func (p *privileges) use(t *testing.T, url string, f func(*cotenant.Tenancy) error) error {
	t.Helper()
	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{
		DatabaseURL: url, SharedApps: migrate.Dirs(p.fsys, "base"), TenantApps: migrate.Dirs(p.fsys, "shop"), Migrate: &migrate.Config{MigratorRole: p.role},
	})
	if err != nil {
		return err
	}
	defer tenancy.Close()
	return f(tenancy)
}

// create creates a tenant.
func (p *privileges) create(t *testing.T) func(*cotenant.Tenancy) error {
	t.Helper()
	return func(tenancy *cotenant.Tenancy) error {
		p.created++
		_, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{
			Schema: tenant.MustParseSchema(fmt.Sprintf("t%d", p.created)), Domains: []tenant.Domain{tenant.MustParseDomain(fmt.Sprintf("t%d.example.com", p.created))},
		})
		return err
	}
}

// lacks wants that f is refused for a privilege that is missing, with a text in the error,
// and then grants that.
func (p *privileges) lacks(t *testing.T, url string, f func(*cotenant.Tenancy) error, text string, grants ...string) {
	t.Helper()
	err := p.use(t, url, f)
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "42501" || !strings.Contains(err.Error(), text) {
		t.Errorf("before %q: %v; want %q", grants, err, text)
	}
	p.grant(t, grants...)
}

// works wants that f succeeds.
func (p *privileges) works(t *testing.T, url string, f func(*cotenant.Tenancy) error) {
	t.Helper()
	if err := p.use(t, url, f); err != nil {
		t.Errorf("%v", err)
	}
}

// What the login needs that migrates and creates tenants, line by line: without one of
// them it is refused, and told which.
func TestPrivilegesOfTheMigratingLogin(t *testing.T) {
	t.Parallel()

	p := newPrivileges(t)
	run := func(tenancy *cotenant.Tenancy) error { return tenancy.Migrate(t.Context()) }
	p.lacks(t, p.url, run, "GRANT CONNECT ON DATABASE", "GRANT CONNECT ON DATABASE DATABASE TO LOGIN")
	p.lacks(t, p.url, run, "GRANT CREATE ON DATABASE", "GRANT CREATE ON DATABASE DATABASE TO LOGIN")
	p.lacks(t, p.url, run, `GRANT CREATE ON SCHEMA "public"`, "GRANT CREATE ON SCHEMA public TO LOGIN")
	p.works(t, p.url, run)
	p.works(t, p.url, p.create(t))

	// Shared tables that are another's can be referred to with the privilege for that.
	p.grant(t, "ALTER TABLE public.plans OWNER TO CURRENT_USER", "REVOKE ALL ON public.plans FROM LOGIN")
	p.lacks(t, p.url, p.create(t), "permission denied for table plans", "GRANT REFERENCES ON public.plans TO LOGIN")
	p.works(t, p.url, p.create(t))

	// With the guard, the migrator role needs it.
	p.grant(t, "CREATE ROLE MIGRATOR", "GRANT MIGRATOR TO LOGIN")
	p.works(t, p.url, run)
	p.lacks(t, p.url, p.create(t), "permission denied for table plans", "GRANT SELECT, REFERENCES ON public.plans TO MIGRATOR")
	p.works(t, p.url, p.create(t))
	var owner string
	if err := p.admin.QueryRow(t.Context(), "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = $1", fmt.Sprintf("t%d", p.created)).Scan(&owner); err != nil || owner != p.role {
		t.Errorf("owner: %s, %v", owner, err)
	}
	// Temporary tables in files are a privilege of their own.
	p.fsys["shop/migrations/2_b.sql"] = file("CREATE TEMP TABLE stage AS SELECT 1 AS id")
	p.lacks(t, p.url, run, "permission denied to create temporary tables", "GRANT TEMPORARY ON DATABASE DATABASE TO MIGRATOR", "GRANT TEMPORARY ON DATABASE DATABASE TO LOGIN")
	p.works(t, p.url, run)
}

// What the application's login needs, which does not migrate, line by line.
func TestPrivilegesOfTheApplication(t *testing.T) {
	t.Parallel()

	p := newPrivileges(t)
	owner, name := p.url, p.login
	p.grant(t, "CREATE ROLE MIGRATOR", "GRANT MIGRATOR TO LOGIN", "GRANT CONNECT, CREATE ON DATABASE DATABASE TO LOGIN", "GRANT CREATE ON SCHEMA public TO LOGIN")
	p.works(t, owner, func(tenancy *cotenant.Tenancy) error { return tenancy.Migrate(t.Context()) })
	p.works(t, owner, p.create(t))

	app, appName := p.newLogin(t, p.admin.Config().ConnString())
	p.login = appName
	query := func(tenancy *cotenant.Tenancy) error {
		who, err := tenancy.Registry().ByDomain(t.Context(), tenant.MustParseDomain("t1.example.com"))
		if err != nil {
			return err
		}
		_, err = tenancy.DB().Exec(tenant.NewContext(t.Context(), who), "INSERT INTO a VALUES (1)")
		return err
	}
	read := func(tenancy *cotenant.Tenancy) error {
		_, err := tenancy.DB().Exec(tenant.Public(t.Context()), "SELECT * FROM plans")
		return err
	}
	p.lacks(t, app, query, "GRANT CONNECT ON DATABASE", "GRANT CONNECT ON DATABASE DATABASE TO LOGIN")
	p.lacks(t, app, query, "permission denied for schema cotenant", "GRANT USAGE ON SCHEMA cotenant TO LOGIN")
	p.lacks(t, app, query, "permission denied for table", "GRANT SELECT ON cotenant.tenants, cotenant.domains TO LOGIN")
	p.lacks(t, app, read, "permission denied for table plans", "GRANT SELECT ON public.plans TO LOGIN")
	p.works(t, app, read)
	p.lacks(t, app, query, "", "GRANT MIGRATOR TO LOGIN")
	p.works(t, app, query)

	// To create tenants as well.
	p.lacks(t, app, p.create(t), "permission denied for table tenants (SQLSTATE 42501) (GRANT USAGE ON SCHEMA, and", "GRANT INSERT ON cotenant.tenants TO LOGIN")
	p.lacks(t, app, p.create(t), "permission denied for table domains (SQLSTATE 42501) (GRANT USAGE ON SCHEMA, and", "GRANT INSERT ON cotenant.domains TO LOGIN")
	p.lacks(t, app, p.create(t), "permission denied for table resting_names (SQLSTATE 42501) (GRANT USAGE ON SCHEMA, and", "GRANT SELECT ON cotenant.resting_names TO LOGIN")
	drift := func(tenancy *cotenant.Tenancy) error {
		_, err := tenancy.Drift(t.Context(), nil, nil)
		return err
	}
	p.lacks(t, app, drift, `(GRANT CREATE ON DATABASE "`)
	p.lacks(t, app, p.create(t), "GRANT CREATE ON DATABASE", "GRANT CREATE ON DATABASE DATABASE TO LOGIN")
	p.lacks(t, app, p.create(t), "permission denied for table schema_versions", "GRANT SELECT, INSERT ON cotenant.schema_versions TO LOGIN")
	p.works(t, app, p.create(t))
	// And the migrating login, which owns none of that, migrates it.
	p.login = name
	p.fsys["shop/migrations/2_b.sql"] = file("ALTER TABLE a ADD COLUMN b int")
	p.works(t, owner, func(tenancy *cotenant.Tenancy) error { return tenancy.Migrate(t.Context()) })
	p.works(t, app, func(tenancy *cotenant.Tenancy) error {
		who, err := tenancy.Registry().BySchema(t.Context(), tenant.MustParseSchema(fmt.Sprintf("t%d", p.created)))
		if err != nil {
			return err
		}
		_, err = tenancy.DB().Exec(tenant.NewContext(t.Context(), who), "INSERT INTO a (b) VALUES (1)")
		return err
	})
}
