package goose_test

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

//go:embed migrations
var migrations embed.FS

// open returns a tenancy, and the contexts of the public tenant and two others.
func open(t *testing.T) (_ *cotenant.Tenancy, public, acme, globex context.Context) {
	t.Helper()
	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{DatabaseURL: testdb.New(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenancy.Close)
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var ctxs []context.Context
	for _, name := range []string{"acme", "globex"} {
		created, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema(name)})
		if err != nil {
			t.Fatal(err)
		}
		ctxs = append(ctxs, tenant.NewContext(t.Context(), created))
	}
	return tenancy, tenant.Public(t.Context()), ctxs[0], ctxs[1]
}

// provider returns one for a single tenant.
func provider(t *testing.T, tenancy *cotenant.Tenancy) *goose.Provider {
	t.Helper()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, tenancy.SQL(), files, goose.WithSessionLocker(locker))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// version reports a schema that is not at the version, or whose tables are not.
func version(t *testing.T, ctx context.Context, tenancy *cotenant.Tenancy, want int64) { //nolint:revive // t comes first
	t.Helper()
	got, err := provider(t, tenancy).GetDBVersion(ctx)
	var tables int64
	err = errors.Join(err, tenancy.SQL().QueryRowContext(ctx,
		"SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'authors'").Scan(&tables))
	if err != nil || got != want || tables != min(want, 1) {
		t.Errorf("version %d, %d tables, %v; want version %d", got, tables, err, want)
	}
}

// A provider works in the schema of the tenant in its ctx, and so does its table of
// versions, also where public has one.
func TestProvider(t *testing.T) {
	t.Parallel()

	tenancy, public, acme, globex := open(t)
	if _, err := provider(t, tenancy).Up(t.Context()); !errors.Is(err, tenant.ErrNoTenant) {
		t.Errorf("without a tenant: %v; want %v", err, tenant.ErrNoTenant)
	}
	for _, ctx := range []context.Context{public, acme} {
		if _, err := provider(t, tenancy).Up(ctx); err != nil {
			t.Fatal(err)
		}
		version(t, ctx, tenancy, 2)
	}
	version(t, globex, tenancy, 0)
	if _, err := provider(t, tenancy).DownTo(acme, 1); err != nil {
		t.Error(err)
	}
	version(t, acme, tenancy, 1)
	version(t, public, tenancy, 2)
}

// A provider looks once whether its table of versions is there. Used for a second
// schema, it takes that of public for the schema's own.
func TestProviderIsForOneSchema(t *testing.T) {
	t.Parallel()

	tenancy, public, acme, globex := open(t)
	p := provider(t, tenancy)
	if _, err := p.Up(public); err != nil {
		t.Fatal(err)
	}
	if results, err := p.Up(acme); err != nil || len(results) != 0 {
		t.Errorf("%v, %v; want nothing done, after public's table of versions", results, err)
	}
	if _, err := p.Up(tenant.WithoutPublic(globex)); err == nil {
		t.Error("without public on the path, nothing was missing")
	}
}
