package migrate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/tenant"
)

// hooked creates a tenant as the registry does, with what a hook makes in its schema.
func (g *guarded) hooked(t *testing.T, name, hook string) error {
	t.Helper()
	conn := connect(t, g.login)
	g.last++
	created := &tenant.Tenant{ID: g.last, Schema: tenant.MustParseSchema(name)}
	return pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
		for _, sql := range []string{
			fmt.Sprintf("INSERT INTO cotenant.tenants VALUES (%d, '%s')", created.ID, name),
			"CREATE SCHEMA " + created.Schema.String(),
		} {
			if _, err := tx.Exec(t.Context(), sql); err != nil {
				return err
			}
		}
		m := g.migrator(t)
		if err := m.BuildSchema(t.Context(), tx, created); err != nil {
			return err
		}
		if _, err := tx.Exec(t.Context(), hook, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
		return m.OwnSchema(t.Context(), tx, created)
	})
}

// newRole makes a role and returns its name.
func newRole(t *testing.T, url string) string {
	t.Helper()
	config, err := pgx.ParseConfig(testdb.Role(t, url))
	if err != nil {
		t.Fatal(err)
	}
	return config.User
}

// What a hook makes is given to the migrator role, but for what needs the rights that the
// login has and the role has not: it does the same afterwards. What the hook gave to another
// role stays that role's.
func TestOwnSchema(t *testing.T) {
	t.Parallel()

	for _, login := range logins() {
		t.Run(login, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t, login)
			g.write("base/migrations/1_shared.sql", "CREATE TABLE plans (id int PRIMARY KEY, name text); CREATE TABLE audit_log (what text); CREATE FUNCTION busy() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM cotenant.tenants'")
			if _, err := g.run(t); err != nil {
				t.Fatal(err)
			}
			third, application := newRole(t, g.url), newRole(t, g.url)
			hook := variety
			if login != "super" { // it may not make all of that
				hook = "SELECT"
				execute(t, g.conn, fmt.Sprintf("GRANT %s TO %s", third, g.name))
			}
			execute(t, g.conn, "CREATE TABLE public.secrets (id int); ALTER TABLE public.secrets ENABLE ROW LEVEL SECURITY; ALTER TABLE public.secrets OWNER TO "+g.name+"; GRANT SELECT ON public.secrets TO "+g.role)
			version15 := column(t, g.conn, "SELECT (current_setting('server_version_num')::int >= 150000)::text")[0] == "true"
			invoker := "CREATE VIEW invoker AS SELECT 1 AS one"
			if version15 {
				invoker = "CREATE VIEW invoker WITH (security_invoker) AS SELECT id FROM cotenant.tenants"
			}
			hook += `;
				CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN INSERT INTO public.audit_log VALUES (NEW.id); RETURN NEW; END $$;
				CREATE TABLE orders (id int); CREATE TRIGGER log_it AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log_it();
				CREATE VIEW siblings AS SELECT id FROM cotenant.tenants;
				CREATE VIEW on_siblings AS SELECT count(*) FROM siblings;
				CREATE VIEW plan_names AS SELECT DISTINCT name FROM plans;
				CREATE VIEW open_plans AS SELECT * FROM plans;
				CREATE VIEW own_orders AS SELECT * FROM orders;
				CREATE VIEW hidden AS SELECT count(*) FROM secrets;
				CREATE MATERIALIZED VIEW counts AS SELECT busy();
				CREATE MATERIALIZED VIEW own_counts AS SELECT count(*) FROM orders;
				CREATE TABLE ruled (id int); CREATE RULE log_it AS ON INSERT TO ruled DO ALSO INSERT INTO public.audit_log VALUES (NEW.id);
				` + invoker + `;
				CREATE TABLE of_third (id int); GRANT CREATE ON SCHEMA acme TO ` + third + `; ALTER TABLE of_third OWNER TO ` + third + `;
				GRANT USAGE ON SCHEMA acme TO ` + application + `; GRANT SELECT, INSERT ON orders, ruled, siblings, on_siblings, open_plans TO ` + application
			if err := g.hooked(t, "acme", hook); err != nil {
				t.Fatal(err)
			}
			// The rows' types go with what they are of.
			want := strings.Fields("acme.counts acme.hidden acme.log_it acme.of_third acme.on_siblings acme.open_plans acme.ruled acme.siblings")
			var got []string
			for _, name := range column(t, g.conn, othersSQL, "acme", g.role) {
				got = append(got, "acme."+strings.TrimPrefix(name, "_"))
			}
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Errorf("left: %q\nwant: %q", got, want)
			}
			if got := column(t, g.conn, "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'acme.of_third'::regclass"); got[0] != third {
				t.Errorf("of_third is %s's", got)
			}
			// The application goes on as it would with the hook's own objects.
			execute(t, g.conn, "SET ROLE "+application)
			for _, sql := range []string{
				"INSERT INTO acme.orders VALUES (1)", "INSERT INTO acme.ruled VALUES (2)", "SELECT FROM acme.siblings", "SELECT FROM acme.on_siblings", "INSERT INTO acme.open_plans VALUES (7, 'x')",
			} {
				execute(t, g.conn, sql)
			}
			execute(t, g.conn, "RESET ROLE")
			if got := column(t, g.conn, "SELECT string_agg(what, ' ' ORDER BY what) FROM audit_log"); got[0] != "1 2" {
				t.Errorf("logged: %q", got)
			}
			g.write("shop/migrations/2_b.sql", "ALTER TABLE orders ADD at int; CREATE OR REPLACE VIEW own_orders AS SELECT * FROM orders; DROP FUNCTION log_it CASCADE")
			if _, err := g.run(t); err != nil {
				t.Error(err)
			}
		})
	}
}

// What cannot be given fails the creation, with a cure that is one.
func TestOwnSchemaFails(t *testing.T) {
	t.Parallel()

	g := newGuarded(t, "CREATEROLE")
	if _, err := g.run(t); err != nil {
		t.Fatal(err)
	}
	err := g.hooked(t, "acme", fmt.Sprintf("CREATE TABLE notes (id int); SET LOCAL ROLE %[1]s; REVOKE CREATE ON SCHEMA acme FROM %[1]s; RESET ROLE", g.role))
	has(t, err, `schema "acme": what OnTenantCreated made there cannot be given to role "`+g.role+`"`, "permission denied for schema acme", "SET LOCAL ROLE")
	if strings.Contains(err.Error(), "GRANT") {
		t.Errorf("the cure is not one: %v", err)
	}
	err = g.hooked(t, "beta", fmt.Sprintf("SET LOCAL ROLE %[1]s; CREATE TABLE notes (id int); REVOKE CREATE ON SCHEMA beta FROM %[1]s; RESET ROLE", g.role))
	if err != nil {
		t.Error(err)
	}
}
