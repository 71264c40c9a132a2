package cotenant_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// open opens a tenancy with the folders of fsys as apps.
func open(t *testing.T, address string, fsys fstest.MapFS, shared, tenants []string, change ...func(*cotenant.Config)) *cotenant.Tenancy {
	t.Helper()
	config := &cotenant.Config{DatabaseURL: address, SharedApps: migrate.Dirs(fsys, shared...), TenantApps: migrate.Dirs(fsys, tenants...)}
	for _, c := range change {
		c(config)
	}
	tenancy, err := cotenant.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenancy.Close)
	return tenancy
}

func create(t *testing.T, tenancy *cotenant.Tenancy, schema string) *tenant.Tenant {
	t.Helper()
	created, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema(schema), Domains: []tenant.Domain{tenant.MustParseDomain(schema + ".example.com")}})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

// The seeds' story: the public tenant, the first real tenant, and queries that
// name no schema.
func TestTenancy(t *testing.T) {
	t.Parallel()

	fsys := fstest.MapFS{
		"customers/migrations/0001_initial.sql": file("ALTER TABLE cotenant.tenants ADD COLUMN name text"),
		"shop/schema.sql":                       file("CREATE TABLE products (name text)"),
	}
	tenancy := open(t, testdb.New(t), fsys, []string{"customers"}, []string{"shop"})
	for range 2 { // the second time there is nothing to do
		if err := tenancy.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	create(t, tenancy, "public")
	one, two := create(t, tenancy, "tenant1"), create(t, tenancy, "tenant2")

	pool := tenancy.DB()
	for _, each := range []*tenant.Tenant{one, two} {
		if _, err := pool.Exec(tenant.NewContext(t.Context(), each), "INSERT INTO products VALUES ($1)", "of "+each.Schema.String()); err != nil {
			t.Fatal(err)
		}
	}
	for _, each := range []*tenant.Tenant{one, two} {
		var name string
		var n int
		err := pool.QueryRow(tenant.NewContext(t.Context(), each), "SELECT min(name), count(*) FROM products").Scan(&name, &n)
		if err != nil || n != 1 || name != "of "+each.Schema.String() {
			t.Errorf("%v: %d products, %q, %v", each, n, name, err)
		}
	}
	if _, err := pool.Exec(t.Context(), "SELECT 1"); !errors.Is(err, tenant.ErrNoTenant) {
		t.Errorf("without a tenant: %v", err)
	}
	if _, err := pool.Exec(tenant.Public(t.Context()), "SELECT * FROM products"); err == nil {
		t.Error("public has a table products")
	}
}

// Migrate reaches the tenants that are there, and one that fails does not keep the
// others.
func TestMigrateTenants(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	fsys := fstest.MapFS{"shop/migrations/0001_initial.sql": file("CREATE TABLE a (id int)")}
	before := open(t, address, fsys, nil, []string{"shop"})
	if err := before.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, schema := range []string{"public", "t1", "t2", "t3"} {
		create(t, before, schema)
	}
	if _, err := before.DB().Exec(tenant.Public(t.Context()), "CREATE TABLE t2.b (id int)"); err != nil {
		t.Fatal(err)
	}

	fsys["shop/migrations/0002_b.sql"] = file("CREATE TABLE b (id int)")
	after := open(t, address, fsys, nil, []string{"shop"})
	if err := after.Ready(t.Context()); !errors.Is(err, migrate.ErrBehind) {
		t.Errorf("Ready before: %v", err)
	}
	err := after.Migrate(t.Context())
	var stmtErr *migrate.StatementError
	if !errors.As(err, &stmtErr) || stmtErr.Schema.String() != "t2" || !strings.HasSuffix(err.Error(), "\n2 done, 1 failed, 0 untouched, 1 up to date") {
		t.Errorf("Migrate: %v", err)
	}
	var have string
	if err := after.DB().QueryRow(tenant.Public(t.Context()), "SELECT string_agg(schemaname, ' ' ORDER BY schemaname) FROM pg_tables WHERE tablename = 'b'").Scan(&have); err != nil || have != "t1 t2 t3" {
		t.Errorf("schemas with b: %s, %v", have, err)
	}
	if _, err := after.DB().Exec(tenant.Public(t.Context()), "DROP TABLE t2.b"); err != nil {
		t.Fatal(err)
	}
	if err := after.Migrate(t.Context()); err != nil {
		t.Errorf("Migrate after mending: %v", err)
	}

	// The program from before does not touch what is newer than it, and need not wait.
	for _, tenancy := range []*cotenant.Tenancy{before, after} {
		if err := tenancy.Ready(t.Context()); err != nil {
			t.Errorf("Ready: %v", err)
		}
	}
	if err := before.Migrate(t.Context()); !errors.Is(err, migrate.ErrNewer) {
		t.Errorf("Migrate by the older program: %v", err)
	}
}

// A migration with a syntax error is told with file, line, statement and schema,
// and leaves no tenant.
func TestCreateWithBadSchemaFile(t *testing.T) {
	t.Parallel()

	fsys := fstest.MapFS{"shop/schema.sql": file("CREATE TABLE a (id int);\n\nCREATE TABEL b (id int);\n")}
	tenancy := open(t, testdb.New(t), fsys, nil, []string{"shop"})
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("acme")})
	want := `create tenant "acme": shop/schema.sql:3: schema "acme": syntax error at or near "TABEL" (SQLSTATE 42601); nothing of the file was kept` +
		"\n\tCREATE TABEL b (id int)"
	if err == nil || err.Error() != want {
		t.Errorf("Create:\n%v\nwant\n%s", err, want)
	}
	if _, err := tenancy.Registry().BySchema(t.Context(), tenant.MustParseSchema("acme")); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("BySchema: %v", err)
	}
	var n int
	if err := tenancy.DB().QueryRow(tenant.Public(t.Context()), "SELECT count(*) FROM pg_namespace WHERE nspname = 'acme'").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d schemas left, %v", n, err)
	}
}

// The hook of the Config runs for each new tenant, in its transaction.
func TestOnTenantCreated(t *testing.T) {
	t.Parallel()

	fsys := fstest.MapFS{"shop/schema.sql": file("CREATE TABLE products (name text)")}
	tenancy := open(t, testdb.New(t), fsys, nil, []string{"shop"}, func(c *cotenant.Config) {
		c.OnTenantCreated = func(ctx context.Context, tx pgx.Tx, created *tenant.Tenant) error {
			_, err := tx.Exec(ctx, "INSERT INTO products VALUES ($1)", "a gift for "+created.Schema.String())
			return err
		}
	})
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	acme := create(t, tenancy, "acme")
	var name string
	if err := tenancy.DB().QueryRow(tenant.NewContext(t.Context(), acme), "SELECT name FROM products").Scan(&name); err != nil || name != "a gift for acme" {
		t.Errorf("%q, %v", name, err)
	}
}

// What the hook makes in the schema is the migrator role's, whatever role the hook leaves,
// and migrations go on with it; what it makes elsewhere is the login's.
func TestOnTenantCreatedGives(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	role := testdb.RoleName(t, address)
	hook := ""
	fsys := fstest.MapFS{"shop/migrations/1_products.sql": file("CREATE TABLE products (name text)")}
	settings := func(c *cotenant.Config) {
		c.Migrate = &migrate.Config{MigratorRole: role}
		c.OnTenantCreated = func(ctx context.Context, tx pgx.Tx, _ *tenant.Tenant) error {
			_, err := tx.Exec(ctx, hook, pgx.QueryExecModeSimpleProtocol)
			return err
		}
	}
	tenancy := open(t, address, fsys, nil, []string{"shop"}, settings)
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for schema, sql := range map[string]string{
		"acme": "CREATE TABLE notes (id serial, text text); CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE public.shared (id int)",
		"beta": "CREATE TABLE notes (id serial, text text); SET search_path = public; SET ROLE " + role,
	} {
		hook = sql
		create(t, tenancy, schema)
	}
	fsys["shop/migrations/2_notes.sql"] = file("ALTER TABLE notes ADD at timestamptz; ALTER TABLE products ADD price int")
	tenancy = open(t, address, fsys, nil, []string{"shop"}, settings)
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Error(err)
	}
	var shared, mood string
	err := tenancy.DB().QueryRow(tenant.Public(t.Context()), "SELECT (SELECT relowner::regrole FROM pg_class WHERE oid = 'public.shared'::regclass), (SELECT typowner::regrole FROM pg_type WHERE oid = 'acme.mood'::regtype)").Scan(&shared, &mood)
	if err != nil || shared == role || mood != role {
		t.Errorf("public.shared is %s's, acme.mood %s's; %v", shared, mood, err)
	}
}

// A tenant of one database is refused by another, which may have a schema of the
// same name; two tenancies of one database take each other's.
func TestOtherDatabase(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	here, again, elsewhere := open(t, address, nil, nil, nil), open(t, address, nil, nil, nil), open(t, testdb.New(t), nil, nil, nil)
	var acme *tenant.Tenant
	for _, tenancy := range []*cotenant.Tenancy{elsewhere, here} {
		if err := tenancy.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		acme = create(t, tenancy, "acme")
	}
	for each, err := range here.Registry().All(t.Context()) {
		if err != nil || each.Database != acme.Database || acme.Database == "" {
			t.Errorf("database %q of the created tenant, %q of the listed, %v", acme.Database, each.Database, err)
		}
	}
	ctx := tenant.NewContext(t.Context(), acme)
	for _, tenancy := range []*cotenant.Tenancy{here, again} {
		if err := tenancy.DB().Ping(ctx); err != nil {
			t.Errorf("Ping: %v", err)
		}
	}
	if err := elsewhere.DB().Ping(ctx); !errors.Is(err, tenant.ErrOtherDatabase) {
		t.Errorf("Ping elsewhere: %v", err)
	}
	if _, err := elsewhere.Pool().Exec(ctx, "SELECT 1"); !errors.Is(err, tenant.ErrOtherDatabase) {
		t.Errorf("Exec by way of the pool elsewhere: %v", err)
	}
	if err := elsewhere.DB().Ping(tenant.Public(t.Context())); err != nil {
		t.Errorf("Ping in public: %v", err)
	}
}

// Through a pooler of transactions, the application has its tables by pgx and by
// database/sql, and past it what a pooler cannot do.
func TestPooled(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	pooled := testdb.PgBouncer(t, address, "transaction")
	fsys := fstest.MapFS{"shop/schema.sql": file("CREATE TABLE products (name text)")}
	tenancy := open(t, pooled, fsys, nil, []string{"shop"}, func(c *cotenant.Config) {
		c.DB, c.DirectURL = &pgxtenant.Config{Mode: pgxtenant.Transaction}, address
	})
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx := tenant.NewContext(t.Context(), create(t, tenancy, "acme"))
	if _, err := tenancy.SQL().ExecContext(ctx, "INSERT INTO products VALUES ($1)", "tea"); err != nil {
		t.Fatal(err)
	}
	var name string
	if err := tenancy.DB().QueryRow(ctx, "SELECT name FROM products").Scan(&name); err != nil || name != "tea" {
		t.Errorf("%q, %v", name, err)
	}
	const concurrently = "CREATE INDEX CONCURRENTLY ON products (name)"
	if _, err := tenancy.DB().Exec(ctx, concurrently); !errors.Is(err, pgxtenant.ErrAlone) {
		t.Errorf("through the pooler: %v", err)
	}
	if _, err := tenancy.SQL().ExecContext(ctx, concurrently); !errors.Is(err, pgxtenant.ErrAlone) {
		t.Errorf("through the pooler, by database/sql: %v", err)
	}
	for _, sql := range []string{concurrently, "VACUUM products", "LISTEN news"} {
		if _, err := tenancy.Direct().Exec(ctx, sql); err != nil {
			t.Errorf("direct: %s: %v", sql, err)
		}
	}
}
