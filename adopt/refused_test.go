package adopt_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/adopt"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// shops are the files of an app with two migrations.
var shops = fstest.MapFS{
	"shop/migrations/0001_initial.sql": file("CREATE TABLE orders (id int PRIMARY KEY)"),
	"shop/migrations/0002_note.sql":    file("ALTER TABLE orders ADD COLUMN note text"),
}

const (
	accounts = `CREATE TABLE public.accounts (id int PRIMARY KEY, schema_name text, domain_url text);`
	orders   = `.orders (id int PRIMARY KEY, note text);`
)

// Each row that cannot be taken over is named with the reason, and the others are taken.
func TestRowsRefused(t *testing.T) {
	t.Parallel()

	d := made(t, accounts+`
		CREATE SCHEMA good; CREATE TABLE good`+orders+`
		CREATE SCHEMA "pg-fine"; CREATE SCHEMA www; CREATE SCHEMA claim1; CREATE SCHEMA claim2; CREATE SCHEMA badhost; CREATE SCHEMA "Twice"; CREATE SCHEMA twice;
		CREATE SCHEMA cotenant_x; CREATE SCHEMA "dot.ted"; CREATE SCHEMA rowless; CREATE SCHEMA nodomain;
		INSERT INTO public.accounts VALUES (1, 'good', 'Good.Example:8000'), (2, 'gone', 'gone.example'), (3, NULL, 'null.example'), (4, '', 'empty.example'),
			(5, 'pg-fine', 'fine.example'), (6, 'www', 'WWW.www.host.example.'), (7, 'claim1', 'www.claimed.example'), (8, 'claim2', 'claimed.example:80'),
			(9, 'badhost', 'bad host'), (10, 'Twice', 'a.example'), (11, 'twice', 'b.example'), (12, 'cotenant_x', 'c.example'), (13, 'pg_catalog', 'd.example'),
			(14, 'information_schema', 'e.example'), (15, 'dot.ted', 'f.example'), (16, repeat('x', 64), 'g.example'), (17, 'nodomain', NULL), (-5, 'Public', 'h.example')`, shops)
	report := d.adopt(&adopt.Options{SkipClaimed: true})
	d.same(refusals(report), []string{
		`invalid schema name "Public": it differs from "public" only in case (write "public" for the main site, or use another name); rename it there first (ALTER SCHEMA … RENAME TO …, and the row)`,
		`schema "Twice": several rows have that name, or one that differs only in case (rename or delete one)`,
		`schema "badhost": invalid domain "bad host": it contains ' ' (use letters, digits, '-' and '_'); correct it there first`,
		`schema "claim1": domain "claimed.example" ("www.claimed.example" in the source): domain is taken: several schemas claim it: claim1, claim2 (correct that there first)`,
		`schema "claim2": domain "claimed.example" ("claimed.example:80" in the source): domain is taken: several schemas claim it: claim1, claim2 (correct that there first)`,
		`invalid schema name "cotenant_x": names that start with "cotenant" are cotenant's own (use another prefix); rename it there first (ALTER SCHEMA … RENAME TO …, and the row)`,
		`invalid schema name "dot.ted": it contains '.' (use ASCII letters, digits, '_' and '-' only); rename it there first (ALTER SCHEMA … RENAME TO …, and the row)`,
		`schema "gone": it does not exist, and has a row (delete the row, or restore the schema)`,
		`invalid schema name "information_schema": it is PostgreSQL's (use another name); rename it there first (ALTER SCHEMA … RENAME TO …, and the row)`,
		`invalid schema name "pg_catalog": names that start with "pg_" are PostgreSQL's (use another prefix); rename it there first (ALTER SCHEMA … RENAME TO …, and the row)`,
		`schema "twice": several rows have that name, or one that differs only in case (rename or delete one)`,
		`invalid schema name "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": it has 64 bytes, PostgreSQL keeps 63 (use a shorter name); rename it there first (ALTER SCHEMA … RENAME TO …, and the row)`,
	})
	d.same(d.registered(), []string{
		"1 good good.example shop/0001_initial,shop/0002_note",
		"5 pg-fine fine.example -",
		"6 www host.example -",
		"17 nodomain - -",
	})
	if report.NoName != 2 || report.Refused != 12 || report.Adopted != 4 || report.WWW != 1 || report.Ports != 1 || !report.Differ() {
		t.Errorf("%+v", report)
	}
	d.same(report.RowlessNames, []string{"rowless"})
}

// What the registry has already is left as it is; a domain or an id that another tenant has
// is not taken from it.
func TestRegistryThere(t *testing.T) {
	t.Parallel()

	d := made(t, accounts, shops)
	if err := d.tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, domain := range map[string]string{"old": "old.example"} {
		_, err := d.tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: schema(name), Domains: []tenant.Domain{tenant.MustParseDomain(domain)}})
		if err != nil {
			t.Fatal(err)
		}
	}
	d.exec(`CREATE SCHEMA taken; CREATE SCHEMA id; CREATE SCHEMA large;
		INSERT INTO public.accounts VALUES (7, 'old', 'other.example'), (8, 'taken', 'old.example'), (1, 'id', 'id.example');
		ALTER TABLE public.accounts ALTER COLUMN id TYPE bigint;
		INSERT INTO public.accounts VALUES (9000000000000000000, 'large', 'large.example')`)
	before := d.all()
	stopped := d.adopt(nil)
	d.same(d.all(), before)
	report := d.adopt(&adopt.Options{SkipClaimed: true})
	d.same(refusals(stopped), refusals(report))
	if stopped.Claimed != 1 || stopped.Left != 2 || stopped.There != 1 || report.Claimed != 0 {
		t.Errorf("%+v\n%+v", stopped, report)
	}
	d.same(refusals(report), []string{`schema "taken": domain "old.example": domain is taken by the tenant of schema "old" (remove it there first, or correct it in the source)`})
	d.same(d.rows("SELECT t.schema_name, d.domain, t.id <= 10 FROM cotenant.tenants AS t JOIN cotenant.domains AS d ON d.tenant_id = t.id ORDER BY 1"),
		[]string{"id id.example true", "large large.example true", "old old.example true"})
	if report.There != 1 || report.Adopted != 2 || report.NewIDs != 2 || report.KeptIDs != 0 {
		t.Errorf("%+v", report)
	}
	ids := map[string]string{}
	for _, line := range d.rows("SELECT schema_name, id FROM cotenant.tenants") {
		name, id, _ := strings.Cut(line, " ")
		ids[name] = id
	}
	d.same([]string{fmt.Sprint(report.Renumbered)}, []string{"[{id 1 " + ids["id"] + "} {large 9000000000000000000 " + ids["large"] + "}]"})

	// What is there otherwise than the source says is named, and stays.
	d.same([]string{fmt.Sprint(report.Contradictions)}, []string{"[{old only the source has other.example; only the tenant has old.example; its id is 1, and 7 in the source}]"})
	d.exec("INSERT INTO cotenant.domains (domain, tenant_id) SELECT 'other.example', id FROM cotenant.tenants WHERE schema_name = 'id'; UPDATE public.accounts SET schema_name = 'Old' WHERE id = 7")
	d.exec(`CREATE SCHEMA "Old"`)
	report = d.adopt(&adopt.Options{SkipClaimed: true})
	if report.Contradicted != 2 || report.There != 2 {
		t.Errorf("%+v", report)
	}
	d.same(refusals(report), []string{
		`schema "Old": schema is taken by a tenant whose schema differs from it only in case: old (rename one: ALTER SCHEMA … RENAME TO …, and the row)`,
		`schema "taken": domain "old.example": domain is taken by the tenant of schema "old" (remove it there first, or correct it in the source)`,
	})
}

// A domain is one, however it is written; who claims it is known before anything is done, and
// told together with what else is wrong.
func TestDomainsInTwoForms(t *testing.T) {
	t.Parallel()

	d := begin(t, accounts+`CREATE TABLE public.plans (id int); CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA c; CREATE SCHEMA d;
		INSERT INTO public.accounts VALUES (1, 'a', 'Bücher.example'), (2, 'b', 'www.xn--bcher-kva.example.:80'), (3, 'c', 'ｃ.example'), (4, 'd', 'C.EXAMPLE.'),
			(5, 'e', 'e.example'), (6, NULL, 'e.example'); CREATE SCHEMA e`,
		shared("CREATE TABLE plans (id bigint)"), nil)
	claimed := []string{
		`schema "a": domain "xn--bcher-kva.example" ("Bücher.example" in the source): domain is taken: several schemas claim it: a, b (correct that there first)`,
		`schema "b": domain "xn--bcher-kva.example" ("www.xn--bcher-kva.example.:80" in the source): domain is taken: several schemas claim it: a, b (correct that there first)`,
		`schema "c": domain "c.example" ("ｃ.example" in the source): domain is taken: several schemas claim it: c, d (correct that there first)`,
		`schema "d": domain "c.example" ("C.EXAMPLE." in the source): domain is taken: several schemas claim it: c, d (correct that there first)`,
	}
	report := d.adopt(nil)
	if !report.PublicDiffers {
		t.Errorf("%+v", report)
	}
	d.same(refusals(report), claimed)
	before := d.all()
	report = d.adopt(&adopt.Options{Differing: adopt.Record})
	d.same(refusals(report), claimed)
	d.same(d.all(), before)
	if report.Claimed != 4 || report.Left != 1 || report.Adopted != 0 || !report.Differ() {
		t.Errorf("%+v", report)
	}
	if report = d.adopt(&adopt.Options{Differing: adopt.Record, Only: []string{"e"}}); report.Claimed != 0 || report.Adopted != 1 { // no claim of a schema that is meant
		t.Errorf("%+v", report)
	}
	report = d.adopt(&adopt.Options{Differing: adopt.Record, SkipClaimed: true})
	d.same(refusals(report), claimed)
	if report.There != 1 || report.Refused != 4 {
		t.Errorf("%+v", report)
	}
}

// Of schemas that differ only in case none is taken for the other.
func TestSchemasInTwoCases(t *testing.T) {
	t.Parallel()

	d := made(t, `CREATE SCHEMA t_a; CREATE SCHEMA "T_a"; CREATE SCHEMA t_b; CREATE SCHEMA "T_c"`, shops)
	o := &adopt.Options{Source: adopt.Source{Schemas: []string{"[tT]_*"}}}
	report := d.adopt(o)
	const cure = `another schema of the pattern differs from it only in case (rename one: ALTER SCHEMA … RENAME TO …, or name those that you mean)`
	d.same(refusals(report), []string{`schema "T_a": ` + cure, `schema "t_a": ` + cure})
	if report.Adopted != 2 || report.There != 0 {
		t.Errorf("%+v", report)
	}
	o.Source.Schemas = []string{"t_*"}
	if report := d.adopt(o); report.Adopted != 1 || report.There != 1 || report.Differ() {
		t.Errorf("%+v", report)
	}
	o.Source.Schemas = []string{"T_a"}
	d.same(refusals(d.adopt(o)), []string{`schema "T_a": schema is taken by a tenant whose schema differs from it only in case: t_a (rename one: ALTER SCHEMA … RENAME TO …, and the row)`})
}

// Something else of cotenant's names is left alone.
func TestNotCotenants(t *testing.T) {
	t.Parallel()

	d := made(t, accounts+`CREATE SCHEMA cotenant; CREATE TABLE cotenant.tenants (id int, name text)`, shops)
	d.fails(nil, `cotenant.tenants is there and is no table of cotenant's, it has no column "schema_name"; the name is cotenant's own (rename the schema: ALTER SCHEMA cotenant RENAME TO …)`)
	d = made(t, accounts+`CREATE SCHEMA cotenant; CREATE TABLE cotenant.orders (id int)`, shops)
	d.fails(nil, `schema "cotenant" is there and is not cotenant's; the name is cotenant's own (rename the schema`)
	d = made(t, accounts+`CREATE SCHEMA cotenant`, shops) // by an administrator, for a login that may not
	d.adopt(nil)
}

// What cannot be meant is refused before anything is touched.
func TestSourceRefused(t *testing.T) {
	t.Parallel()

	d := made(t, `CREATE TABLE public.logs (schema_name text, line text)`, shops)
	d.fails(nil, "public has no table of tenants as django-tenant-schemas or django-tenants make one")
	d.exec(accounts + `CREATE TABLE public.clients (id int PRIMARY KEY, schema_name text); CREATE TABLE public.hosts (domain text, is_primary bool, whose int REFERENCES public.clients)`)
	d.fails(nil, "several tables look like one of tenants: public.accounts, public.clients (choose with --tenants-table)")
	d.exec(`DROP TABLE public.accounts; CREATE TABLE public.names (domain text, is_primary bool, whose int REFERENCES public.clients)`)
	d.fails(nil, "several tables look like one of the domains of public.clients: public.hosts, public.names (choose with --domains-table)")
	public := func(name string) pgx.Identifier { return pgx.Identifier{"public", name} }
	d.exec("INSERT INTO public.clients VALUES (1, 'a'); INSERT INTO public.hosts VALUES ('a.example', true, 1)")
	for want, s := range map[string]adopt.Source{
		`column "domain" of public.hosts does not tell which domain is the primary one: it has "a.example", which is neither true nor false (correct --primary-column)`: {
			TenantsTable: public("clients"), DomainsTable: public("hosts"), PrimaryColumn: "domain",
		},
		"there is no table public.nowhere (correct its name: schema.table)":                                                                     {TenantsTable: public("nowhere")},
		"there is no table public.nohosts":                                                                                                      {TenantsTable: public("clients"), DomainsTable: public("nohosts")},
		`public.clients has no column "slug" (it has id, schema_name; correct --schema-column)`:                                                 {TenantsTable: public("clients"), SchemaColumn: "slug"},
		`public.hosts has no column "schema_name" (it has domain, is_primary, whose; correct --schema-column)`:                                  {TenantsTable: public("hosts")},
		`public.clients has no column "host" (it has id, schema_name; correct --domain-column; or name the table that has it: --domains-table)`: {TenantsTable: public("clients"), DomainColumn: "host"},
		`public.hosts has no column "main"`:                                                                                                     {TenantsTable: public("clients"), DomainsTable: public("hosts"), PrimaryColumn: "main"},
		"public.logs does not refer to public.clients by a foreign key of one column":                                                           {TenantsTable: public("clients"), DomainsTable: public("logs"), DomainColumn: "line"},
		`"[" is no name and no pattern`:                                                                                                         {Schemas: []string{"["}},
		"schemas is for where there is no table of tenants":                                                                                     {Schemas: []string{"a*"}, TenantsTable: public("clients")},
		`domain is "example.com", the same for all (write {schema} where the name of the schema goes)`:                                          {Schemas: []string{"a*"}, DomainPattern: "example.com"},
		`domain "{schema}.exa mple.com": invalid domain`:                                                                                        {Schemas: []string{"a*"}, DomainPattern: "{schema}.exa mple.com"},
		"the domains come from a table or from a pattern (give one)":                                                                            {DomainsTable: public("hosts"), DomainPattern: "{schema}.example.com"},
		"tenants-table is \"public.\" (give a schema and a table, such as public.customers_client)":                                             {TenantsTable: public("")},
		"a column tells the primary one of several domains, or whose they are, and there is no table":                                           {TenantsTable: public("clients"), PrimaryColumn: "main"},
		"or whose they are, and there is no table of domains (name it: --domains-table)":                                                        {TenantsTable: public("clients"), TenantColumn: "main"},
	} {
		d.fails(&adopt.Options{Source: s}, want)
	}
	d.fails(&adopt.Options{Jobs: -1}, "jobs is -1")
	d.fails(&adopt.Options{Differing: "ignore"}, `differing is "ignore" (give leave or record)`)
}

// A login that may not read a schema, or not write there, is told what to grant.
func TestPrivilegesRefused(t *testing.T) {
	t.Parallel()

	d := made(t, accounts+`CREATE SCHEMA a; CREATE TABLE a`+orders+`CREATE SCHEMA b; CREATE TABLE b`+orders+`CREATE SCHEMA c; CREATE TABLE c`+orders+`
		INSERT INTO public.accounts VALUES (1, 'a', 'a.example'), (2, 'b', 'b.example'), (3, 'c', 'c.example')`, shops)
	d.exec(`CREATE SCHEMA e; INSERT INTO public.accounts VALUES (5, 'e', 'e.example')`)
	login := d.login(`REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA b TO %[1]s; ALTER SCHEMA c OWNER TO %[1]s; ALTER TABLE c.orders OWNER TO %[1]s;
		DO $do$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %%I TO %[1]s', current_database()); END $do$`)
	login.fails(nil, "permission denied for table accounts (SQLSTATE 42501) (GRANT SELECT ON public.accounts TO the role)")
	d.exec("GRANT SELECT ON public.accounts TO " + login.name)
	login.fails(nil, `schema "public": role "`+login.name+`" may not create in it, and the shared apps are recorded there (GRANT CREATE ON SCHEMA public TO "`+login.name+`")`)
	d.exec("GRANT CREATE ON SCHEMA public TO " + login.name + "; GRANT CREATE ON SCHEMA e TO " + login.name)
	lacks := func(name string) string {
		return `schema "` + name + `": role "` + login.name + `" may not create in it, and its migrations are recorded there (GRANT USAGE, CREATE ON SCHEMA "` + name + `" TO "` + login.name + `")`
	}
	refused := []string{lacks("a"), lacks("b"), `read the catalog of schema "e": role "` + login.name + `" may not use it (GRANT USAGE ON SCHEMA "e" TO "` + login.name + `")`}
	d.same(refusals(login.adopt(&adopt.Options{DryRun: true})), refused)
	report := login.adopt(nil)
	d.same(refusals(report), refused)
	d.same(d.registered(), []string{"3 c c.example shop/0001_initial,shop/0002_note"})
}

// A column that every tenant must have and the source has not is told before anything is
// touched, and so are files that cannot be built.
func TestFilesRefused(t *testing.T) {
	t.Parallel()

	d := begin(t, accounts, shared("ALTER TABLE cotenant.tenants ADD COLUMN name text NOT NULL"), nil)
	d.fails(nil, `column "name" of cotenant.tenants is NOT NULL without a default, and the source has no such column (give it a default)`)
	d = begin(t, accounts, shared("CREATE TABLE plans (id nonsense)"), nil)
	d.fails(nil, "shared apps: build what to compare with: scratch schema: base/migrations/0001_initial.sql:1: ")
}

// Where a schema is the migrator role's the login is to become a member of that, and nothing
// is to be given to it; patterns that name nothing are told.
func TestMigratorsSchema(t *testing.T) {
	t.Parallel()

	d := made(t, accounts+`CREATE SCHEMA a; CREATE SCHEMA b; INSERT INTO public.accounts VALUES (1, 'a', 'a.example'), (2, 'b', 'b.example')`, shops)
	login := d.login(`GRANT SELECT ON public.accounts TO %[1]s; GRANT CREATE ON SCHEMA public TO %[1]s; ALTER SCHEMA b OWNER TO %[1]s;
		DO $do$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %%I TO %[1]s', current_database()); END $do$`)
	role := testdb.RoleName(t, d.address)
	d.exec("CREATE ROLE " + role + "; ALTER SCHEMA a OWNER TO " + role + "; GRANT USAGE ON SCHEMA a TO " + login.name)
	login.config.Migrate = &migrate.Config{MigratorRole: role}
	login.open()
	report := login.adopt(nil)
	d.same(refusals(report), []string{`schema "a": role "` + login.name + `" may not create in it: it belongs to role "` + role + `", of which that is no member (let an administrator: GRANT "` + role + `" TO "` + login.name + `")`})
	if report.Owners[login.name] != 1 {
		t.Errorf("%+v", report)
	}
	d.exec("GRANT " + role + " TO " + login.name)
	if report = login.adopt(nil); report.Adopted != 1 || len(report.Owners) != 0 {
		t.Errorf("%+v", report)
	}
	if report = login.adopt(&adopt.Options{Only: []string{"c*"}}); !report.NoMatch || !report.Differ() {
		t.Errorf("%+v", report)
	}
	login.fails(&adopt.Options{Source: adopt.Source{Schemas: []string{"c*", "d"}}}, "no schema is named c*, d (correct the pattern")
}

// cotenant's own columns are not copied over.
func TestColumnsOwn(t *testing.T) {
	t.Parallel()

	d := made(t, `CREATE TABLE public.accounts (id text PRIMARY KEY, schema_name text, domain_url text, status text, created_at text, plan text);
		CREATE SCHEMA a; INSERT INTO public.accounts VALUES ('x', 'a', 'a.example', 'off', 'today', 'free')`, shops)
	report := d.adopt(nil)
	d.same(report.ColumnsOwn, []string{"id", "status", "created_at"})
	d.same(report.ColumnsLeft, []string{"plan"})
	if !report.NoKey || report.Adopted != 1 {
		t.Errorf("%+v", report)
	}
}

// Which domain is the primary one can be told by a number as well.
func TestPrimaryColumn(t *testing.T) {
	t.Parallel()

	d := made(t, `CREATE TABLE public.orgs (id int PRIMARY KEY, slug text); CREATE TABLE public.hosts (host text, main int, org int REFERENCES public.orgs);
		CREATE SCHEMA a; INSERT INTO public.orgs VALUES (1, 'a'); INSERT INTO public.hosts VALUES ('a.example', NULL, 1), ('b.example', 0, 1), ('c.example', 1, 1)`, shops)
	d.adopt(&adopt.Options{Source: adopt.Source{
		DomainColumn: "host", DomainsTable: pgx.Identifier{"public", "hosts"}, PrimaryColumn: "main", SchemaColumn: "slug", TenantsTable: pgx.Identifier{"public", "orgs"},
	}})
	d.same(d.registered(), []string{"1 a c.example,a.example,b.example -"})
}

// Where several columns of the domains' table refer to the tenants, that of django-tenants
// tells whose a domain is; of others, one must be named.
func TestTenantColumn(t *testing.T) {
	t.Parallel()

	const system = `CREATE TABLE public.clients (id int PRIMARY KEY, schema_name text); CREATE SCHEMA a; CREATE SCHEMA b; INSERT INTO public.clients VALUES (1, 'a'), (2, 'b');
		CREATE TABLE public.hosts (domain text, is_primary bool, billed_to_id int CONSTRAINT first REFERENCES public.clients, %[1]s int CONSTRAINT middle REFERENCES public.clients,
			tester_id int CONSTRAINT zero REFERENCES public.clients, other_id int REFERENCES public.others (id));
		INSERT INTO public.hosts VALUES ('a.example', true, 1, 1, 1, NULL), ('b.example', true, 1, 2, 1, NULL);`
	const others = "CREATE TABLE public.others (id int PRIMARY KEY);"
	right := []string{"1 a a.example -", "2 b b.example -"}
	d := made(t, others+fmt.Sprintf(system, "tenant_id"), shops)
	if report := d.adopt(nil); report.Source != "django-tenants: public.clients, public.hosts (by tenant_id)" {
		t.Error(report.Source)
	}
	d.same(d.registered(), right)

	d = made(t, others+fmt.Sprintf(system, "whose"), shops)
	d.fails(nil, "several columns of public.hosts refer to public.clients: billed_to_id → id, tester_id → id, whose → id; so that it is not known whose its domains are (choose with --tenant-column)")
	d.fails(&adopt.Options{Source: adopt.Source{TenantColumn: "other_id"}},
		`column "other_id" of public.hosts does not tell whose its domains are: what refers to public.clients is billed_to_id → id, tester_id → id, whose → id (correct --tenant-column)`)
	d.adopt(&adopt.Options{Source: adopt.Source{TenantColumn: "whose"}})
	d.same(d.registered(), right)

	d = made(t, `CREATE TABLE public.clients (id int PRIMARY KEY, region int, schema_name text, UNIQUE (id, region));
		CREATE TABLE public.hosts (domain text, is_primary bool, billed_to int REFERENCES public.clients, whose int, region int, FOREIGN KEY (whose, region) REFERENCES public.clients (id, region))`, shops)
	d.fails(nil, "several columns of public.hosts refer to public.clients: billed_to → id, whose, region → id, region; so that it is not known")
	d.exec("ALTER TABLE public.hosts DROP COLUMN billed_to")
	d.fails(nil, "public.hosts does not refer to public.clients by a foreign key of one column")
}

// Domains that are left out are told: those of a table that is not read, and those of nobody.
func TestDomainsLeft(t *testing.T) {
	t.Parallel()

	d := made(t, `CREATE TABLE public.clients (id int PRIMARY KEY, schema_name text); CREATE TABLE public.hosts (domain text, is_primary bool, tenant_id int REFERENCES public.clients);
		CREATE SCHEMA a; INSERT INTO public.clients VALUES (1, 'a'); INSERT INTO public.hosts VALUES ('a.example', true, 1), ('b.example', true, NULL), (NULL, true, NULL)`, shops)
	for _, s := range []adopt.Source{{DomainPattern: "{schema}.example.com"}, {TenantsTable: pgx.Identifier{"public", "clients"}}} {
		report := d.adopt(&adopt.Options{DryRun: true, Source: s})
		d.same(report.DomainsLeft, []string{"public.hosts"})
		if report.Adopted != 1 || report.DomainsOfNobody != 0 {
			t.Errorf("%+v", report)
		}
	}
	if report := d.adopt(nil); report.DomainsLeft != nil || report.DomainsOfNobody != 1 {
		t.Errorf("%+v", report)
	}
	d.same(d.registered(), []string{"1 a a.example -"})
}
