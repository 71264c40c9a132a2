package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/bench/internal/large"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// writeApps writes the folders of the tenants' app and of the shared one.
func (b *bench) writeApps() error {
	for app, text := range map[string]string{"app": strings.Join(large.SQL(), ";\n") + ";\n", "shared": large.SharedSQL} {
		if err := os.MkdirAll(filepath.Join(b.dir, app), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(b.dir, app, "schema.sql"), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// open opens the tenancy with the apps of a folder.
func open(ctx context.Context, url, dir string) (*cotenant.Tenancy, error) {
	fsys := os.DirFS(dir)
	return cotenant.Open(ctx, &cotenant.Config{DatabaseURL: url, SharedApps: migrate.Dirs(fsys, "shared"), TenantApps: migrate.Dirs(fsys, "app")})
}

// schemaName is of the tenant that is the i-th.
func schemaName(i int) tenant.Schema { return tenant.MustParseSchema("tenant_" + strconv.Itoa(i)) }

// create makes the tenants from one number to another. The last one differs.
func (b *bench) create(ctx context.Context, from, to int) error {
	t, err := open(ctx, b.url, b.dir)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := t.Migrate(ctx); err != nil {
		return err
	}
	group, ctx2 := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i := from; i < to; i++ {
		group.Go(func() error {
			_, err := t.Registry().Create(ctx2, registry.CreateParams{Schema: schemaName(i)})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, b.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	statements := []string{fmt.Sprintf("ALTER TABLE tenant_%d.table_7 ALTER code SET DEFAULT 'x'", to-1), "VACUUM (ANALYZE)", "CHECKPOINT"}
	if from > 0 {
		statements = append([]string{fmt.Sprintf("ALTER TABLE tenant_%d.table_7 ALTER code SET DEFAULT ''", from-1)}, statements...)
	}
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}
