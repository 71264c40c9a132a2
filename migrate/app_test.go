package migrate_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name string
		fsys fstest.MapFS
		dirs []string
		want []string // in the error
	}{
		{"a missing folder", files("apps/shop/schema.sql", "SELECT 1"), []string{"apps/shpo"}, []string{`app "shpo"`, "apps/shpo", "make it"}},
		{"an empty folder", files("apps/shop/readme.txt", ""), []string{"apps/shop"}, []string{`app "shop"`, "neither schema.sql nor migrations"}},
		{"a name that is none", files("apps/My Shop/schema.sql", "SELECT 1"), []string{"apps/My Shop"}, []string{`app "My Shop"`, "lower-case"}},
		{"an app twice", files("shop/schema.sql", "SELECT 1"), []string{"shop", "shop"}, []string{`app "shop"`, "twice"}},
		{"a migration without a number", files("shop/migrations/initial.sql", "SELECT 1"), []string{"shop"}, []string{"shop/migrations/initial.sql", "0001_initial"}},
		{"a number twice", files("shop/migrations/0001_a.sql", "SELECT 1", "shop/migrations/1_b.sql", "SELECT 1"), []string{"shop"}, []string{"0001_a.sql", "1_b.sql", "renumber"}},
		{"an empty file", files("shop/schema.sql", "-- nothing yet\n"), []string{"shop"}, []string{"shop/schema.sql", "no statements"}},
		{"not UTF-8", files("shop/schema.sql", "SELECT 'b\xfccher'"), []string{"shop"}, []string{"shop/schema.sql", "not UTF-8"}},
		{"a NUL byte", files("shop/schema.sql", "SELECT 1\x00"), []string{"shop"}, []string{"shop/schema.sql", "NUL"}},
		{"a string that is not closed", files("shop/schema.sql", "SELECT 1;\nSELECT 'a"), []string{"shop"}, []string{"shop/schema.sql:2:", "not closed"}},
		{"a transaction", files("shop/migrations/0001_a.sql", "\nBEGIN;\nSELECT 1"), []string{"shop"}, []string{"0001_a.sql:2:", "BEGIN", "remove"}},
		{"a search path", files("shop/schema.sql", "SET search_path = public"), []string{"shop"}, []string{"shop/schema.sql:1:", "search path"}},
		{"psql", files("shop/schema.sql", "\\connect x"), []string{"shop"}, []string{"shop/schema.sql:1:", "psql"}},
		{"an ending in capitals", files("shop/migrations/1_a.sql", "SELECT 1", "shop/migrations/2_b.SQL", "SELECT 1"), []string{"shop"}, []string{"2_b.SQL", "lower case"}},
		{"a migration beside schema.sql", files("shop/schema.sql", "SELECT 1", "shop/0002_b.sql", "SELECT 1"), []string{"shop"}, []string{"shop/0002_b.sql", "shop/migrations"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := migrate.New(&migrate.Config{TenantApps: migrate.Dirs(tt.fsys, tt.dirs...)})
			if err == nil {
				t.Fatal("New: no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("New: %v; want %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("New: the error is longer than a line: %v", err)
			}
		})
	}
}

// An app has files, and migrations in the program beside them.
func TestNewRefusesMigrations(t *testing.T) {
	t.Parallel()

	step := func(context.Context, pgx.Tx) error { return nil }
	for _, tt := range []struct {
		name       string
		migrations []migrate.Migration
		want       []string // in the error
	}{
		{"SQL and Up", []migrate.Migration{{Name: "0003_c", SQL: "SELECT 1", Up: step}}, []string{"migration 0003_c of app shop", "both SQL and Up", "give one"}},
		{"neither", []migrate.Migration{{Name: "0003_c"}}, []string{"migration 0003_c of app shop", "neither SQL nor Up", "give one"}},
		{"Down without Up", []migrate.Migration{{Name: "0003_c", SQL: "SELECT 1", Down: step}}, []string{"migration 0003_c of app shop", "Down without Up", "write the way back into SQL"}},
		{"no number", []migrate.Migration{{Name: "backfill", Up: step}}, []string{`migration "backfill"`, "0001_initial"}},
		{"a number of a file", []migrate.Migration{{Name: "2_c", Up: step}}, []string{"shop/migrations/0002_b.sql", "migration 2_c of app shop", "renumber"}},
		{"a number twice", []migrate.Migration{{Name: "3_c", Up: step}, {Name: "0003_d", SQL: "SELECT 1"}}, []string{"migration 3_c of app shop", "migration 0003_d of app shop", "renumber"}},
		{"a fault", []migrate.Migration{{Name: "3_c", SQL: "\nCOMMIT"}}, []string{"migration 3_c of app shop:2: COMMIT", "remove"}},
		{"a table in public", []migrate.Migration{{Name: "3_c", SQL: "CREATE TABLE public.a ()"}}, []string{"migration 3_c of app shop:1: CREATE TABLE public.a", "put it into a shared app"}},
		{"an unknown migration", []migrate.Migration{{Name: "3_c", Up: step, Requires: []string{"shop/0002_bb"}}}, []string{"migration 3_c of app shop", "requires shop/0002_bb", `did you mean "0002_b"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := migrate.New(&migrate.Config{TenantApps: []migrate.App{{
				Name: "shop", FS: files("migrations/0001_a.sql", "SELECT 1", "migrations/0002_b.sql", "SELECT 2"), Migrations: tt.migrations,
			}}})
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("New: %v; want %q", err, want)
				}
			}
		})
	}
}

func TestNewResolvesRequirements(t *testing.T) {
	t.Parallel()

	app := func(name string, pairs ...string) migrate.App {
		fsys := fstest.MapFS{}
		for i := 0; i < len(pairs); i += 2 {
			text := "SELECT 1"
			if pairs[i+1] != "" {
				text = "-- cotenant:requires " + strings.ReplaceAll(pairs[i+1], " ", "\n-- cotenant:requires ") + "\nSELECT 1"
			}
			if pairs[i] != "schema" {
				pairs[i] = "migrations/" + pairs[i]
			}
			fsys[pairs[i]+".sql"] = &fstest.MapFile{Data: []byte(text)}
		}
		return migrate.App{Name: name, FS: fsys}
	}
	apps := func(apps ...migrate.App) []migrate.App { return apps }
	customers := app("customers", "1_a", "", "2_b", "")
	for _, tt := range []struct {
		name            string
		shared, tenants []migrate.App
		want            []string // in the error; none for no error
	}{
		{"a tenant app may require a shared app", apps(customers), apps(app("shop", "1_a", "customers/2_b")), nil},
		{"and another tenant app", nil, apps(app("shop", "1_a", "customers/2_b"), customers), nil},
		{"and what came before in its own", nil, apps(app("shop", "1_a", "", "2_b", "shop/1_a")), nil},
		{"and schema.sql where that is all", nil, apps(app("shop", "1_a", "plans/schema.sql"), app("plans", "schema", "")), nil},
		{"a shared app may require a shared app", apps(app("plans", "1_a", "customers/1_a"), customers), nil, nil},
		{"an app in both lists", apps(customers, app("notes", "1_a", "customers/1_a")), apps(app("notes", "1_a", "customers/1_a")), nil},
		{"a shared app may not require a tenant app", apps(app("plans", "1_a", "customers/1_a")), apps(customers), []string{"shared apps: plans/migrations/1_a.sql", "which is a tenant app's", `make "customers" a shared app`}},
		{"an unknown app", apps(customers), apps(app("shop", "1_a", "customer/1_a")), []string{"tenant apps: shop/migrations/1_a.sql", `no app "customer"`, `did you mean "customers"`}},
		{"an unknown migration", apps(customers), apps(app("shop", "1_a", "customers/1_aa")), []string{`app "customers" has no such migration`, `did you mean "1_a"`}},
		{"a number is not enough", nil, apps(app("shop", "1_a", "customers/2"), customers), []string{`did you mean "2_b"`}},
		{"nothing like it, of many", nil, []migrate.App{app("shop", "1_a", "shop/currencies", "2_b", "", "3_c", "", "4_d", "", "5_e", "", "6_f", "", "7_g", "")}, []string{"there is 1_a, 2_b, 3_c, 4_d, 5_e and 2 more)"}},
		{"nothing like it", nil, apps(app("shop", "1_a", "customers/currencies"), customers), []string{"there is 1_a, 2_b"}},
		{"schema.sql beside migrations", nil, apps(app("shop", "1_a", "plans/schema.sql"), app("plans", "schema", "", "1_a", "")), []string{"by its migrations", "name the one that is needed"}},
		{"a migration of an app without", nil, apps(app("shop", "1_a", "plans/1_a"), app("plans", "schema", "")), []string{`app "plans" has no migrations`, "require plans/schema.sql"}},
		{"itself", nil, apps(app("shop", "1_a", "shop/1_a")), []string{"circle", "shop/1_a requires shop/1_a (take"}},
		{"what comes after it", nil, apps(app("shop", "1_a", "shop/3_c", "2_b", "", "3_c", "")), []string{"circle", "shop/1_a requires shop/3_c, which comes after shop/1_a (take"}},
		{
			"a circle of three", apps(app("a", "1_a", "b/2_b"), app("b", "1_a", "c/1_a", "2_b", ""), app("c", "1_a", "a/1_a")), nil,
			[]string{"circle", "a/1_a requires b/2_b, which comes after b/1_a, which requires c/1_a, which requires a/1_a (take"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := migrate.New(&migrate.Config{SharedApps: tt.shared, TenantApps: tt.tenants})
			if len(tt.want) == 0 && err != nil {
				t.Errorf("New: %v", err)
			}
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("New: %v; want %q", err, want)
				}
			}
		})
	}
}

// A dump of a public schema makes the same in a tenant's, and nothing in public: its
// keys, defaults, views, functions and triggers work on the tenant's tables.
func TestDumpInTenants(t *testing.T) {
	t.Parallel()

	dump, err := os.ReadFile("testdata/dump.sql")
	if err != nil {
		t.Fatal(err)
	}
	conn := connect(t, testdb.New(t))
	execute(t, conn, "CREATE TABLE public.countries (code text PRIMARY KEY); INSERT INTO public.countries VALUES ('at'); CREATE TABLE public.orders (id int)")
	m := newMigrator(t, files("shop/schema.sql", string(dump)), nil, []string{"shop"})
	for i, name := range []string{"acme", "globex"} {
		if _, err := m.MigrateTenant(t.Context(), conn, newTenant(t, conn, int64(i+1), name)); err != nil {
			t.Fatal(err)
		}
		execute(t, conn, "SET search_path = "+name+", public, pg_temp")
		execute(t, conn, "INSERT INTO customers (mail) VALUES ('a@b'); INSERT INTO orders (customer_id, amount) VALUES (1, 2); UPDATE orders SET amount = 3; INSERT INTO events VALUES ('2024-05-01')")
		if got := column(t, conn, "SELECT concat_ws(' ', c.mail, total, note, is_country('at'), twice(1), 'new'::state === 1) FROM open_orders, customers c WHERE c.id = customer_id"); len(got) != 1 || got[0] != "a@b 3 public.note t 2 t" {
			t.Errorf("in %s: %q", name, got)
		}
		execute(t, conn, "RESET search_path")
	}
	if got, want := strings.Join(tables(t, conn, "globex"), " "), "customers events events_2024 flagged orders"; got != want {
		t.Errorf("tables of a tenant: %s; want %s", got, want)
	}
	if got, want := strings.Join(tables(t, conn, "public"), " "), "countries orders"; got != want {
		t.Errorf("tables of public: %s; want %s", got, want)
	}
	if got := column(t, conn, "SELECT count(*)::text FROM public.orders"); got[0] != "0" {
		t.Errorf("%s orders in public", got[0])
	}
}

// A folder on disk works as one in an embed.FS does, and what is no migration is
// left alone.
func TestDirsOnDisk(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	for name, text := range map[string]string{
		"apps/shop/schema.sql":                  "\ufeffCREATE TABLE a (id int);",
		"apps/shop/migrations/0001_initial.sql": "CREATE TABLE a (id int);",
		"apps/shop/migrations/.0002_swap.sql":   "not SQL (",
		"apps/shop/migrations/README.md":        "not SQL (",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := migrate.New(&migrate.Config{TenantApps: migrate.Dirs(os.DirFS(dir), "apps/shop")}); err != nil {
		t.Errorf("New: %v", err)
	}
}
