package registry_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"

	"github.com/jackc/pgx/v5/pgxpool"
)

// everything is what a creation can leave behind.
const everything = `SELECT concat_ws(' ',
	(SELECT count(*) FROM cotenant.tenants), 'tenants',
	(SELECT count(*) FROM cotenant.domains), 'domains',
	(SELECT count(*) FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public|cotenant)'), 'schemas')`

func TestCreate(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{Builder: builder("CREATE TABLE products (id int)")}, false)
	f.exec(t, "ALTER TABLE cotenant.tenants ADD COLUMN name text NOT NULL DEFAULT '', ADD COLUMN paid_until date, ADD COLUMN tags text[], ADD COLUMN settings jsonb")
	paid := time.Date(2027, 12, 5, 0, 0, 0, 0, time.UTC)
	created, err := f.Create(t.Context(), registry.CreateParams{
		Domains: []tenant.Domain{tenant.MustParseDomain("acme.example.com"), tenant.MustParseDomain("acme.org")},
		Fields:  map[string]any{"name": "Acme", "paid_until": paid, "tags": []string{"a", "b"}, "settings": map[string]any{"x": 1}},
		Schema:  tenant.MustParseSchema("Acme-1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if created.ID == 0 || created.Schema.String() != "Acme-1" || created.Status != tenant.StatusActive || time.Since(created.CreatedAt).Abs() > time.Hour {
		t.Errorf("Create = %+v", created)
	}
	if created.Fields.Get("name") != "Acme" || created.Fields.Get("paid_until") != paid {
		t.Errorf("Fields = %v", created.Fields)
	}
	if got := f.text(t, `SELECT count(*)::text FROM "Acme-1".products`); got != "0" {
		t.Errorf("products: %s", got)
	}

	// By every way to find it, the same tenant comes back.
	for name, find := range map[string]func() (*tenant.Tenant, error){
		"ByID":           func() (*tenant.Tenant, error) { return f.ByID(t.Context(), created.ID) },
		"BySchema":       func() (*tenant.Tenant, error) { return f.BySchema(t.Context(), created.Schema) },
		"BySchema, case": func() (*tenant.Tenant, error) { return f.BySchema(t.Context(), tenant.MustParseSchema("aCME-1")) },
		"ByDomain": func() (*tenant.Tenant, error) {
			return f.ByDomain(t.Context(), tenant.MustParseDomain("acme.example.com"))
		},
		"ByDomain, another": func() (*tenant.Tenant, error) { return f.ByDomain(t.Context(), tenant.MustParseDomain("acme.org")) },
	} {
		found, err := find()
		if err != nil || !found.Is(created) || found.Fields.Get("name") != "Acme" {
			t.Errorf("%s = %v, %v", name, found, err)
		}
	}
	domains, err := f.Domains(t.Context(), created)
	if err != nil || fmt.Sprint(domains) != "[acme.example.com acme.org]" {
		t.Errorf("Domains = %v, %v", domains, err)
	}
	if got := f.text(t, "SELECT string_agg(domain, ' ') FROM cotenant.domains WHERE is_primary"); got != "acme.example.com" {
		t.Errorf("primary domains: %s", got)
	}
}

// The public tenant gets its row and its domain; its schema is there already, and
// no tenant app goes into it.
func TestCreatePublic(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{Builder: builder("CREATE TABLE products (id int)")}, false)
	created := f.create(t, "public")
	if !created.IsPublic() || created.ID == 0 {
		t.Errorf("Create = %v, id %d", created, created.ID)
	}
	if got := f.text(t, "SELECT count(*)::text FROM pg_tables WHERE schemaname = 'public'"); got != "0" {
		t.Errorf("tables in public: %s", got)
	}
	_, err := f.Create(t.Context(), registry.CreateParams{Schema: tenant.PublicSchema()})
	if !errors.Is(err, tenant.ErrSchemaTaken) {
		t.Errorf("Create again: %v", err)
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{Builder: builder("CREATE TABLE products (id int); CREATE TABLE orders (id int)")}, false)
	f.exec(t, "ALTER TABLE cotenant.tenants ADD COLUMN email text UNIQUE, ADD COLUMN paid_until date")
	f.exec(t, `CREATE SCHEMA "Unmanaged"`)
	f.create(t, "acme")
	f.exec(t, "UPDATE cotenant.tenants SET email = 'a@acme.com'")
	before := f.text(t, everything)

	beta, domain := tenant.MustParseSchema("beta"), tenant.MustParseDomain("beta.example.com")
	for _, tt := range []struct {
		name   string
		params registry.CreateParams
		is     error
		want   string
	}{
		{"no schema", registry.CreateParams{}, tenant.ErrInvalidSchema, "ParseSchema"},
		{"a domain not set", registry.CreateParams{Schema: beta, Domains: []tenant.Domain{{}}}, tenant.ErrInvalidDomain, "ParseDomain"},
		{"a taken schema", registry.CreateParams{Schema: tenant.MustParseSchema("acme")}, tenant.ErrSchemaTaken, `by tenant "acme"`},
		{"a taken schema in another case", registry.CreateParams{Schema: tenant.MustParseSchema("ACME")}, tenant.ErrSchemaTaken, `by tenant "acme"`},
		{"a schema of nobody", registry.CreateParams{Schema: tenant.MustParseSchema("unmanaged")}, tenant.ErrSchemaTaken, `schema "Unmanaged" that belongs to no tenant`},
		{"a taken domain", registry.CreateParams{Schema: beta, Domains: []tenant.Domain{domain, tenant.MustParseDomain("acme.example.com")}}, tenant.ErrDomainTaken, `domain "acme.example.com": domain is taken by tenant "acme"`},
		{"a domain twice", registry.CreateParams{Schema: beta, Domains: []tenant.Domain{domain, domain}}, nil, "twice"},
		{"an unknown column", registry.CreateParams{Schema: beta, Fields: map[string]any{"nickname": "x"}}, nil, `column "nickname" of relation "tenants" does not exist`},
		{"a column of ours", registry.CreateParams{Schema: beta, Fields: map[string]any{"id": 7}}, nil, `column "id" is cotenant's own`},
		{"a value of the wrong type", registry.CreateParams{Schema: beta, Fields: map[string]any{"paid_until": "soon"}}, nil, `type date: "soon"`},
		{"a unique column of the user's", registry.CreateParams{Schema: beta, Fields: map[string]any{"email": "a@acme.com"}}, nil, "Key (email)=(a@acme.com) already exists"},
		{"a name as SQL", registry.CreateParams{Schema: beta, Fields: map[string]any{`email") VALUES (1); DROP SCHEMA acme CASCADE; --`: "x"}}, nil, "does not exist"},
	} {
		_, err := f.Create(t.Context(), tt.params)
		if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %v with %q", tt.name, err, tt.is, tt.want)
		}
		if after := f.text(t, everything); after != before {
			t.Errorf("%s: %s; before it %s", tt.name, after, before)
		}
	}
}

// A creation that fails at its last table, in the hook, or at the commit leaves no
// row and no schema.
func TestCreateLeavesNothing(t *testing.T) {
	t.Parallel()

	for name, config := range map[string]registry.Config{
		"the last table": {Builder: builder("CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id nope)")},
		"the hook": {
			Builder:         builder("CREATE TABLE a (id int)"),
			OnTenantCreated: func(context.Context, pgx.Tx, *tenant.Tenant) error { return errors.New("no") },
		},
		"the commit": {Builder: builder("CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a DEFERRABLE INITIALLY DEFERRED); INSERT INTO a VALUES (1, 2)")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			f := newFixture(t, config, false)
			before := f.text(t, everything)
			_, err := f.Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("acme"), Domains: []tenant.Domain{tenant.MustParseDomain("acme.com")}})
			if err == nil || !strings.Contains(err.Error(), `create tenant "acme"`) {
				t.Errorf("Create: %v", err)
			}
			if after := f.text(t, everything); after != before {
				t.Errorf("left: %s", after)
			}
		})
	}
}

func TestCreatePanicLeavesNothing(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{OnTenantCreated: func(context.Context, pgx.Tx, *tenant.Tenant) error { panic("hook") }}, false)
	before := f.text(t, everything)
	func() {
		defer func() {
			if p := recover(); p != "hook" {
				t.Errorf("recovered %v", p)
			}
		}()
		_, _ = f.Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("acme")})
	}()
	if after := f.text(t, everything); after != before {
		t.Errorf("left: %s", after)
	}
	if n := f.pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections still acquired", n)
	}
}

// The hook works in the new tenant's schema on its transaction. Its context is
// refused by the scoped pool until the commit, and good afterwards.
func TestOnTenantCreated(t *testing.T) {
	t.Parallel()

	var f *fixture
	var scoped *pgxtenant.DB
	var hookCtx context.Context
	f = newFixture(t, registry.Config{
		Builder: builder("CREATE TABLE products (name text)"),
		OnTenantCreated: func(ctx context.Context, tx pgx.Tx, created *tenant.Tenant) error {
			hookCtx = ctx //nolint:fatcontext // kept to show that it is good after the commit
			if inCtx, err := tenant.FromContext(ctx); err != nil || !inCtx.Is(created) {
				t.Errorf("the hook's context carries %v, %v; want %v", inCtx, err, created)
			}
			if _, err := scoped.Exec(ctx, "INSERT INTO products VALUES ('elsewhere')"); !errors.Is(err, tenant.ErrUncommitted) {
				t.Errorf("the scoped pool within the hook: %v", err)
			}
			if _, err := tx.Exec(ctx, "UPDATE cotenant.tenants SET note = 'from the hook' WHERE id = $1", created.ID); err != nil {
				return err
			}
			if created.IsPublic() {
				return nil
			}
			_, err := tx.Exec(ctx, "INSERT INTO products VALUES ('first')")
			return err
		},
	}, false)
	f.exec(t, "ALTER TABLE cotenant.tenants ADD COLUMN note text")
	config, err := pgxpool.ParseConfig(f.url)
	if err != nil {
		t.Fatal(err)
	}
	if scoped, err = pgxtenant.New(t.Context(), config, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(scoped.Close)

	created := f.create(t, "acme")
	if created.Fields.Get("note") != "from the hook" {
		t.Errorf("Create returned %v; what the hook wrote is missing", created.Fields)
	}
	var name string
	if err := scoped.QueryRow(hookCtx, "SELECT name FROM products").Scan(&name); err != nil || name != "first" {
		t.Errorf("with the hook's context after the commit: %q, %v", name, err)
	}
	f.create(t, "public")
}

// Of many who want the same schema at once one gets it, and the others are told.
func TestCreateConcurrently(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{Builder: builder("CREATE TABLE products (id int)")}, false)
	names := []string{"acme", "Acme", "ACME", "aCmE"}
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			_, errs[i] = f.Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema(name), Domains: []tenant.Domain{tenant.MustParseDomain("acme.com")}})
		})
	}
	wg.Wait()
	created := 0
	for i, err := range errs {
		if err == nil {
			created++
		} else if !errors.Is(err, tenant.ErrSchemaTaken) {
			t.Errorf("%s: %v", names[i], err)
		}
	}
	if created != 1 {
		t.Errorf("%d created", created)
	}
	if got := f.text(t, everything); got != "1 tenants 1 domains 1 schemas" {
		t.Errorf("there are %s", got)
	}
}

// The names of the tables can be those of an existing database, which has columns
// of its own and lacks some of ours.
func TestExistingTables(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, `DROP SCHEMA cotenant CASCADE;
		CREATE TABLE customers_client (id serial PRIMARY KEY, schema_name varchar(63) UNIQUE NOT NULL, name varchar(100));
		CREATE TABLE customers_domain (id serial PRIMARY KEY, domain varchar(253) UNIQUE NOT NULL, tenant_id int NOT NULL REFERENCES customers_client, is_primary bool NOT NULL);
		INSERT INTO customers_client (schema_name, name) VALUES ('acme', 'Acme');
		INSERT INTO customers_domain (domain, tenant_id, is_primary) VALUES ('acme.com', 1, true)`)
	config := registry.Config{TenantsTable: pgx.Identifier{"public", "customers_client"}, DomainsTable: pgx.Identifier{"public", "customers_domain"}}
	f.migrate(t, config)
	r := f.open(t, config, false)
	acme, err := r.ByDomain(t.Context(), tenant.MustParseDomain("acme.com"))
	if err != nil || acme.Schema.String() != "acme" || acme.Fields.Get("name") != "Acme" || acme.Status != "" || !acme.CreatedAt.IsZero() {
		t.Errorf("ByDomain = %+v, %v", acme, err)
	}
	if _, err := r.Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("beta"), Domains: []tenant.Domain{tenant.MustParseDomain("beta.com")}, Fields: map[string]any{"name": "Beta"}}); err != nil {
		t.Errorf("Create: %v", err)
	}
	if _, err := registry.New(f.pool, &registry.Config{TenantsTable: pgx.Identifier{"clients"}}); err == nil || !strings.Contains(err.Error(), "TenantsTable") {
		t.Errorf("New with a bare table name: %v", err)
	}
	if _, err := registry.New(f.pool, &registry.Config{CacheSize: -1}); err == nil || !strings.Contains(err.Error(), "CacheSize") {
		t.Errorf("New with a negative size: %v", err)
	}
}

// The transaction is not the hook's to end.
func TestHookCannotEndTheTransaction(t *testing.T) {
	t.Parallel()

	for name, end := range map[string]func(context.Context, pgx.Tx) error{
		"Commit":   func(ctx context.Context, tx pgx.Tx) error { return tx.Commit(ctx) },
		"Rollback": func(ctx context.Context, tx pgx.Tx) error { return tx.Rollback(ctx) },
	} {
		f := newFixture(t, registry.Config{OnTenantCreated: func(ctx context.Context, tx pgx.Tx, _ *tenant.Tenant) error { return end(ctx, tx) }}, false)
		before := f.text(t, everything)
		if _, err := f.Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("acme")}); err == nil || !strings.Contains(err.Error(), "belongs to the creation") {
			t.Errorf("%s: %v", name, err)
		}
		if after := f.text(t, everything); after != before {
			t.Errorf("%s left: %s", name, after)
		}
	}
}

// What the files or the hook do to the session is not there for whoever uses the
// connection next.
func TestCreateRestoresTheSession(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{Builder: builder("CREATE TEMP TABLE stage (id int); SET ROLE pg_monitor; SET default_transaction_read_only = on")}, false)
	for _, schema := range []string{"a", "b"} { // with pg_monitor's rights the second would fail
		if _, err := f.Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema(schema)}); err != nil && !strings.Contains(err.Error(), "42501") {
			t.Errorf("Create: %v", err)
		}
	}
	for range f.pool.Stat().MaxConns() {
		if got := f.text(t, "SELECT concat_ws(' ', current_user = session_user, current_setting('default_transaction_read_only'), to_regclass('pg_temp.stage'))"); got != "t off" {
			t.Errorf("the session: %s", got)
		}
	}
}

// Hooks that use the registry, of more creations than there are connections, do not
// wait for each other, and look-ups go on meanwhile.
func TestManyCreationsWithHooks(t *testing.T) {
	t.Parallel()

	var f *fixture
	f = newFixture(t, registry.Config{OnTenantCreated: func(ctx context.Context, _ pgx.Tx, created *tenant.Tenant) error {
		_, err := f.Domains(ctx, created)
		return err
	}}, false)
	var wg sync.WaitGroup
	for i := range 3 * f.pool.Stat().MaxConns() {
		wg.Go(func() {
			if _, err := f.Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema(fmt.Sprintf("t%d", i))}); err != nil {
				t.Errorf("Create: %v", err)
			}
		})
	}
	wg.Wait()
}
