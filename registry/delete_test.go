package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// large is a schema of more tables than are dropped at a time, with what keeps tables from
// being dropped one by one.
const large = `
DO $$ BEGIN FOR i IN 1..700 LOOP EXECUTE format('CREATE TABLE t%s (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, other int%s)', i, CASE WHEN i > 1 THEN ' REFERENCES t' || i - 1 ELSE '' END); END LOOP; END $$;
CREATE VIEW v AS SELECT t1.id FROM t1 JOIN t700 ON t1.id = t700.id;
CREATE MATERIALIZED VIEW m AS SELECT * FROM v;
CREATE TABLE p (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE p2 PARTITION OF p DEFAULT;
CREATE TABLE "Quoted ""name" (currency text REFERENCES public.currencies);
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM t1; END;
CREATE SEQUENCE s; CREATE TYPE e AS ENUM ('a');`

func TestDelete(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, `CREATE TABLE public.currencies (code text PRIMARY KEY); CREATE TABLE cotenant.schema_versions (tenant_id bigint, namespace oid, digest text);
		INSERT INTO cotenant.schema_versions VALUES (1, 1, 'x'), (2, 2, 'y')`)
	acme, other, kept := f.create(t, "acme"), f.create(t, "other"), f.create(t, "kept")
	f.exec(t, "SET search_path = acme, public; "+large+"; RESET search_path")
	for _, d := range []tenant.Domain{tenant.MustParseDomain("acme.example.com"), tenant.MustParseDomain("kept.example.com")} {
		if _, err := f.ByDomain(t.Context(), d); err != nil { // into the cache
			t.Fatal(err)
		}
	}
	drop := &registry.DeleteParams{DropSchema: true}
	if err := f.Delete(t.Context(), acme, drop); err != nil {
		t.Fatal(err)
	}
	if got := f.text(t, everything+" || (SELECT string_agg(' version ' || tenant_id, '') FROM cotenant.schema_versions)"); got != "2 tenants 2 domains 2 schemas version 2" {
		t.Errorf("after Delete: %s", got)
	}
	if _, err := f.ByDomain(t.Context(), tenant.MustParseDomain("acme.example.com")); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("ByDomain: %v", err)
	}
	if err := f.Delete(t.Context(), acme, drop); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("Delete again: %v", err)
	}
	// The name of its schema rests, in every case; the domain is free.
	params := registry.CreateParams{Schema: tenant.MustParseSchema("ACME"), Domains: []tenant.Domain{tenant.MustParseDomain("acme.example.com")}}
	if _, err := f.Create(t.Context(), params); !errors.Is(err, tenant.ErrSchemaTaken) || !strings.Contains(err.Error(), "until lately") {
		t.Errorf("Create under a name that rests: %v", err)
	}
	if _, err := f.Rename(t.Context(), other, tenant.MustParseSchema("acme")); !errors.Is(err, tenant.ErrSchemaTaken) {
		t.Errorf("Rename to a name that rests: %v", err)
	}
	params.ReuseName = true
	again, err := f.Create(t.Context(), params)
	if err != nil || again.Is(acme) {
		t.Fatalf("Create again: %v, %v", again, err)
	}
	f.exec(t, "UPDATE cotenant.resting_names SET until = now() - interval '1 second'")

	// By default the schema stays, and belongs to nobody.
	if err := f.Delete(t.Context(), kept, nil); err != nil {
		t.Fatal(err)
	}
	if got := f.text(t, everything); got != "2 tenants 2 domains 3 schemas" {
		t.Errorf("after Delete by default: %s", got)
	}
	for range 2 { // also when it is dropped by hand the name rests
		if _, err := f.Create(t.Context(), registry.CreateParams{Schema: kept.Schema}); !errors.Is(err, tenant.ErrSchemaTaken) {
			t.Errorf("Create over it: %v", err)
		}
		f.exec(t, "DROP SCHEMA IF EXISTS kept CASCADE")
	}
	f.exec(t, "CREATE SCHEMA kept")

	// One whose schema is gone already is deleted as well.
	f.exec(t, "DROP SCHEMA other")
	if err := f.Delete(t.Context(), other, drop); err != nil {
		t.Errorf("Delete without its schema: %v", err)
	}
	public := f.create(t, "public")
	if err := f.Delete(t.Context(), public, drop); err != nil {
		t.Errorf("Delete public: %v", err)
	}
	if got := f.text(t, "SELECT count(*)::text FROM public.currencies"); got != "0" {
		t.Errorf("public.currencies: %s", got)
	}
	if err := f.Delete(t.Context(), again, &registry.DeleteParams{DropSchema: true, KeepSchema: true}); err == nil {
		t.Error("both are accepted")
	}
}

// The hook sees the tenant as it was, and can refuse.
func TestOnTenantDeleted(t *testing.T) {
	t.Parallel()

	var refuse error
	var saw string
	f := newFixture(t, registry.Config{
		AutoDropSchema: true,
		Builder:        builder("CREATE TABLE products (id int)"),
		OnTenantDeleted: func(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error {
			of, err := tenant.FromContext(ctx)
			if err != nil || !of.Is(t) {
				return errors.New("the tenant is not in ctx")
			}
			if err := tx.QueryRow(ctx, "SELECT concat_ws(' ', current_schema(), count(*), (SELECT count(*) FROM cotenant.domains)) FROM products").Scan(&saw); err != nil {
				return err
			}
			if tx.Commit(ctx) == nil {
				return errors.New("it committed")
			}
			return refuse
		},
	}, false)
	// Without its schema, what the hook looks for is not found in public.
	f.exec(t, "CREATE TABLE public.products (id int)")
	ghost := f.create(t, "ghost")
	f.exec(t, "DROP SCHEMA ghost CASCADE")
	if err := f.Delete(t.Context(), ghost, nil); err == nil || !strings.Contains(err.Error(), `relation "products" does not exist`) {
		t.Errorf("Delete without its schema: %v", err)
	}
	f.exec(t, "DELETE FROM cotenant.tenants")
	acme := f.create(t, "acme")
	refuse = errors.New("not this one")
	if err := f.Delete(t.Context(), acme, nil); !errors.Is(err, refuse) || saw != "acme 0 1" {
		t.Errorf("Delete: %v, saw %q", err, saw)
	}
	if got := f.text(t, everything); got != "1 tenants 1 domains 1 schemas" {
		t.Errorf("after the refusal: %s", got)
	}
	f.exec(t, "CREATE TABLE public.invoices (tenant_id bigint REFERENCES cotenant.tenants); INSERT INTO public.invoices SELECT id FROM cotenant.tenants")
	refuse = nil
	if err := f.Delete(t.Context(), acme, nil); err == nil || !strings.Contains(err.Error(), "OnTenantDeleted") || !strings.Contains(err.Error(), "invoices") {
		t.Errorf("Delete of one that something refers to: %v", err)
	}
	if got := f.text(t, everything); got != "1 tenants 1 domains 1 schemas" {
		t.Errorf("after that: %s", got)
	}
	f.exec(t, "DROP TABLE public.invoices")
	if err := f.Delete(t.Context(), acme, nil); err != nil {
		t.Error(err)
	}
	if got := f.text(t, everything); got != "0 tenants 0 domains 0 schemas" {
		t.Errorf("in the end: %s", got)
	}
}

// What a deletion has left is dropped, and nothing else is.
func TestDropDeleted(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, `CREATE SCHEMA cotenant_deleted_7; CREATE TABLE cotenant_deleted_7.a (id int); CREATE SCHEMA cotenant_deleted_8;
		CREATE SCHEMA cotenant_deleted_x; CREATE SCHEMA "Xcotenant_deleted_9"`)
	f.create(t, "acme")
	if n, err := f.DropDeleted(t.Context()); n != 2 || err != nil {
		t.Errorf("DropDeleted = %d, %v", n, err)
	}
	if got := f.text(t, "SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname ~ 'deleted|acme'"); got != "Xcotenant_deleted_9 acme cotenant_deleted_x" {
		t.Errorf("schemas: %s", got)
	}
}

// Columns of types that have no operator for equality do not keep a row from changing.
func TestUpdateJSON(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, "ALTER TABLE cotenant.tenants ADD COLUMN prefs json, ADD COLUMN page xml")
	acme := f.create(t, "acme")
	for _, prefs := range []string{`{"x": 1}`, `{"x": 2}`} {
		got, err := f.Update(t.Context(), acme, map[string]any{"prefs": prefs, "page": "<a/>"})
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := got.Fields.Lookup("prefs"); !ok || string(c.Text) != prefs {
			t.Errorf("%s, want %s", c.Text, prefs)
		}
	}
}

// What is in other schemas is not dropped with a tenant's: it is named.
func TestDeleteDependedOn(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	acme, globex := f.create(t, "acme"), f.create(t, "globex")
	f.exec(t, "CREATE TABLE acme.orders (id int PRIMARY KEY); CREATE VIEW acme.mine AS SELECT * FROM acme.orders; CREATE TABLE acme.lines (order_id int REFERENCES acme.orders)")
	for _, tt := range []struct{ makes, drops, says string }{
		{"CREATE VIEW public.all_orders AS SELECT * FROM acme.orders", "DROP VIEW public.all_orders", "public: rule _RETURN on view all_orders"},
		{"CREATE TABLE globex.refers (id int REFERENCES acme.orders)", "DROP TABLE globex.refers", "globex: constraint refers_id_fkey on table globex.refers"},
		{"CREATE FUNCTION public.takes(acme.orders) RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION public.takes", "public: function takes(acme.orders)"},
	} {
		f.exec(t, tt.makes)
		err := f.Delete(t.Context(), acme, &registry.DeleteParams{DropSchema: true})
		if !errors.Is(err, registry.ErrDependedOn) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.makes, err)
		}
		f.exec(t, tt.drops)
	}
	f.exec(t, "CREATE VIEW public.theirs AS SELECT * FROM acme.orders")
	if err := f.Delete(t.Context(), acme, &registry.DeleteParams{KeepSchema: true}); err != nil {
		t.Error(err)
	}
	if err := f.Delete(t.Context(), globex, &registry.DeleteParams{DropSchema: true}); err != nil {
		t.Error(err)
	}
}

// Of all that other schemas can have of a tenant's nothing is dropped along. What the tenant
// has itself, and what is temporary, stands in nobody's way.
func TestDeleteKeepsAllThatIsElsewhere(t *testing.T) {
	t.Parallel()

	drop := &registry.DeleteParams{DropSchema: true}
	for _, tt := range []struct{ make, unmake string }{
		{"CREATE VIEW public.everyone AS SELECT id FROM acme.t", "DROP VIEW public.everyone"},
		{`CREATE VIEW other."V" AS SELECT id FROM acme.t`, `DROP VIEW other."V"`},
		{"CREATE MATERIALIZED VIEW public.m AS SELECT id FROM acme.t", "DROP MATERIALIZED VIEW public.m"},
		{"CREATE TABLE public.refers (id int REFERENCES acme.t)", "DROP TABLE public.refers"},
		{"ALTER TABLE public.shared ADD COLUMN e acme.e", "ALTER TABLE public.shared DROP COLUMN e"},
		{"ALTER TABLE public.shared ADD COLUMN es acme.e[]", "ALTER TABLE public.shared DROP COLUMN es"},
		{"ALTER TABLE public.shared ADD COLUMN ts acme.t[]", "ALTER TABLE public.shared DROP COLUMN ts"},
		{"ALTER TABLE public.shared ALTER COLUMN n SET DEFAULT nextval('acme.s')", "ALTER TABLE public.shared ALTER COLUMN n DROP DEFAULT"},
		{"CREATE TRIGGER tr AFTER INSERT ON public.shared EXECUTE FUNCTION acme.tf()", "DROP TRIGGER tr ON public.shared"},
		{"CREATE POLICY po ON public.shared USING (acme.f(id) = 1)", "DROP POLICY po ON public.shared"},
		{"CREATE INDEX ix ON public.shared (acme.f(id))", "DROP INDEX public.ix"},
		{"CREATE TABLE other.part PARTITION OF acme.p FOR VALUES IN (1)", "DROP TABLE other.part"},
		{"CREATE TABLE other.child () INHERITS (acme.parent)", "DROP TABLE other.child"},
		{"CREATE FUNCTION public.of(acme.t) RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION public.of"},
		{"CREATE VIEW public.grouped AS SELECT id, shared_id FROM acme.t GROUP BY id", "DROP VIEW public.grouped"},
		{"CREATE DOMAIN public.d AS acme.e", "DROP DOMAIN public.d"},
		{"CREATE EXTENSION cube SCHEMA acme; CREATE TABLE public.uses (c acme.cube)", "DROP TABLE public.uses; DROP EXTENSION cube"},
		{"CREATE EXTENSION cube SCHEMA acme; CREATE EXTENSION earthdistance SCHEMA public", "DROP EXTENSION earthdistance; DROP EXTENSION cube"},
		{"CREATE FUNCTION acme.et() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER et ON sql_drop EXECUTE FUNCTION acme.et()", "DROP EVENT TRIGGER et"},
	} {
		t.Run(strings.Join(strings.Fields(tt.make)[:4], " "), func(t *testing.T) {
			t.Parallel()

			f := newFixture(t, registry.Config{}, false)
			acme := f.create(t, "acme")
			f.create(t, "other")
			f.exec(t, `CREATE TABLE public.shared (id int PRIMARY KEY, n int);
				CREATE TABLE acme.t (id int PRIMARY KEY, shared_id int REFERENCES public.shared); CREATE TABLE acme.p (id int) PARTITION BY LIST (id); CREATE TABLE acme.parent (id int);
				CREATE VIEW acme.v AS SELECT * FROM acme.t; CREATE TYPE acme.e AS ENUM ('a'); CREATE SEQUENCE acme.s; CREATE TABLE acme.u (e acme.e DEFAULT 'a', n int DEFAULT nextval('acme.s'));
				CREATE FUNCTION acme.f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION acme.tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
				CREATE FUNCTION acme.cast(acme.e) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE CAST (acme.e AS int) WITH FUNCTION acme.cast(acme.e);
				CREATE TRIGGER own AFTER INSERT ON acme.t EXECUTE FUNCTION acme.tf(); CREATE INDEX ON acme.t (acme.f(id)); CREATE VIEW acme.other AS SELECT * FROM public.shared;
				CREATE PUBLICATION everything FOR TABLE acme.t; CREATE TEMPORARY VIEW mine AS SELECT * FROM acme.t`)
			if strings.Contains(tt.make, "EXTENSION") && f.text(t, "SELECT count(*)::text FROM pg_available_extensions WHERE name IN ('cube', 'earthdistance')") != "2" {
				t.Skip("the server does not have the extension")
			}
			f.exec(t, tt.make)
			before := f.text(t, everything)
			if err := f.Delete(t.Context(), acme, drop); !errors.Is(err, registry.ErrDependedOn) {
				t.Errorf("Delete: %v", err)
			}
			if after := f.text(t, everything); after != before {
				t.Fatalf("%s, want %s", after, before)
			}
			f.exec(t, tt.unmake)
			if err := f.Delete(t.Context(), acme, drop); err != nil {
				t.Errorf("without it: %v", err)
			}
		})
	}
}
