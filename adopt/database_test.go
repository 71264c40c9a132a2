package adopt_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/adopt"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// database is one with schemas of another system, and the tenancy that takes it over.
type database struct {
	*testing.T

	address string
	config  cotenant.Config
	conn    *pgx.Conn
	name    string // of the login, if it is one of its own
	tenancy *cotenant.Tenancy
}

// django is a database that a Django project made; see testdata/README.md.
func django(t *testing.T, system string) *database {
	t.Helper()
	dump, err := os.ReadFile("testdata/" + system + ".sql")
	if err != nil {
		t.Fatal(err)
	}
	files := os.DirFS("testdata")
	return begin(t, string(dump), migrate.Dirs(files, system+"/customers"), migrate.Dirs(files, "shop"))
}

// made is a database made by hand, with one tenant app, shop.
func made(t *testing.T, sql string, files fstest.MapFS) *database {
	t.Helper()
	return begin(t, sql, nil, migrate.Dirs(files, "shop"))
}

func begin(t *testing.T, sql string, shared, tenants []migrate.App) *database {
	t.Helper()
	address := testdb.New(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	d := &database{T: t, address: address, config: cotenant.Config{DatabaseURL: address, SharedApps: shared, TenantApps: tenants}, conn: conn}
	d.exec(sql)
	d.exec("RESET ALL")
	d.open()
	return d
}

func (d *database) open() {
	d.Helper()
	var err error
	if d.tenancy, err = cotenant.Open(d.Context(), &d.config); err != nil {
		d.Fatal(err)
	}
	d.Cleanup(d.tenancy.Close)
}

// login is the same database for a login of its own, which gets privileges by SQL with %[1]s
// in place of its name.
func (d *database) login(grants string) *database {
	d.Helper()
	l := *d
	l.config.DatabaseURL = testdb.Role(d.T, d.address)
	config, err := pgx.ParseConfig(l.config.DatabaseURL)
	if err != nil {
		d.Fatal(err)
	}
	l.name = config.User
	d.exec(fmt.Sprintf(grants, l.name))
	l.open()
	return &l
}

// shared is an app that has one migration.
func shared(sql string) []migrate.App {
	return migrate.Dirs(fstest.MapFS{"base/migrations/0001_initial.sql": file(sql)}, "base")
}

func (d *database) exec(sql string) {
	d.Helper()
	if _, err := d.conn.Exec(d.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		d.Fatalf("%v\n%s", err, sql)
	}
}

// adopt takes over.
func (d *database) adopt(o *adopt.Options) *adopt.Report {
	d.Helper()
	report, err := d.tenancy.Adopt(d.Context(), o)
	if err != nil {
		d.Fatal(err)
	}
	return report
}

// fails takes over, and looks for a text in the error.
func (d *database) fails(o *adopt.Options, want string) {
	d.Helper()
	before := d.all()
	if _, err := d.tenancy.Adopt(d.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
		d.Errorf("%v; want %q", err, want)
	}
	if after := d.all(); !slices.Equal(before, after) {
		d.Errorf("it changed something:\n%s\nwas\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
}

// rows is what a query returns, a line for each row.
func (d *database) rows(sql string) []string {
	d.Helper()
	rows, err := d.conn.Query(d.Context(), sql, pgx.QueryExecModeExec)
	if err != nil {
		d.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = fmt.Sprint(v)
		}
		return strings.Join(texts, " "), err
	})
	if err != nil {
		d.Fatalf("%v\n%s", err, sql)
	}
	return lines
}

// all are the relations of the database, with what tells whether they were changed.
func (d *database) all() []string {
	d.Helper()
	return d.rows(`SELECT n.nspname || '.' || c.relname, c.relfilenode::text, c.xmin::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1`)
}

// registered are the tenants with their domains, the primary ones first, and what is
// recorded in their schemas.
func (d *database) registered() []string {
	d.Helper()
	var lines []string
	for _, line := range d.rows(`SELECT t.id, t.schema_name, coalesce(string_agg(d.domain, ',' ORDER BY d.is_primary DESC, d.domain), '-')
		FROM cotenant.tenants AS t LEFT JOIN cotenant.domains AS d ON d.tenant_id = t.id GROUP BY 1, 2 ORDER BY 1`) {
		schema := strings.Fields(line)[1]
		lines = append(lines, line+" "+d.recorded(schema))
	}
	return lines
}

func (d *database) recorded(schema string) string {
	d.Helper()
	table := pgx.Identifier{schema, "cotenant_migrations"}.Sanitize()
	if d.rows("SELECT to_regclass('" + table + "') IS NULL")[0] == "true" {
		return "-"
	}
	return strings.Join(d.rows("SELECT coalesce(string_agg(app || '/' || name || CASE WHEN faked THEN '' ELSE ' (ran)' END, ',' ORDER BY app, name), '-') FROM "+table+" WHERE app <> 'cotenant'"), "")
}

func (d *database) same(got, want []string) {
	d.Helper()
	if !slices.Equal(got, want) {
		d.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// refusals are the reasons of those that were refused.
func refusals(r *adopt.Report) []string {
	var lines []string
	for _, refused := range r.Refusals {
		lines = append(lines, refused.Err.Error())
	}
	return lines
}

// groups shows what became of which schemas.
func groups(r *adopt.Report) []string {
	var lines []string
	for _, g := range r.Groups {
		var schemas, states []string
		for _, s := range g.Schemas {
			schemas = append(schemas, s.String())
		}
		for _, s := range g.States {
			states = append(states, s.String())
			for _, difference := range s.Differences {
				states = append(states, difference.String())
			}
		}
		lines = append(lines, fmt.Sprintf("%s %d %s: %s", g.Outcome, g.Count, strings.Join(schemas, ","), strings.Join(states, "; ")))
	}
	return lines
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func schema(name string) tenant.Schema { return tenant.MustParseSchema(name) }
