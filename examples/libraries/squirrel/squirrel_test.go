package squirrel_test

import (
	"context"
	"embed"
	"errors"
	"testing"

	"github.com/Masterminds/squirrel"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

//go:embed apps
var apps embed.FS

func TestSquirrel(t *testing.T) {
	t.Parallel()

	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{DatabaseURL: testdb.New(t), TenantApps: migrate.Dirs(apps, "apps/library")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenancy.Close)
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	cache := squirrel.NewStmtCache(tenancy.SQL())
	defer cache.Clear()
	dollar := squirrel.StatementBuilder.PlaceholderFormat(squirrel.Dollar)
	plain, cached := dollar.RunWith(tenancy.SQL()), dollar.RunWith(cache)
	var ctxs []context.Context
	for _, name := range []string{"acme", "globex"} {
		created, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema(name)})
		if err != nil {
			t.Fatal(err)
		}
		ctx := tenant.NewContext(t.Context(), created)
		if _, err := plain.Insert("authors").Columns("name").Values("author of " + name).ExecContext(ctx); err != nil {
			t.Fatal(err)
		}
		ctxs = append(ctxs, ctx)
	}
	for range 3 {
		for i, want := range []string{"author of acme", "author of globex"} {
			var one, two, three string
			sql, args, err := dollar.Select("name").From("authors").Where(squirrel.Eq{"id": 1}).ToSql()
			err = errors.Join(err,
				plain.Select("name").From("authors").Where(squirrel.Eq{"id": 1}).QueryRowContext(ctxs[i]).Scan(&one),
				cached.Select("name").From("authors").Where(squirrel.Eq{"id": 1}).QueryRowContext(ctxs[i]).Scan(&two),
				tenancy.DB().QueryRow(ctxs[i], sql, args...).Scan(&three))
			if err != nil || one != want || two != want || three != want {
				t.Errorf("%q, %q, %q, %v; want %q", one, two, three, err, want)
			}
		}
	}
	_, err = plain.Select("name").From("authors").Query()
	if !errors.Is(err, tenant.ErrNoTenant) {
		t.Errorf("without a context: %v; want %v", err, tenant.ErrNoTenant)
	}
}
