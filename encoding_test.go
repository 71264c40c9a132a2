package cotenant_test

import (
	"net/url"
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

// Text is what it was also in a database that is not UTF8: in migrations, in the registry, and
// in a statement of the application that has it in its own text.
func TestLatin1(t *testing.T) {
	t.Parallel()

	admin, err := pgx.Connect(t.Context(), testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(t.Context()) }()
	name := admin.Config().Database + "_latin1"
	if _, err := admin.Exec(t.Context(), "CREATE DATABASE "+name+" ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := admin.Exec(t.Context(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	}()
	files := fstest.MapFS{
		"towns/migrations/0001_initial.sql":  {Data: []byte("ALTER TABLE cotenant.tenants ADD COLUMN title text; CREATE TABLE towns AS SELECT 'Zürich' AS name")},
		"things/migrations/0001_initial.sql": {Data: []byte("CREATE TABLE things AS SELECT 'Müller' AS name")},
	}
	address := changed(t, admin.Config().ConnString(), func(u *url.URL) { u.Path = "/" + name })
	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{
		DatabaseURL: address, DB: &pgxtenant.Config{Mode: pgxtenant.OnChange},
		SharedApps: migrate.Dirs(files, "towns"), TenantApps: migrate.Dirs(files, "things"),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tenancy.Close()
	if _, err := tenancy.Fleet().Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	acme, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("acme"), Fields: map[string]any{"title": "Größe"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := tenant.NewContext(t.Context(), acme)
	if _, err := tenancy.DB().Exec(ctx, "INSERT INTO things VALUES ('Jäger')", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	for sql, want := range map[string]int{
		"SELECT length(name) FROM public.towns":                                 6,
		"SELECT length(title) FROM cotenant.tenants WHERE schema_name = 'acme'": 5,
		"SELECT sum(length(name)) FROM things":                                  6 + 5,
	} {
		var got int
		if err := tenancy.DB().QueryRow(ctx, sql).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", sql, got, err, want)
		}
	}
}
